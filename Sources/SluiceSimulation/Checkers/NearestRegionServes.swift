import SluicePolicy

/// The nearest region serves. Others help out only while it is full: nothing of it can be lent, nothing opened for it. It is
/// left only while nobody of it may serve, or for one that is nearer by the margin; one
/// that was out comes back only after it has been well for the hold time; and without need the region changes at most
/// once in that time.
///
/// The pool says when another region serves; whether it may is judged by what facts tell of endpoints and connect
/// times, where they leave no doubt. Judged grants: those of callers who take any slot.
struct NearestRegionServes: SimulationChecker {
  let name = "nearest region serves"
  /// Timers of the world are a little late.
  private static let lateness: Interval = .milliseconds(20)

  private struct Region {
    var wellSince: Instant?
    /// The last moment at which everybody was out.
    var outAt = Instant.distantPast
    var isOut = false
  }

  private var tickets = TicketBook()
  private var room = RoomBook()
  private var balance = BalanceSettings()
  private var names: [String] = []
  private var regions: [Region] = []
  private var regionOf: [EndpointID: Int] = [:]
  private var connectTimes: [OriginID: Interval] = [:]
  private var serving = 0
  private var changedAt = Instant.distantPast
  /// A grant that only a change of region in the same decision explains: the answer to a wish is noted first.
  private var unexplained: (region: Int, problem: String)?
  private var endpoints: EndpointBook { room.endpoints }

  mutating func observe(_ fact: Fact, at now: Instant) -> String? {
    if let unexplained, !fact.isPartOfDecision {
      self.unexplained = nil
      // What the decision closed may have been the room.
      if unexplained.region == serving || !isFull(serving, now) { return unexplained.problem }
    }
    noteRegions(now)
    tickets.observe(fact, at: now)
    room.observe(fact, at: now)
    learn(fact)
    noteRegions(now)
    guard regions.count > 1 else { return nil }
    switch fact {
    case .emitted(.regionChanged(let index)):
      if unexplained?.region == index { unexplained = nil }
      return change(to: index, now)
    case .grantedAtOnce(_, let grant):
      unexplained = judge(grant, tickets.wish, now).map { (regionOf[grant.endpoint] ?? 0, $0) }
      return nil
    case .grantedLater(_, let grant): return judge(grant, tickets.left?.request, now)
    default: return nil
    }
  }

  private mutating func learn(_ fact: Fact) {
    switch fact {
    case .configured(let settings, let layout): configure(settings, layout)
    case .emitted(.resourceOpened(_, let origin, let time)): connectTimes[origin] = time
    default: break
    }
  }

  private mutating func configure(_ settings: PoolSettings, _ layout: PoolLayout) {
    balance = settings.balance
    var found: [String] = []
    for endpoint in settings.endpoints where !found.contains(endpoint.region ?? "") {
      found.append(endpoint.region ?? "")
    }
    if found != names {
      (names, serving, changedAt) = (found, 0, .distantPast)
      regions = found.map { _ in Region() }
    }
    regionOf = [:]
    for (endpoint, id) in zip(settings.endpoints, layout.endpoints) {
      regionOf[id] = names.firstIndex(of: endpoint.region ?? "")
    }
  }

  /// Called before and after each fact: in between nothing changes.
  private mutating func noteRegions(_ now: Instant) {
    guard regions.count > 1 else { return }
    for index in regions.indices {
      if regions[index].isOut { regions[index].outAt = now }
      let members = primaries(index)
      regions[index].isOut = members.allSatisfy { endpoints.isOut($0) }
      if regions[index].isOut { regions[index].outAt = now }
      if !members.contains(where: { endpoints.isWell($0) }) {
        regions[index].wellSince = nil
      } else if regions[index].wellSince == nil {
        regions[index].wellSince = now
      }
    }
  }

  private func isFull(_ region: Int, _ now: Instant) -> Bool {
    room.isFull(primaries(region).filter { endpoints.isWell($0) }, now)
  }

  private func primaries(_ region: Int) -> [EndpointID] {
    endpoints.settings.filter { $0.value.role == .primary && regionOf[$0.key] == region }.map(\.key)
  }

  /// Zero: not known of any of its origins.
  private func distance(_ region: Int) -> Interval {
    primaries(region).compactMap { endpoints.origins[$0].flatMap { connectTimes[$0] } }.min() ?? .zero
  }

  private func isNearer(_ region: Int, than other: Int) -> Bool {
    let (mine, its) = (distance(region), distance(other))
    return mine > .zero && its > .zero && mine < its.scaled(by: 1 - balance.regionMargin)
  }

  // MARK: - Judging

  private mutating func change(to region: Int, _ now: Instant) -> String? {
    guard regions.indices.contains(region) else { return "there is no region \(region)" }
    defer { (serving, changedAt) = (region, now) }
    if regions[region].isOut { return "'\(names[region])' serves although it is out" }
    guard regions[serving].wellSince != nil else { return nil }
    if now - changedAt < balance.regionHold { return "the region changes \(now - changedAt) after the last change" }
    if regions[region].outAt != .distantPast, now - regions[region].outAt < balance.regionHold {
      return "'\(names[region])' is back \(now - regions[region].outAt) after it was out"
    }
    let isKnown = distance(region) > .zero && distance(serving) > .zero
    return !isKnown || isNearer(region, than: serving)
      ? nil : "'\(names[region])' takes over from '\(names[serving])' and is not nearer"
  }

  private func judge(_ grant: Grant, _ request: AcquireRequest?, _ now: Instant) -> String? {
    guard let request, request.takesAnySlot, let region = regionOf[grant.endpoint] else { return nil }
    if region != serving, regions[serving].wellSince != nil {
      return isFull(serving, now)
        ? nil : "'\(names[region])' serves although '\(names[serving])' is well and has room"
    }
    let wait = balance.regionHold + Self.lateness
    guard now - changedAt > wait else { return nil }
    for nearer in regions.indices where nearer != region && isNearer(nearer, than: region) {
      if let since = regions[nearer].wellSince, now - since > wait {
        return "'\(names[region])' serves although '\(names[nearer])' is nearer and well since \(since)"
      }
    }
    return nil
  }
}
