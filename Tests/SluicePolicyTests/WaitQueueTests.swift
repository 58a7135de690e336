import SluicePolicy
import Testing

@Suite struct WaitQueueTests {
  private let start = Instant(nanoseconds: 0)

  private func queue(capacity: Int = 100, ageing: Interval = .seconds(10), reserved: Double = 0) -> WaitQueue {
    var settings = QueueSettings()
    settings.capacity = capacity
    settings.ageing = ageing
    settings.reserved = ClassShares(critical: reserved, high: reserved, normal: reserved, low: reserved)
    return WaitQueue(settings)
  }

  private func request(
    _ priority: PriorityClass = .normal, caller: UInt32 = 0, deadline: Int64 = 60, pinned: EndpointID? = nil
  ) -> AcquireRequest {
    AcquireRequest(
      loop: LoopID(0), priority: priority, caller: CallerID(rawValue: caller),
      deadline: Instant(nanoseconds: 0) + .seconds(deadline), arrival: Instant(nanoseconds: 0), pinned: pinned)
  }

  /// Serves everything in order; the places of the enqueued requests.
  private func order(_ queue: inout WaitQueue, _ places: [Int]) -> [Int] {
    var result: [Int] = []
    while let index = queue.head() {
      result.append(places.firstIndex(of: index) ?? -1)
      queue.remove(index, served: true)
      #expect(queue.violations().isEmpty)
    }
    return result
  }

  @Test func classThenDeadlineThenArrival() {
    var queue = queue()
    let requests = [
      request(.low, deadline: 1), request(.normal, deadline: 9), request(.normal, deadline: 5),
      request(.critical, deadline: 60), request(.normal, deadline: 5), request(.high, deadline: 30),
    ]
    let places = requests.map { queue.enqueue($0, now: start) }
    #expect(order(&queue, places) == [3, 5, 2, 4, 1, 0])
  }

  @Test func callersTakeTurnsWhateverTheyEnqueue() {
    var queue = queue()
    var places: [Int] = []
    for _ in 0..<4 { places.append(queue.enqueue(request(caller: 1, deadline: 1), now: start)) }
    for _ in 0..<2 { places.append(queue.enqueue(request(caller: 2, deadline: 50), now: start)) }
    places.append(queue.enqueue(request(caller: 3, deadline: 40), now: start))
    #expect(order(&queue, places) == [0, 6, 4, 1, 5, 2, 3])
  }

  /// A caller who comes back after each grant must not get in before one who waits with many.
  @Test func comingBackDoesNotJumpTheQueue() {
    var queue = queue()
    for _ in 0..<20 { _ = queue.enqueue(request(caller: 1, deadline: 30), now: start) }
    _ = queue.enqueue(request(caller: 2, deadline: 5), now: start)
    var served: [UInt32] = []
    for _ in 0..<10 {
      guard let index = queue.head() else { break }
      let caller = queue[index].request.caller.rawValue
      served.append(caller)
      queue.remove(index, served: true)
      if caller == 2 { _ = queue.enqueue(request(caller: 2, deadline: 5), now: start) }
    }
    #expect(served == [2, 1, 2, 1, 2, 1, 2, 1, 2, 1])
  }

  /// What was served before its turn, because only it could have that slot, is no reason for newcomers to wait longer.
  @Test func turnsTakenBesideTheQueueDoNotSetNewcomersBack() {
    var queue = queue()
    let places = (0..<4).map { _ in queue.enqueue(request(caller: 1, deadline: 30), now: start) }
    for _ in 0..<10 {
      let pinned = queue.enqueue(request(caller: 3, pinned: EndpointID(rawValue: 3)), now: start)
      queue.remove(pinned, served: true)
    }
    let newcomers = (0..<2).map { _ in queue.enqueue(request(caller: 2, deadline: 50), now: start) }
    #expect(order(&queue, places + newcomers) == [0, 4, 1, 5, 2, 3])
  }

  @Test func ageingLiftsOneClassAtATime() {
    var queue = queue(ageing: .seconds(10))
    let low = queue.enqueue(request(.low, deadline: 100), now: start)
    _ = queue.enqueue(request(.high, deadline: 200), now: start + .seconds(19))
    queue.age(start + .seconds(9))
    #expect(queue[low].level == 3)
    queue.age(start + .seconds(10))
    #expect(queue[low].level == 2)
    queue.age(start + .seconds(19))
    #expect(queue[low].level == 2)
    queue.age(start + .seconds(20))
    #expect(queue[low].level == 1)
    // Same class now, earlier deadline.
    let head = queue.head()
    #expect(head == low)
    queue.age(start + .seconds(300))
    queue.age(start + .seconds(600))
    #expect(queue[low].level == 0)
    #expect(queue.waiting.low == 1 && queue.violations().isEmpty)
  }

