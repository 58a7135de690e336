import SluicePolicy

/// A grant keeps to what its caller asked for, and to endpoints that may serve: configured, not drained, not cooling,
/// not rejected; and not above their own limit.
struct GrantsAreEligible: SimulationChecker {
  let name = "grants are eligible"
  private var wishes: [CallID: AcquireRequest] = [:]
  private var waiting: [TicketID: AcquireRequest] = [:]
  private var origins: [EndpointID: OriginID] = [:]
  private var limits: [EndpointID: Int] = [:]
  private var drained: Set<EndpointID> = []
  private var rejected: Set<EndpointID> = []
  private var coolingUntil: [EndpointID: Instant] = [:]
  private var heardAt: [EndpointID: Instant] = [:]
  private var leases: [LeaseID: Grant] = [:]
  private var served: Set<ResourceID> = []
  private var health = HealthSettings()

  mutating func observe(_ fact: Fact, at now: Instant) -> String? {
    switch fact {
    case .configured(let settings, let layout): configure(settings, layout)
    case .wished(let call, let request): wishes[call] = request
    case .queued(let call, let ticket): waiting[ticket] = wishes.removeValue(forKey: call)
    case .grantedAtOnce(let call, let grant):
      return judge(wishes.removeValue(forKey: call), grant, now)
    case .grantedLater(let ticket, let grant):
      return judge(waiting.removeValue(forKey: ticket), grant, now)
    case .released(let lease, let report, _):
      guard let grant = leases.removeValue(forKey: lease) else { return nil }
      if report.result != .unused { served.insert(grant.resource) }
      learn(report, grant.endpoint, now)
    case .endpointDrained(let endpoint): drained.insert(endpoint)
    case .endpointResumed(let endpoint): drained.remove(endpoint)
    case .endpointReset(let endpoint): reset(endpoint)
    case .quotaHeard(let endpoint, let moment, let pause): hear(endpoint, moment, pause, now)
    default: break
    }
    return nil
  }

  private mutating func configure(_ settings: PoolSettings, _ layout: PoolLayout) {
    health = settings.health
    origins = [:]
    limits = [:]
    for (endpoint, id) in zip(settings.endpoints, layout.endpoints) {
      origins[id] = layout.origins[endpoint.origin]
      limits[id] = endpoint.maxConcurrent
    }
    // A reload gives rejected credentials another chance.
    rejected = []
  }

  private mutating func reset(_ endpoint: EndpointID) {
    rejected.remove(endpoint)
    coolingUntil[endpoint] = nil
  }

  private mutating func learn(_ report: ExchangeReport, _ endpoint: EndpointID, _ now: Instant) {
    guard report.scope == .endpoint, case .failed(let failure) = report.result else { return }
    switch failure {
    case .credential, .quota: rejected.insert(endpoint)
    case .rateLimited: cool(endpoint, report.coolFor ?? health.defaultCooling, now)
    case .overloaded, .server, .network, .timeout, .protocolError: cool(endpoint, report.coolFor ?? .zero, now)
    case .caller, .contentPolicy, .contextLength, .cancelled: break
    }
  }

  /// The latest word counts, whenever it comes.
  private mutating func hear(_ endpoint: EndpointID, _ moment: Instant, _ pause: Interval?, _ now: Instant) {
    guard origins[endpoint] != nil, moment >= heardAt[endpoint] ?? .distantPast else { return }
    heardAt[endpoint] = moment
    if let pause { cool(endpoint, pause, now) }
  }

  /// A provider's word is kept, but not for longer than the pool is willing to.
  private mutating func cool(_ endpoint: EndpointID, _ span: Interval, _ now: Instant) {
    coolingUntil[endpoint] = max(coolingUntil[endpoint] ?? now, now + min(span, health.coolingMax))
  }

  private mutating func judge(_ request: AcquireRequest?, _ grant: Grant, _ now: Instant) -> String? {
    guard let request else { return "a grant for nobody" }
    let endpoint = grant.endpoint
    if request.excluding.contains(endpoint) { return "\(endpoint) was excluded by its caller" }
    if let pinned = request.pinned, pinned != endpoint {
      return "\(endpoint) instead of the pinned \(pinned)"
    }
    if request.freshOnly && served.contains(grant.resource) {
      return "\(grant.resource) has served, a fresh one was asked for"
    }
    guard let origin = origins[endpoint] else { return "\(endpoint) is not configured" }
    if origin != grant.origin { return "\(endpoint) belongs to \(origin), not \(grant.origin)" }
    if drained.contains(endpoint) { return "\(endpoint) is drained" }
    if rejected.contains(endpoint) { return "\(endpoint)'s credential was rejected" }
    if let until = coolingUntil[endpoint], now < until { return "\(endpoint) cools until \(until)" }
    if now > request.deadline + .milliseconds(5) {
      return "granted \(now - request.deadline) after the deadline"
    }
    leases[grant.lease] = grant
    if let limit = limits[endpoint], leases.values.count(where: { $0.endpoint == endpoint }) > limit {
      return "\(endpoint) lent beyond its own limit of \(limit)"
    }
    return nil
  }
}
