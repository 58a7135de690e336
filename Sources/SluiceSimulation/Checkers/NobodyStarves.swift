import SluicePolicy

/// A call that waits is answered by its deadline, whatever happens around it.
struct NobodyStarves: SimulationChecker {
  let name = "nobody starves"
  /// Timers fire up to 2 ms late in the world.
  private let slack = Interval.milliseconds(5)
  private var deadlines: [CallID: Instant] = [:]
  private var waiting: [TicketID: Instant] = [:]

  mutating func observe(_ fact: Fact, at now: Instant) -> String? {
    switch fact {
    case .wished(let call, let request): deadlines[call] = request.deadline
    case .grantedAtOnce(let call, _), .refusedAtOnce(let call, _): deadlines[call] = nil
    case .queued(let call, let ticket): waiting[ticket] = deadlines.removeValue(forKey: call)
    case .grantedLater(let ticket, _), .refusedLater(let ticket, _),
      .cancelled(let ticket, accepted: true):
      waiting[ticket] = nil
    case .snapshot, .settled:
      if let (ticket, deadline) = waiting.first(where: { now > $0.value + slack }) {
        return "\(ticket) still waits \(now - deadline) after its deadline"
      }
    default: break
    }
    return nil
  }
}