  @Test func capacityAndReservedRoom() {
    var queue = queue(capacity: 10, reserved: 0.2)
    var taken = 0
    while queue.hasRoom(for: .low) {
      _ = queue.enqueue(request(.low), now: start)
      taken += 1
    }
    // 2 reserved for each of the other three classes.
    #expect(taken == 4)
    while queue.hasRoom(for: .critical) { _ = queue.enqueue(request(.critical), now: start) }
    #expect(queue.waiting.critical == 2)
    while queue.hasRoom(for: .normal) { _ = queue.enqueue(request(.normal), now: start) }
    while queue.hasRoom(for: .high) { _ = queue.enqueue(request(.high), now: start) }
    #expect(queue.count == 10)
    #expect(PriorityClass.allCases.allSatisfy { !queue.hasRoom(for: $0) })
  }

  @Test func removalLeavesNoGarbageWithoutBound() {
    var queue = queue(capacity: 50)
    let anchor = queue.enqueue(request(deadline: 1), now: start)
    for round in 0..<5000 {
      let index = queue.enqueue(request(caller: UInt32(round % 700), deadline: 50), now: start)
      queue.remove(index, served: false)
      if round % 500 == 0 { #expect(queue.violations().isEmpty) }
    }
    let head = queue.head()
    #expect(head == anchor)
    #expect(queue.footprint <= 40)
    #expect(queue.flowFootprint <= 80)
  }

  @Test func staleHandlesDoNotResolve() {
    var queue = queue()
    let index = queue.enqueue(request(), now: start)
    let id = queue.id(index)
    queue.remove(index, served: false)
    #expect(queue.resolve(id) == nil)
    let again = queue.enqueue(request(), now: start)
    #expect(again == index && queue.resolve(id) == nil)
    #expect(queue.resolve(TicketID(index: 99, generation: 0)) == nil)
  }

  @Test func restrictedOnesAreFoundInOrder() {
    var queue = queue()
    let pin = EndpointID(rawValue: 3)
    let late = queue.enqueue(request(deadline: 9, pinned: pin), now: start)
    let early = queue.enqueue(request(deadline: 4, pinned: pin), now: start)
    let plain = queue.enqueue(request(deadline: 6), now: start)
    let head = queue.head()
    #expect(head == plain)
    #expect(queue.firstRestricted { _ in true } == early)
    #expect(queue.firstRestricted { $0.deadline > Instant(nanoseconds: 0) + .seconds(5) } == late)
    #expect(queue.precedes(early, plain) && queue.precedes(plain, late))
    queue.remove(early, served: true)
    #expect(queue.violations().isEmpty)
  }

  @Test(arguments: 0..<20)
  func keepsItsBooksUnderRandomUse(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var queue = queue(capacity: 30, ageing: .seconds(5))
    var live: [Int] = []
    var now = start
    for _ in 0..<500 {
      now = now + .milliseconds(Int64(random.index(below: 400)))
      switch random.index(below: 5) {
      case 0, 1:
        let priority = PriorityClass.allCases[random.index(below: 4)]
        guard queue.hasRoom(for: priority) else { continue }
        let pinned = random.index(below: 3) == 0 ? EndpointID(rawValue: 1) : nil
        live.append(
          queue.enqueue(
            request(
              priority, caller: UInt32(random.index(below: 5)), deadline: Int64(random.index(below: 99)),
              pinned: pinned), now: now))
      case 2 where !live.isEmpty:
        queue.remove(live.remove(at: random.index(below: live.count)), served: random.index(below: 2) == 0)
      case 3:
        queue.age(now)
      default:
        let head = queue.head()
        // By definition nobody unrestricted precedes the head.
        let better = live.filter { index in
          queue[index].restrictedPlace < 0 && (head.map { queue.precedes(index, $0) } ?? true)
        }
        #expect(better.isEmpty)
      }
      #expect(queue.count == live.count)
      #expect(queue.violations().isEmpty)
    }
  }
}
