import SluicePolicy
import Testing

@Suite struct DeadlineHeapTests {
  private func instant(_ value: Int) -> Instant { Instant(nanoseconds: Int64(value)) }

  @Test func comesUpInOrderAndEqualOnesAsInserted() {
    var heap = DeadlineHeap()
    for (index, at) in [5, 3, 9, 3, 1, 3].enumerated() {
      _ = heap.insert(instant(at), .ticket, index: UInt32(index))
    }
    var seen: [UInt32] = []
    while let due = heap.popDue(instant(5)) { seen.append(due.index) }
    #expect(seen == [4, 1, 3, 5, 0])
    #expect(heap.earliest == instant(9) && heap.count == 1)
    #expect(heap.violations().isEmpty)
  }

  @Test func neverIsNotScheduled() {
    var heap = DeadlineHeap()
    var token = heap.insert(.distantFuture, .ticket, index: 0)
    #expect(token == .none && heap.count == 0 && heap.earliest == .distantFuture)
    heap.cancel(&token)
    #expect(heap.violations().isEmpty)
  }

  @Test func cancelledOnesNeverComeUpAndLateCancelsDoNothing() {
    var heap = DeadlineHeap()
    var first = heap.insert(instant(1), .resource, index: 1)
    let copy = first
    _ = heap.insert(instant(2), .resource, index: 2)
    heap.cancel(&first)
    #expect(heap.earliest == instant(2))
    var again = copy
    heap.cancel(&again)
    // The token's place is used again: the old token must not reach its successor.
    _ = heap.insert(instant(3), .resource, index: 3)
    again = copy
    heap.cancel(&again)
    #expect(heap.count == 2)
    let due = (0..<3).map { _ in heap.popDue(instant(9))?.index }
    #expect(due == [2, 3, nil])
  }

  @Test func cancellingDoesNotLeaveGarbageWithoutBound() {
    var heap = DeadlineHeap()
    _ = heap.insert(instant(0), .ticket, index: 0)
    for round in 1...10_000 {
      var token = heap.insert(instant(round), .ticket, index: UInt32(round))
      heap.cancel(&token)
    }
    #expect(heap.count == 1)
    #expect(heap.footprint <= 40)
  }

  @Test(arguments: 0..<20)
  func behavesLikeASortedList(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var heap = DeadlineHeap()
    var model: [(at: Instant, order: Int, token: DeadlineHeap.Token)] = []
    for step in 0..<400 {
      switch random.index(below: 4) {
      case 0, 1:
        let at = instant(random.index(below: 50))
        model.append((at, step, heap.insert(at, .ticket, index: UInt32(step))))
      case 2 where !model.isEmpty:
        var victim = model.remove(at: random.index(below: model.count)).token
        heap.cancel(&victim)
      default:
        let now = instant(random.index(below: 50))
        let expected = model.filter { $0.at <= now }.min { ($0.at, $0.order) < ($1.at, $1.order) }
        let due = heap.popDue(now)?.index
        #expect(due == expected.map { UInt32($0.order) })
        model.removeAll { $0.order == expected?.order }
      }
      #expect(heap.earliest == model.map(\.at).min() ?? .distantFuture)
      #expect(heap.violations().isEmpty)
    }
  }
}
