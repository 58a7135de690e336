import SluicePolicy

/// Nobody is the one who finds out that an idle resource has died: what was unused for longer than `verifyAfter`, or
/// since before the clock jumped, is verified before it is lent. Only where nobody can wait for that (no queue) it is
/// lent as it is.
struct IdleIsVerified: SimulationChecker {
  let name = "idle is verified"
  private var resources = ResourceBook()
  private var verifyAfter = Interval.seconds(1)
  private var jumpedAt = Instant.distantPast
  private var canWait = true

  mutating func observe(_ fact: Fact, at now: Instant) -> String? {
    defer { resources.observe(fact, at: now) }
    switch fact {
    case .configured(let settings, _):
      verifyAfter = settings.connections.verifyAfter
      canWait = settings.queue.capacity > PriorityClass.allCases.count
    case .clockJumped: jumpedAt = now
    case .grantedAtOnce(_, let grant), .grantedLater(_, let grant): return judge(grant, now)
    default: break
    }
    return nil
  }

  private func judge(_ grant: Grant, _ now: Instant) -> String? {
    guard canWait, let resource = resources.entries[grant.resource], resource.leased == 0 else { return nil }
    if resource.trustedAt < jumpedAt { return "\(grant.resource) was lent unverified after the clock had jumped" }
    let unused = now - resource.trustedAt
    return unused > verifyAfter ? "\(grant.resource) was lent unverified after \(unused) without use" : nil
  }
}
