import SluicePolicy

/// Endpoints as the facts tell of them.
struct EndpointBook {
  /// Configured ones with their settings.
  private(set) var settings: [EndpointID: EndpointSettings] = [:]
  private(set) var origins: [EndpointID: OriginID] = [:]
  private(set) var configuredOrigins: [OriginID] = []
  private(set) var ejected: Set<EndpointID> = []
  /// Should be ejected; goes on because too many others are.
  private(set) var failing: Set<EndpointID> = []
  private(set) var leased: [EndpointID: Int] = [:]
  private var drained: Set<EndpointID> = []
  private var rejected: Set<EndpointID> = []
  private var cooling: Set<EndpointID> = []
  /// Those that cool because a limit of their account is used up.
  private var limited: Set<EndpointID> = []
  /// Who was last said to be at a limit, or to fail in another way.
  private var complaint: (about: EndpointID, isLimit: Bool)?
  private var disconnected: Set<OriginID> = []
  private var leases: [LeaseID: EndpointID] = [:]

  /// Configured and not taken out for good.
  func isInService(_ endpoint: EndpointID) -> Bool {
    origins[endpoint] != nil && !drained.contains(endpoint) && !rejected.contains(endpoint)
  }

  /// In service, not cooling, and its origin can be reached as far as is known.
  func isAvailable(_ endpoint: EndpointID) -> Bool {
    guard isInService(endpoint), !cooling.contains(endpoint), let origin = origins[endpoint] else { return false }
    return !disconnected.contains(origin)
  }

  /// Available and without a stain: nothing comes before it but nearness.
  func isWell(_ endpoint: EndpointID) -> Bool {
    isAvailable(endpoint) && !ejected.contains(endpoint) && !failing.contains(endpoint)
  }

  /// Cannot be preferred to one that is well, whatever the state of its connections.
  func isOut(_ endpoint: EndpointID) -> Bool {
    !isInService(endpoint) || cooling.contains(endpoint) || ejected.contains(endpoint) || failing.contains(endpoint)
  }

  /// Whether of those that a request may have, and that may serve at all, each cools because of a limit; nothing where one
  /// cannot be reached besides, of which it depends on times which comes first.
  func onlyLimitsKeepOut(_ request: AcquireRequest) -> Bool? {
    let all = origins.filter { isInService($0.key) && isAllowed($0.key, for: request) }
    guard !all.isEmpty, all.keys.allSatisfy({ limited.contains($0) }) else { return false }
    return all.values.contains { disconnected.contains($0) } ? nil : true
  }

  func isAllowed(_ endpoint: EndpointID, for request: AcquireRequest) -> Bool {
    !request.excluding.contains(endpoint) && (request.pinned ?? endpoint) == endpoint
  }

  mutating func observe(_ fact: Fact) {
    switch fact {
    case .configured(let settings, let layout): configure(settings, layout)
    case .endpointDrained(let endpoint): drained.insert(endpoint)
    case .endpointResumed(let endpoint): drained.remove(endpoint)
    case .endpointReset(let endpoint):
      rejected.remove(endpoint)
      cooling.remove(endpoint)
      limited.remove(endpoint)
      ejected.remove(endpoint)
      failing.remove(endpoint)
    case .grantedAtOnce(_, let grant), .grantedLater(_, let grant):
      leases[grant.lease] = grant.endpoint
      leased[grant.endpoint, default: 0] += 1
    case .released(let lease, let report, _):
      guard let endpoint = leases.removeValue(forKey: lease) else { break }
      leased[endpoint, default: 0] -= 1
      complaint = (endpoint, report.result == .failed(.rateLimited))
    case .quotaHeard(let endpoint, _, _): complaint = (endpoint, true)
    case .emitted(let event): observe(event)
    default: break
    }
  }

  private mutating func observe(_ event: PoolEvent) {
    switch event {
    case .endpointEjected(let endpoint, _):
      ejected.insert(endpoint)
      failing.remove(endpoint)
    case .endpointFailing(let endpoint): failing.insert(endpoint)
    case .endpointRecovered(let endpoint):
      ejected.remove(endpoint)
      failing.remove(endpoint)
    case .endpointCooling(let endpoint, _):
      cooling.insert(endpoint)
      let isLimit = complaint?.about == endpoint && complaint?.isLimit == true
      if isLimit { limited.insert(endpoint) } else { limited.remove(endpoint) }
    case .endpointCooled(let endpoint):
      cooling.remove(endpoint)
      limited.remove(endpoint)
    case .credentialRejected(let endpoint, _): rejected.insert(endpoint)
    case .originDisconnected(let origin): disconnected.insert(origin)
    case .originReconnected(let origin): disconnected.remove(origin)
    default: break
    }
  }

  private mutating func configure(_ settings: PoolSettings, _ layout: PoolLayout) {
    self.settings = [:]
    origins = [:]
    configuredOrigins = layout.origins
    for (endpoint, id) in zip(settings.endpoints, layout.endpoints) {
      self.settings[id] = endpoint
      origins[id] = layout.origins[endpoint.origin]
    }
    ejected.formIntersection(layout.endpoints)
    failing.formIntersection(layout.endpoints)
    // A reload gives rejected credentials another chance.
    rejected = []
  }
}
