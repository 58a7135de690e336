/// What happens while the region that serves is full: it keeps serving, and the nearest region with room helps out.
///
/// ```
/// alone ─ somebody has waited as long as the way to the next region is longer ─▶ spilling: who finds it full goes on at once
///   ▲                                                                              │
///   └──────────── nobody had to for the hold time, or another region serves ───────┘
/// ```
/// Invariants: nobody is served elsewhere while the region has a slot for them, or one is under way for them, or one more
/// may be opened; while it is spilling nobody waits for it beside a slot elsewhere.
///
/// Waiting as long as the detour costs and then taking it is at most twice as long as the better of the two, however
/// long calls last (the "ski rental" rule: Karlin, Manasse, Rudolph, Sleator 1988).
extension PoolMachine {
  /// For a newcomer, where others help out already. Nobody is overtaken: those who wait come first.
  mutating func spillAtOnce(_ request: AcquireRequest, _ now: Instant) -> Choice? {
    guard regions.isSpilling(now), queue.unrestrictedCount == 0 else { return nil }
    return spill(request, spillable(request, waiting: queue.count + 1, now), now)
  }

  /// For one who cannot wait: there is no room.
  mutating func spillForWantOfRoom(_ request: AcquireRequest, _ now: Instant) -> Choice? {
    guard regions.isActive, !whereElse(request, waiting: 1, now).isEmpty else { return nil }
    regions.spilled(settings.balance, now)
    return spillAtOnce(request, now)
  }

  /// The first of these, by nearness, that has a slot.
  mutating func spill(_ request: AcquireRequest, _ others: EndpointSet, _ now: Instant) -> Choice? {
    var left = others
    while !left.isEmpty {
      let near = endpoints.nearest(of: left)
      left = left.subtracting(near)
      var list = endpoints.list(of: near, .farther)
      if !endpoints.reduced.isEmpty { list = endpoints.sharing(list, now, slowStart: balancer.slowStart) }
      let first = balancer.first(of: list, in: endpoints, affinity: request.affinity, now: now)
      guard let choice = selectFurther(list, first, request, now) else { continue }
      regions.spilled(settings.balance, now)
      return choice
    }
    return nil
  }

  /// Endpoints of other regions that may serve one of those who wait; nobody while each waits for the own region.
  func spillable(_ request: AcquireRequest, _ now: Instant) -> EndpointSet {
    spillable(request, waiting: queue.count, now)
  }

  private func spillable(_ request: AcquireRequest, waiting: Int, _ now: Instant) -> EndpointSet {
    regions.isSpilling(now) ? whereElse(request, waiting: waiting, now) : EndpointSet()
  }

  /// Somebody has been patient for long enough: others help out from now on. False if nothing has changed.
  mutating func beginSpilling(_ now: Instant) -> Bool {
    guard regions.isActive, !regions.isSpilling(now), endpoints.count(.farther) > 0 else { return false }
    let since = now - regions.patience
    let isNeeded = queue.indices.contains {
      queue[$0].isLive && queue[$0].request.arrival <= since
        && !whereElse(queue[$0].request, waiting: queue.count, now).isEmpty
    }
    if isNeeded { regions.spilled(settings.balance, now) }
    return isNeeded
  }

  /// A request waits: sees to it that its patience ends in time.
  mutating func awaitSpilling(_ request: AcquireRequest, _ now: Instant) {
    guard regions.isActive else { return }
    let at = regions.isSpilling(now) ? now : Swift.max(now, request.arrival + regions.patience)
    if at < regionsDue { scheduleRegions(at) }
  }

  /// When the next patience of those who wait ends; one that has ended is seen to by every event.
  func nextPatience(_ now: Instant) -> Instant {
    guard !queue.isEmpty, !regions.isSpilling(now) else { return .distantFuture }
    let patience = regions.patience
    var next = Instant.distantFuture
    for index in queue.indices where queue[index].isLive {
      let end = queue[index].request.arrival + patience
      if end > now { next = Swift.min(next, end) }
    }
    return next
  }

  /// Starts elsewhere what the region that serves cannot give any more.
  mutating func supplyElsewhere(
    _ wanted: Int, waiting: Int, loop: Int, _ now: Instant, _ actions: inout ActionList
  ) {
    guard isExhausted(endpoints.set(.primary), waiting: waiting, now) else { return }
    var missing = wanted
    var left = endpoints.set(.farther)
    while missing > 0, !left.isEmpty {
      let near = endpoints.nearest(of: left)
      left = left.subtracting(near)
      missing = supply(missing, from: endpoints.list(of: near, .farther), loop: loop, now, &actions)
    }
  }

  // MARK: Full

  /// Who else may serve a request for which, with so many waiting, the region that serves is full.
  private func whereElse(_ request: AcquireRequest, waiting: Int, _ now: Instant) -> EndpointSet {
    guard endpoints.count(.farther) > 0, request.pinned == nil else { return EndpointSet() }
    let own = endpoints.set(.primary).subtracting(request.excluding)
    guard isExhausted(own, waiting: waiting, now) else { return EndpointSet() }
    return endpoints.set(.farther).subtracting(request.excluding)
  }

  /// Nothing can be lent for these, nothing more can be opened or verified, and what is under way is not enough for so many.
  private func isExhausted(_ set: EndpointSet, waiting: Int, _ now: Instant) -> Bool {
    var seen = EndpointSet()
    var underWay = 0
    var next = set.next(from: 0)
    while let position = next {
      next = set.next(from: position + 1)
      let origin = Int(endpoints[position].origin)
      if endpoints[position].isSaturated || seen.contains(position: origin) { continue }
      seen.insert(position: origin)
      if hasRoom(origin, now) { return false }
      underWay += supply(of: origin)
    }
    return underWay < waiting
  }

  private func hasRoom(_ origin: Int, _ now: Instant) -> Bool {
    let trusted = trustedSince(now)
    if slots.count(origin, .idle) > 0 || slots.readyElsewhere(origin, loop: 0, trustedSince: trusted) != nil
      || slots.ready(origin, loop: 0, trustedSince: trusted) != nil
    {
      return true
    }
    if origins[origin].isFailing || slots.total(origin) >= settings.connections.max { return false }
    if slots.totals.all < settings.connections.poolMax { return true }
    // An idle one elsewhere goes to make room, one at a time.
    return slots.totals.closing == 0 && coldest(except: origin) != nil
      && slots.count(origin, .connecting) < settings.connections.concurrentConnects
  }
}
