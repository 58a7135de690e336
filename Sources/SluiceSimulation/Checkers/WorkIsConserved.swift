import SluicePolicy

/// While a call waits that takes any slot, no slot is left idle that may serve it, and if nothing is under way, nothing
/// could be.
///
/// Judged at the moments of a snapshot, for healthy primary endpoints below their own limit, in the region that serves:
/// the first ones anybody gets. Idle: open, trusted and with room. Under way: a connect or a verification at any origin. Could be: an idle
/// resource to verify, or room for another one at an origin whose last connect did not fail.
struct WorkIsConserved: SimulationChecker {
  let name = "work is conserved"
  private var tickets = TicketBook()
  private var resources = ResourceBook()
  private var endpoints = EndpointBook()
  private var limits = ConnectionSettings()
  private var jumpedAt = Instant.distantPast

  mutating func observe(_ fact: Fact, at now: Instant) -> String? {
    tickets.observe(fact, at: now)
    resources.observe(fact, at: now)
    endpoints.observe(fact)
    switch fact {
    case .configured(let settings, _): limits = settings.connections
    case .clockJumped: jumpedAt = now
    case .snapshot(let snapshot) where snapshot.state == .open: return judge(snapshot, now)
    default: break
    }
    return nil
  }

  private func judge(_ snapshot: PoolSnapshot, _ now: Instant) -> String? {
    let waiting = tickets.waiting.filter { $0.value.request.takesAnySlot && $0.value.request.deadline > now }
    guard let ticket = waiting.keys.min(by: { $0.index < $1.index }) else { return nil }
    let origins = servingOrigins(snapshot)
    let trustedSince = max(now - limits.verifyAfter, jumpedAt)
    // From this age on it may have been given up while something of it is still lent.
    let youngest = now - limits.maxAge.scaled(by: 1 - limits.jitter)
    let serving = resources.entries.filter {
      origins.contains($0.value.origin) && $0.value.isUsable && $0.value.openedAt > youngest
    }
    for (id, resource) in serving where !resource.isUncertain && resource.leased < resource.capacity {
      if resource.leased > 0 || resource.trustedAt >= trustedSince { return "\(ticket) waits beside \(id)" }
    }
    if resources.entries.values.contains(where: { (!$0.isOpen && !$0.isLeaving) || $0.isUncertain }) { return nil }
    if serving.contains(where: { $0.value.leased == 0 && $0.value.capacity > 0 }) {
      return "\(ticket) waits and an idle resource is not verified for it"
    }
    let growing = origins.filter { origin in
      resources.entries.values.count { $0.origin == origin } < limits.max
        && snapshot.origins.contains { $0.id == origin && $0.connectFailures == 0 }
    }
    guard let origin = growing.min(by: { $0.rawValue < $1.rawValue }), resources.entries.count < limits.poolMax
    else { return nil }
    return "\(ticket) waits and nothing is opened at \(origin)"
  }

  private func servingOrigins(_ snapshot: PoolSnapshot) -> Set<OriginID> {
    var origins: Set<OriginID> = []
    for endpoint in snapshot.endpoints where endpoint.state == .healthy && endpoint.role == .primary {
      guard let settings = endpoints.settings[endpoint.id], let origin = endpoints.origins[endpoint.id] else {
        continue
      }
      if endpoint.region != snapshot.region { continue }
      if endpoints.leased[endpoint.id, default: 0] < settings.maxConcurrent ?? .max { origins.insert(origin) }
    }
    return origins
  }
}
