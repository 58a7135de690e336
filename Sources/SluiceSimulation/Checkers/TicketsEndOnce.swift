import SluicePolicy

/// Every call ends exactly once: granted, refused, or cancelled; and every lease is returned at most once with effect.
struct TicketsEndOnce: SimulationChecker {
  let name = "tickets end once"
  private var open: [TicketID: CallID] = [:]
  private var answered: Set<CallID> = []
  private var leases: Set<LeaseID> = []

  mutating func observe(_ fact: Fact, at now: Instant) -> String? {
    switch fact {
    case .grantedAtOnce(let call, let grant): return answer(call) ?? lend(grant)
    case .refusedAtOnce(let call, _): return answer(call)
    case .queued(let call, let ticket):
      guard open[ticket] == nil else { return "\(ticket) was given to two calls" }
      open[ticket] = call
      return nil
    case .grantedLater(let ticket, let grant): return end(ticket) ?? lend(grant)
    case .refusedLater(let ticket, _): return end(ticket)
    case .cancelled(let ticket, accepted: true): return end(ticket)
    case .cancelled(let ticket, accepted: false):
      return open[ticket] == nil ? nil : "\(ticket) waits, yet its cancellation was not accepted"
    case .released(let lease, _, let accepted):
      let known = leases.remove(lease) != nil
      return known == accepted
        ? nil
        : "\(lease) was \(known ? "" : "not ")lent, yet its return was \(accepted ? "accepted" : "ignored")"
    case .settled: return open.isEmpty ? nil : "\(open.count) tickets never ended"
    default: return nil
    }
  }

  private mutating func answer(_ call: CallID) -> String? {
    answered.insert(call).inserted ? nil : "call \(call) was answered twice"
  }

  private mutating func end(_ ticket: TicketID) -> String? {
    guard let call = open.removeValue(forKey: ticket) else {
      return "\(ticket) ended, but it was not waiting"
    }
    return answer(call)
  }

  private mutating func lend(_ grant: Grant) -> String? {
    leases.insert(grant.lease).inserted ? nil : "\(grant.lease) was lent twice"
  }
}
