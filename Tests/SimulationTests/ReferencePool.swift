import SluicePolicy

/// The pool as one would write it without caring for speed: one origin, one endpoint, one loop, one slot per
/// connection, lists that are sorted anew every time. Says what must come of each event.
struct ReferencePool {
  struct Waiting: Equatable {
    var call: Int
    var priority: PriorityClass
    var deadline: Instant
  }

  enum Answer: Equatable { case granted, queued, queueFull, deadline }

  let queueCapacity: Int
  var idle = 0
  var leased = 0
  var waiting: [Waiting] = []

  mutating func acquire(_ call: Int, _ priority: PriorityClass, deadline: Instant, now: Instant)
    -> Answer
  {
    if deadline <= now { return .deadline }
    if idle > 0 && waiting.isEmpty {
      idle -= 1
      leased += 1
      return .granted
    }
    if waiting.count >= queueCapacity { return .queueFull }
    waiting.append(Waiting(call: call, priority: priority, deadline: deadline))
    return .queued
  }

  /// A slot became free; the call that must get it, if anybody waits.
  mutating func slotFreed() -> Int? {
    waiting.sort {
      ($0.priority.rawValue, $0.deadline, $0.call) < ($1.priority.rawValue, $1.deadline, $1.call)
    }
    guard !waiting.isEmpty else {
      idle += 1
      return nil
    }
    leased += 1
    return waiting.removeFirst().call
  }

  mutating func cancel(_ call: Int) -> Bool {
    guard let index = waiting.firstIndex(where: { $0.call == call }) else { return false }
    waiting.remove(at: index)
    return true
  }

  /// The calls whose time is over, in any order.
  mutating func expire(_ now: Instant) -> Set<Int> {
    let over = Set(waiting.filter { $0.deadline <= now }.map(\.call))
    waiting.removeAll { over.contains($0.call) }
    return over
  }
}
