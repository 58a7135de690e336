import SluicePolicy

/// When a waiting call is served, no other that could have been served in its place has a better class, ageing included.
struct ClassOrderHolds: SimulationChecker {
  private struct Waiting {
    var request: AcquireRequest
    var since: Instant
  }

  let name = "class order holds"
  private var wishes: [CallID: AcquireRequest] = [:]
  private var waiting: [TicketID: Waiting] = [:]
  private var ageing = Interval.seconds(10)

  mutating func observe(_ fact: Fact, at now: Instant) -> String? {
    switch fact {
    case .configured(let settings, _): ageing = settings.queue.ageing
    case .wished(let call, let request): wishes[call] = request
    case .grantedAtOnce(let call, _), .refusedAtOnce(let call, _): wishes[call] = nil
    case .queued(let call, let ticket):
      waiting[ticket] = wishes.removeValue(forKey: call).map { Waiting(request: $0, since: now) }
    case .grantedLater(let ticket, let grant):
      guard let served = waiting.removeValue(forKey: ticket) else { return nil }
      return judge(served, grant, now)
    case .refusedLater(let ticket, _), .cancelled(let ticket, accepted: true): waiting[ticket] = nil
    default: break
    }
    return nil
  }

  /// Restricted calls (pinned, fresh, excluding this endpoint) are not candidates for every slot: they are left out on both sides.
  private func judge(_ served: Waiting, _ grant: Grant, _ now: Instant) -> String? {
    if isRestricted(served.request) { return nil }
    let rank = rank(served, now, lenient: true)
    for (ticket, other) in waiting
    where other.since < served.since || other.request.priority < served.request.priority {
      let request = other.request
      if isRestricted(request) || request.deadline <= now { continue }
      if self.rank(other, now, lenient: false) < rank {
        return
          "\(ticket) of class \(request.priority) waited since \(other.since) and was passed over for class \(served.request.priority)"
      }
    }
    return nil
  }

  private func isRestricted(_ request: AcquireRequest) -> Bool {
    request.pinned != nil || request.freshOnly || !request.excluding.isEmpty
  }

  /// 0 is best. Ageing moves up one class per full ageing time; a machine may notice a little late, so the served call gets
  /// the benefit of the doubt and the others do not.
  private func rank(_ waiting: Waiting, _ now: Instant, lenient: Bool) -> Int64 {
    let waited =
      (now - waiting.since).nanoseconds
      + (lenient ? ageing.nanoseconds / 4 : -ageing.nanoseconds / 4)
    return max(
      0, Int64(waiting.request.priority.rawValue) - max(0, waited) / max(1, ageing.nanoseconds))
  }
}
