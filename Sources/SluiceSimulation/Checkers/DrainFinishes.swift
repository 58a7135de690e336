import SluicePolicy

/// Once a drain has begun nothing new is taken; who waits already is still served, and only for them anything is
/// opened. The pool says that it is drained when the last lease, ticket and resource are gone, not before and only
/// once. A close takes nothing and keeps nobody waiting. Both are over within the bound of the longest exchange, wait,
/// connect and close, and whatever opened although it had been told to close has been told again.
struct DrainFinishes: SimulationChecker {
  let name = "drain finishes"
  private var tickets = TicketBook()
  private var resources = ResourceBook()
  private var mode = PoolState.open
  private var saidDrained = false

  mutating func observe(_ fact: Fact, at now: Instant) -> String? {
    tickets.observe(fact, at: now)
    resources.observe(fact, at: now)
    switch fact {
    case .drainBegan: mode = .draining
    case .closeBegan: mode = .closed
    case .emitted(.drained):
      defer { saidDrained = true }
      return saidDrained ? "drained twice" : left.map { "drained, it says, with \($0)" }
    case .ended(let isDrained, let leftOpen):
      if leftOpen > 0 { return "\(leftOpen) resources opened when they should have closed, and nobody closed them" }
      if let left { return "a minute later there are still \(left)" }
      if !isDrained { return "nothing is left, yet it does not say that it is drained" }
      return mode == .draining && !saidDrained ? "nobody was told that it is drained" : nil
    default: return mode == .open ? nil : judge(fact)
    }
    return nil
  }

  private func judge(_ fact: Fact) -> String? {
    switch fact {
    case .grantedAtOnce: return "a new call was served"
    case .queued: return "a new call was queued"
    case .grantedLater where mode == .closed: return "a call was served by a closed pool"
    case .connectAsked(let id, _, _):
      return mode == .closed || tickets.waiting.isEmpty ? "\(id) is opened for nobody" : nil
    case .wished where mode == .closed && !tickets.waiting.isEmpty: return "somebody waits at a closed pool"
    default: return nil
    }
  }

  private var left: String? {
    if !tickets.waiting.isEmpty { return "\(tickets.waiting.count) waiting" }
    if !resources.leases.isEmpty { return "\(resources.leases.count) slots lent" }
    return resources.entries.isEmpty ? nil : "\(resources.entries.count) resources"
  }
}
