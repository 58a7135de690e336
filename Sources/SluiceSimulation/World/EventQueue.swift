import SluicePolicy

/// Events by time; those of the same moment in the order in which they were added. A binary heap of our own: the world
/// must not lean on the policy's.
struct EventQueue<Event> {
  private struct Entry {
    var at: Instant
    var order: UInt64
    var event: Event
  }

  private var heap: [Entry] = []
  private var order: UInt64 = 0

  var isEmpty: Bool { heap.isEmpty }
  var nextTime: Instant? { heap.first?.at }

  mutating func add(_ event: Event, at: Instant) {
    heap.append(Entry(at: at, order: order, event: event))
    order += 1
    var child = heap.count - 1
    while child > 0, before(child, (child - 1) / 2) {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  mutating func pop() -> (Instant, Event)? {
    guard let first = heap.first else { return nil }
    let last = heap.removeLast()
    if !heap.isEmpty {
      heap[0] = last
      sink()
    }
    return (first.at, first.event)
  }

  private mutating func sink() {
    var parent = 0
    while true {
      let left = 2 * parent + 1
      guard left < heap.count else { return }
      let right = left + 1
      let child = right < heap.count && before(right, left) ? right : left
      guard before(child, parent) else { return }
      heap.swapAt(child, parent)
      parent = child
    }
  }

  private func before(_ a: Int, _ b: Int) -> Bool {
    heap[a].at != heap[b].at ? heap[a].at < heap[b].at : heap[a].order < heap[b].order
  }
}
