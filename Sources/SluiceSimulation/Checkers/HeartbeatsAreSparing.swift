import SluicePolicy

/// A heartbeat goes out where it is of use and nowhere else: on an open resource that nobody has, of an origin where
/// nothing is lent; one at a time; not before the first use (unless a minimum is kept) nor after the time to keep warm;
/// never from a pool that is paused or ends; and not sooner than the settings allow, for traffic and what opened lately
/// prove the path by themselves. And it does go out: at rest, no path that is to be kept has been silent for longer; what
/// was said on a resource that closed since counts, for the path is the same.
///
/// Soonest: the fixed interval less its jitter, with `auto` the shortest; after a failure the shortest in any case.
struct HeartbeatsAreSparing: SimulationChecker {
  let name = "heartbeats are sparing"
  private var resources = ResourceBook()
  private var endpoints = EndpointBook()
  private var settings = HeartbeatSettings()
  private var limits = ConnectionSettings()
  private var timeout = Interval.zero
  private var isOpen = true
  private var lastUse: [OriginID: Instant] = [:]
  /// Last use, opening or heartbeat.
  private var lastSign: [ResourceID: Instant] = [:]
  /// The last sign on resources that are gone.
  private var lastSignOfGone: [OriginID: Instant] = [:]
  private var beating: [OriginID: ResourceID] = [:]
  private var doubted: Set<OriginID> = []
  private var calmSince = Instant.distantFuture

  mutating func observe(_ fact: Fact, at now: Instant) -> String? {
    // The wish is judged by what was known before it.
    let problem = judge(fact, now)
    noteClosing(fact)
    resources.observe(fact, at: now)
    endpoints.observe(fact)
    note(fact, now)
    return problem
  }

  private mutating func noteClosing(_ fact: Fact) {
    guard case .closeAsked(let id, _) = fact, let origin = resources.entries[id]?.origin, let sign = lastSign[id] else {
      return
    }
    lastSignOfGone[origin] = max(lastSignOfGone[origin] ?? .distantPast, sign)
  }

  private mutating func note(_ fact: Fact, _ now: Instant) {
    switch fact {
    case .configured(let new, _):
      settings = new.heartbeat
      limits = new.connections
      timeout = new.health.timeout
    case .paused, .drainBegan, .closeBegan: isOpen = false
    case .resumed: isOpen = true
    case .faultsStopped: calmSince = now
    case .grantedAtOnce(_, let grant), .grantedLater(_, let grant): lastUse[grant.origin] = now
    case .connectSucceeded(let id, _): lastSign[id] = now
    case .released(let lease, let report, _):
      if report.result != .unused, let id = released[lease] { lastSign[id] = now }
      released[lease] = nil
    case .heartbeatAsked(let id, let endpoint):
      if let origin = endpoints.origins[endpoint] { beating[origin] = id }
    case .heartbeatEnded(let id, let went): ended(id, went, now)
    case .closeAsked(let id, _), .closed(let id): ended(id, .failed, now)
    default: break
    }
    if case .grantedAtOnce(_, let grant) = fact { released[grant.lease] = grant.resource }
    if case .grantedLater(_, let grant) = fact { released[grant.lease] = grant.resource }
  }

  private var released: [LeaseID: ResourceID] = [:]

  private mutating func ended(_ id: ResourceID, _ end: HeartbeatEnd, _ now: Instant) {
    guard let origin = beating.first(where: { $0.value == id })?.key else { return }
    beating[origin] = nil
    if end == .well { doubted.remove(origin) } else { doubted.insert(origin) }
    if end != .failed || resources.entries[id] != nil { lastSign[id] = now }
  }

  private func judge(_ fact: Fact, _ now: Instant) -> String? {
    switch fact {
    case .heartbeatAsked(let id, let endpoint): judge(id, endpoint, now)
    case .settled: judgeRest(now)
    default: nil
    }
  }

  private func judge(_ id: ResourceID, _ endpoint: EndpointID, _ now: Instant) -> String? {
    guard isOpen else { return "a heartbeat from a pool that is not open" }
    guard endpoints.isInService(endpoint), let origin = endpoints.origins[endpoint] else {
      return "a heartbeat for \(endpoint), which does not serve"
    }
    guard let resource = resources.entries[id], resource.isUsable, resource.origin == origin else {
      return "a heartbeat on \(id), which is not open or not of \(origin)"
    }
    if resource.isUncertain { return "a heartbeat on \(id), which is under verification" }
    if let other = beating[origin] { return "a second heartbeat at \(origin), beside \(other)" }
    if resources.entries.contains(where: { $0.value.origin == origin && $0.value.leased > 0 }) {
      return "a heartbeat at \(origin), where traffic proves the path"
    }
    return judgeTime(id, origin, now)
  }

  private func judgeTime(_ id: ResourceID, _ origin: OriginID, _ now: Instant) -> String? {
    guard let soonest = soonest(at: origin) else { return "a heartbeat although they are off" }
    if let sign = lastSign[id], now - sign < soonest { return "a heartbeat on \(id) after only \(now - sign)" }
    if limits.min > 0 { return nil }
    guard let use = lastUse[origin] else { return "a heartbeat at \(origin), which was never used" }
    return now - use <= limits.keepWarm ? nil : "a heartbeat at \(origin), unused for \(now - use)"
  }

  private func soonest(at origin: OriginID) -> Interval? {
    let least: Interval? =
      switch settings.pace {
      case .off: nil
      case .auto: settings.shortest
      case .every(let interval): doubted.contains(origin) ? min(interval, settings.shortest) : interval
      }
    return least?.scaled(by: 1 - limits.jitter)
  }

  /// Nothing has been lent for long, nothing fails: whatever is kept has shown a sign of life lately.
  private func judgeRest(_ now: Instant) -> String? {
    let longest: Interval
    switch settings.pace {
    case .off: return nil
    case .auto: longest = settings.longest
    case .every(let interval): longest = interval
    }
    // A look comes an interval after the last one at most, and a failed or unanswered one costs another round.
    let patience = longest + longest + timeout + .seconds(2)
    guard isOpen, now - calmSince > patience + .seconds(15) else { return nil }
    for origin in endpoints.configuredOrigins where keeps(origin, now) && beating[origin] == nil {
      let idle = resources.entries.filter { $0.value.origin == origin && $0.value.isUsable && !$0.value.isUncertain }
      if idle.isEmpty { continue }
      let signs = idle.keys.compactMap { lastSign[$0] } + [lastSignOfGone[origin]].compactMap(\.self)
      if let last = signs.max(), now - last > patience { return "nothing was heard of \(origin) for \(now - last)" }
    }
    return nil
  }

  private func keeps(_ origin: OriginID, _ now: Instant) -> Bool {
    let isWarm = lastUse[origin].map { now - $0 < limits.keepWarm } ?? false
    return (isWarm || limits.min > 0)
      && endpoints.origins.contains { $0.value == origin && endpoints.isInService($0.key) }
  }
}
