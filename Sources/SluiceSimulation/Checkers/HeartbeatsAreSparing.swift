import SluicePolicy

/// A heartbeat goes out where it is of use and nowhere else: on an open resource that nobody has, of an origin where
/// fewer are lent than are to be kept; one at a time; not before the first use (unless a minimum is kept) nor after the
/// time to keep warm; never from a pool that is paused or ends; and not sooner than the settings allow, for traffic and
/// what opened lately prove the path by themselves. And it does go out: at rest, as many paths as are to be kept have not
/// been silent for longer; what was said on a resource that closed since counts, for the path is the same. From one that
/// answered, however badly, nothing is learned about how long paths live.
///
/// Soonest: the fixed interval less its jitter, with `auto` the shortest; after a failure the shortest in any case. Where
/// several are kept half of that, and two of the same origin not within half of what an even spread would have between
/// them.
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
  /// The last signs on resources that are gone, the latest first, as many as may be kept.
  private var lastSignsOfGone: [OriginID: [Instant]] = [:]
  private var beating: [OriginID: ResourceID] = [:]
  private var lastBeat: [OriginID: Instant] = [:]
  /// How long each that beats had been silent.
  private var silence: [ResourceID: Interval] = [:]
  /// What has just answered what cannot be read.
  private var unreadable: (silence: Interval, at: Instant)?
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
    let signs = (lastSignsOfGone[origin] ?? []) + [sign]
    lastSignsOfGone[origin] = Array(signs.sorted(by: >).prefix(max(1, limits.min)))
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
      if let origin = endpoints.origins[endpoint] {
        beating[origin] = id
        lastBeat[origin] = now
      }
      silence[id] = lastSign[id].map { now - $0 }
    case .heartbeatEnded(let id, let went):
      if went == .unreadable, let silence = silence[id] { unreadable = (silence, now) }
      ended(id, went, now)
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
    silence[id] = nil
    if end == .well { doubted.remove(origin) } else { doubted.insert(origin) }
    if end != .failed || resources.entries[id] != nil { lastSign[id] = now }
  }

  private func judge(_ fact: Fact, _ now: Instant) -> String? {
    switch fact {
    case .heartbeatAsked(let id, let endpoint): judge(id, endpoint, now)
    case .settled: judgeRest(now)
    case .emitted(.pathDied(let origin, let after)):
      if let unreadable, unreadable.at == now, unreadable.silence == after {
        "\(origin) answered, and its path was taken for dead"
      } else {
        nil
      }
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
    if inUse(origin, now) >= kept(origin, now) { return "a heartbeat at \(origin), where traffic proves the path" }
    return judgeTime(id, origin, now)
  }

  /// What is too old drains and keeps nothing.
  private func inUse(_ origin: OriginID, _ now: Instant) -> Int {
    let youth = limits.maxAge == .max ? .max : limits.maxAge.scaled(by: 1 - limits.jitter)
    return resources.entries.count {
      $0.value.origin == origin && $0.value.leased > 0 && $0.value.isUsable && now - $0.value.openedAt < youth
    }
  }

  private func kept(_ origin: OriginID, _ now: Instant) -> Int {
    let isWarm = lastUse[origin].map { now - $0 <= limits.keepWarm } ?? false
    return max(limits.min, isWarm ? 1 : 0)
  }

  private func judgeTime(_ id: ResourceID, _ origin: OriginID, _ now: Instant) -> String? {
    guard let soonest = soonest(at: origin) else { return "a heartbeat although they are off" }
    let isShared = limits.min > 1
    let early = isShared ? soonest.scaled(by: 0.499) : soonest
    if let sign = lastSign[id], now - sign < early { return "a heartbeat on \(id) after only \(now - sign)" }
    if isShared, let last = lastBeat[origin], now - last < early.scaled(by: 1 / Double(limits.min)) {
      return "a heartbeat at \(origin) only \(now - last) after the one before"
    }
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
    for origin in endpoints.configuredOrigins where isInService(origin) && beating[origin] == nil {
      let open = resources.entries.filter { $0.value.origin == origin && $0.value.isUsable }
      let idle = open.filter { !$0.value.isUncertain && $0.value.leased == 0 }
      let signs = idle.keys.compactMap { lastSign[$0] } + (lastSignsOfGone[origin] ?? [])
      let heard = open.count - idle.count + signs.count { now - $0 <= patience }
      let least = min(kept(origin, now), open.count)
      if heard < least { return "of \(least) at \(origin) only \(heard) have shown a sign of life lately" }
    }
    return nil
  }

  private func isInService(_ origin: OriginID) -> Bool {
    endpoints.origins.contains { $0.value == origin && endpoints.isInService($0.key) }
  }
}
