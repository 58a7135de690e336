import SluicePolicy

/// The pool as one would write it without caring for speed: one origin, one endpoint, one loop, one slot per
/// connection, a list that is searched anew every time. Says what must come of each event.
///
/// Order: class, then the caller who had fewer turns since both wait, then deadline, then arrival. A caller who comes
/// new to a class, or comes back after nobody waited in it, starts with as many turns as the one served last had.
struct ReferencePool {
  struct Waiting: Equatable {
    var call: Int
    var priority: PriorityClass
    var caller: CallerID
    var deadline: Instant
  }

  enum Answer: Equatable { case granted, queued, queueFull, deadline }

  private struct Turns {
    var lastServed = 0
    var byCaller: [CallerID: Int] = [:]
  }

  let queueCapacity: Int
  var idle = 0
  var leased = 0
  private(set) var waiting: [Waiting] = []
  private var turns: [PriorityClass: Turns] = [:]

  init(queueCapacity: Int) { self.queueCapacity = queueCapacity }

  mutating func acquire(
    _ call: Int, _ priority: PriorityClass, caller: CallerID, deadline: Instant, now: Instant
  ) -> Answer {
    if deadline <= now { return .deadline }
    if idle > 0 && waiting.isEmpty {
      idle -= 1
      leased += 1
      return .granted
    }
    if waiting.count >= queueCapacity { return .queueFull }
    if !waiting.contains(where: { $0.priority == priority && $0.caller == caller }) {
      let known = turns[priority, default: Turns()]
      turns[priority, default: Turns()].byCaller[caller] = max(known.byCaller[caller] ?? 0, known.lastServed)
    }
    waiting.append(Waiting(call: call, priority: priority, caller: caller, deadline: deadline))
    return .queued
  }

  /// A slot became free; the call that must get it, if anybody waits.
  mutating func slotFreed() -> Int? {
    let next = waiting.min {
      ($0.priority.rawValue, turnsOf($0), $0.deadline, $0.call)
        < ($1.priority.rawValue, turnsOf($1), $1.deadline, $1.call)
    }
    guard let next else {
      idle += 1
      return nil
    }
    leased += 1
    let turn = turnsOf(next)
    turns[next.priority]?.lastServed = turn
    turns[next.priority]?.byCaller[next.caller] = turn + 1
    remove { $0 == next }
    return next.call
  }

  mutating func cancel(_ call: Int) -> Bool { remove { $0.call == call } == 1 }

  /// The calls whose time is over, in any order.
  mutating func expire(_ now: Instant) -> Set<Int> {
    let over = Set(waiting.filter { $0.deadline <= now }.map(\.call))
    remove { over.contains($0.call) }
    return over
  }

  private func turnsOf(_ waiting: Waiting) -> Int { turns[waiting.priority]?.byCaller[waiting.caller] ?? 0 }

  /// Where nobody waits any more, nobody is owed anything.
  @discardableResult
  private mutating func remove(where isOver: (Waiting) -> Bool) -> Int {
    let before = waiting
    waiting.removeAll(where: isOver)
    for left in before where !waiting.contains(where: { $0.priority == left.priority }) {
      turns[left.priority]?.byCaller = [:]
    }
    return before.count - waiting.count
  }
}
