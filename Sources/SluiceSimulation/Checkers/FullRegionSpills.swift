import SluicePolicy

/// Where the region that serves is full, another one helps out: for those who have waited for as long as the way there
/// is longer, and for everybody until nobody has needed it for the hold time. Before that, callers wait for their own.
///
/// Judged grants: of callers who take any slot, by a region that does not serve, while the one that does is well (that it
/// is full then says `NearestRegionServes`). And at the moments of a snapshot: nobody waits much longer than that beside a
/// slot of another region, nor beside one where something might be opened and nothing is. How much longer a way is say
/// the connect times; where one is not known, a second at most.
struct FullRegionSpills: SimulationChecker {
  let name = "a full region spills"
  /// Timers of the world are a little late.
  private static let lateness: Interval = .milliseconds(30)
  private static let rounding: Interval = .milliseconds(1)

  private var tickets = TicketBook()
  private var room = RoomBook()
  private var map = RegionMap()
  private var hold = Interval.zero
  private var capacity = 0
  private var spillsUntil = Instant.distantPast
  /// A grant that only a change of region in the same decision explains: the answer to a wish is noted first.
  private var unexplained: (region: Int, problem: String)?

  mutating func observe(_ fact: Fact, at now: Instant) -> String? {
    if let unexplained, !fact.isPartOfDecision { return unexplained.problem }
    notePatience(now)
    tickets.observe(fact, at: now)
    room.observe(fact, at: now)
    map.observe(fact)
    switch fact {
    case .configured(let settings, _): (hold, capacity) = (settings.balance.regionHold, settings.queue.capacity)
    case .emitted(.regionChanged(let index)):
      if unexplained?.region == index { unexplained = nil }
    case .grantedAtOnce(_, let grant): unexplained = judge(grant, tickets.wish, now)
    case .grantedLater(_, let grant): return judge(grant, tickets.left?.request, now)?.problem
    case .snapshot(let snapshot) where snapshot.state == .open && map.count > 1: return judgeWaiting(now)
    default: break
    }
    return nil
  }

  /// Before each fact: whoever is served or leaves by it has waited until now.
  private mutating func notePatience(_ now: Instant) {
    guard map.count > 1, let oldest = tickets.waiting.values.filter({ $0.request.pinned == nil }).map(\.since).min()
    else { return }
    if now - oldest >= detours.least - Self.rounding { spillsUntil = max(spillsUntil, now + hold) }
  }

  private mutating func judge(_ grant: Grant, _ request: AcquireRequest?, _ now: Instant) -> (
    region: Int, problem: String
  )? {
    guard let request, request.pinned == nil, map.count > 1, let region = map.regionOf[grant.endpoint],
      region != map.serving, well(map.serving).count > 0
    else { return nil }
    let isInNeed = now <= spillsUntil || capacity <= PriorityClass.allCases.count
    if isInNeed { spillsUntil = max(spillsUntil, now + hold) }
    if isInNeed || !request.takesAnySlot { return nil }
    return (region, "'\(map.names[region])' helps out although nobody has waited for long")
  }

  private func judgeWaiting(_ now: Instant) -> String? {
    let own = well(map.serving)
    let patience = detours.most + Self.lateness
    guard !own.isEmpty, room.isFull(own, now), !room.isUnderWay(Set(own.compactMap { room.endpoints.origins[$0] })),
      let oldest = tickets.waiting.values.filter({ $0.request.takesAnySlot && $0.request.deadline > now })
        .map(\.since).min(), now - oldest > patience
    else { return nil }
    let others = map.regionOf.keys.filter { map.regionOf[$0] != map.serving && isWell($0) }
    if let other = others.first(where: { room.hasSlot($0, now) }) {
      return "somebody waits since \(oldest) in a full region, and \(other) in another one has a slot"
    }
    let all = Set(room.resources.entries.values.map(\.origin))
    guard !room.isUnderWay(all), let other = others.first(where: { room.mayOpen(for: $0) }) else { return nil }
    return "somebody waits since \(oldest) in a full region, and nothing is opened for \(other) in another one"
  }

  // MARK: - What is known

  private func isWell(_ endpoint: EndpointID) -> Bool {
    room.endpoints.settings[endpoint]?.role == .primary && room.endpoints.isWell(endpoint)
  }

  private func well(_ region: Int) -> [EndpointID] {
    map.regionOf.filter { $0.value == region && isWell($0.key) }.map(\.key)
  }

  /// By how much other regions are farther away, at least and at most.
  private var detours: (least: Interval, most: Interval) {
    var (least, most) = (Interval.max, Interval.zero)
    for region in 0..<map.count where region != map.serving {
      let (here, there) = (distance(map.serving), distance(region))
      let isKnown = here > .zero && there > .zero
      least = min(least, isKnown ? max(.zero, there - here) : .zero)
      most = max(most, isKnown ? there - here : .seconds(1))
    }
    return (least, most)
  }

  private func distance(_ region: Int) -> Interval { map.distance(region, in: room.endpoints) }
}
