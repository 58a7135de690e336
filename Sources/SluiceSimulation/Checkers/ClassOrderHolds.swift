import SluicePolicy

/// Nobody is served while somebody waits who comes first and could have had the very same slot.
///
/// A waiting call has the class it came with, one better for each full ageing time it has waited. The better class
/// comes first; within a class, of one caller's calls the one with the earlier deadline (turns between callers are not
/// judged). Whoever takes any slot could have had the slot of whoever takes any slot; so could one that excludes other
/// endpoints or is pinned to this one. Of two that are pinned to one endpoint either could have had it. One that needs
/// a fresh resource is never said to be passed over.
struct ClassOrderHolds: SimulationChecker {
  let name = "class order holds"
  private var tickets = TicketBook()
  private var ageing = Interval.seconds(10)
  /// Waited for any slot when a newcomer was given one; must be gone when that decision is over.
  private var overtaken: Set<TicketID> = []

  mutating func observe(_ fact: Fact, at now: Instant) -> String? {
    tickets.observe(fact, at: now)
    if !overtaken.isEmpty, !fact.isPartOfDecision {
      if let ticket = overtaken.first(where: { tickets.waiting[$0] != nil }) {
        return "\(ticket) still waits for any slot, and a newcomer was given one"
      }
      overtaken = []
    }
    switch fact {
    case .configured(let settings, _): ageing = settings.queue.ageing
    case .grantedLater(_, let grant):
      return tickets.left.flatMap { judge($0, grant, now) }
    case .grantedAtOnce where tickets.wish?.takesAnySlot == true:
      overtaken = Set(tickets.waiting.filter { $0.value.request.takesAnySlot && $0.value.request.deadline > now }.keys)
    default: break
    }
    return nil
  }

  private func judge(_ served: TicketBook.Waiting, _ grant: Grant, _ now: Instant) -> String? {
    let level = level(served, now)
    for (ticket, other) in tickets.waiting where couldHaveHad(grant, instead: served.request, other, now) {
      let otherLevel = self.level(other, now)
      let isEarlier =
        otherLevel == level && other.request.caller == served.request.caller
        && other.request.deadline < served.request.deadline
      if otherLevel < level || isEarlier {
        return "\(ticket) of class \(other.request.priority), waiting since \(other.since), "
          + "was passed over for class \(served.request.priority), waiting since \(served.since)"
      }
    }
    return nil
  }

  private func couldHaveHad(
    _ grant: Grant, instead served: AcquireRequest, _ waiting: TicketBook.Waiting, _ now: Instant
  ) -> Bool {
    // Who was queued at this very moment came after the others had been served.
    let other = waiting.request
    if waiting.since == now || other.freshOnly || other.deadline <= now || other.excluding.contains(grant.endpoint) {
      return false
    }
    if served.takesAnySlot { return (other.pinned ?? grant.endpoint) == grant.endpoint }
    return !served.freshOnly && served.pinned == grant.endpoint && other.pinned == grant.endpoint
  }

  /// 0 is best.
  private func level(_ waiting: TicketBook.Waiting, _ now: Instant) -> Int64 {
    let steps = (now - waiting.since).nanoseconds / max(1, ageing.nanoseconds)
    return max(0, Int64(waiting.request.priority.rawValue) - steps)
  }
}
