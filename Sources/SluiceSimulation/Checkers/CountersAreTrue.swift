import SluicePolicy

/// The pool's own numbers agree with what happened: waiting, leased, resources, and the counters.
struct CountersAreTrue: SimulationChecker {
  let name = "counters are true"
  private var waiting: Set<TicketID> = []
  private var leases: Set<LeaseID> = []
  private var resources: Set<ResourceID> = []
  private var wished: UInt64 = 0, atOnce: UInt64 = 0, later: UInt64 = 0, refused: UInt64 = 0
  private var cancelled: UInt64 = 0, connects: UInt64 = 0, released: UInt64 = 0

  mutating func observe(_ fact: Fact, at now: Instant) -> String? {
    switch fact {
    case .wished: wished += 1
    case .grantedAtOnce(_, let grant):
      atOnce += 1
      leases.insert(grant.lease)
    case .refusedAtOnce: refused += 1
    case .queued(_, let ticket): waiting.insert(ticket)
    case .grantedLater(let ticket, let grant):
      later += 1
      waiting.remove(ticket)
      leases.insert(grant.lease)
    case .refusedLater(let ticket, _):
      refused += 1
      waiting.remove(ticket)
    case .cancelled(let ticket, accepted: true):
      cancelled += 1
      waiting.remove(ticket)
    case .released(let lease, _, accepted: true):
      released += 1
      leases.remove(lease)
    case .connectAsked(let id, _, _):
      connects += 1
      resources.insert(id)
    case .connectFailed(let id), .closed(let id): resources.remove(id)
    case .snapshot(let snapshot), .settled(let snapshot): return compare(snapshot)
    default: break
    }
    return nil
  }

  private func compare(_ snapshot: PoolSnapshot) -> String? {
    let counters = snapshot.counters
    let pairs: [(String, UInt64, UInt64)] = [
      ("waiting", UInt64(snapshot.waiting.total), UInt64(waiting.count)),
      ("leased", UInt64(max(0, snapshot.numbers.leased)), UInt64(leases.count)),
      ("resources", UInt64(snapshot.slots.total), UInt64(resources.count)),
      ("acquired", counters.acquired, wished), ("granted at once", counters.grantedAtOnce, atOnce),
      ("granted later", counters.grantedLater, later),
      ("rejected", counters.rejected.total, refused),
      ("cancelled", counters.cancelled, cancelled),
      ("connects", counters.connectsStarted, connects),
      ("released", counters.released, released),
    ]
    guard let wrong = pairs.first(where: { $0.1 != $0.2 }) else { return nil }
    return "\(wrong.0): the pool says \(wrong.1), \(wrong.2) is right"
  }
}
