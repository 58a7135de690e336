extension PoolMachine {
  // MARK: For those who wait

  /// Starts what the waiting tickets lack: verification of idle resources first, else new ones. Tickets are never
  /// tied to what is started for them; they take whichever allowed slot comes first. A wish that was refused because
  /// there is no room to wait counts like one more that waits: a pool without a queue grows by it.
  mutating func provision(_ now: Instant, _ actions: inout ActionList, refused: AcquireRequest? = nil) {
    guard mode == .open || mode == .draining, !queue.isEmpty || refused != nil else { return }
    claims.removeAll(keepingCapacity: true)
    let special = refused.flatMap { $0.isRestricted ? $0 : nil }
    if !queue.restricted.isEmpty || special != nil { provisionRestricted(and: special, now, &actions) }
    let wanted = queue.unrestrictedCount + (refused != nil && special == nil ? 1 : 0)
    guard wanted > 0, let list = endpoints.candidates() else { return }
    let loop = (refused ?? queue.head().map { queue[$0].request }).map { home($0.loop) } ?? 0
    let missing = supply(wanted, from: list, loop: loop, now, &actions)
    if missing > 0, regions.isSpilling(now) { supplyElsewhere(missing, waiting: wanted, loop: loop, now, &actions) }
  }

  /// Starts what so many lack at these candidates; how many it is not enough for.
  mutating func supply(
    _ wanted: Int, from candidates: CandidateList, loop: Int, _ now: Instant, _ actions: inout ActionList
  ) -> Int {
    var missing = wanted - supply(of: candidates)
    guard missing > 0 else { return 0 }
    var list = candidates
    if !endpoints.reduced.isEmpty { list = endpoints.sharing(list, now, slowStart: balancer.slowStart) }
    var turn = balancer.first(of: list, in: endpoints, now: now)
    while missing > 0 {
      let gained = supplyOne(list, from: turn % list.count, loop: loop, now, &actions)
      if gained == 0 { break }
      missing -= gained
      turn += 1
    }
    return missing
  }

  /// Slots under way at the candidates' origins, without those claimed by restricted tickets.
  private func supply(of list: CandidateList) -> Int {
    var seen = EndpointSet()
    var sum = 0
    for offset in 0..<list.count {
      let origin = Int(endpoints[endpoints.member(list.base + offset)].origin)
      if seen.contains(position: origin) { continue }
      seen.insert(position: origin)
      sum += supply(of: origin) - (origin < claims.count ? claims[origin] : 0)
    }
    return sum
  }

  /// A heartbeat may take as long as a call: nobody waits for what it will bring.
  func supply(of origin: Int) -> Int {
    let beating = origins[origin].heartbeat == nil ? 0 : 1
    return (slots.count(origin, .connecting) + slots.count(origin, .verifying) - beating)
      * Int(origins[origin].capacity)
  }

  /// Starts one verification or connect at the first candidate where that is possible; the slots it may bring.
  private mutating func supplyOne(
    _ list: CandidateList, from first: Int, loop: Int, _ now: Instant, _ actions: inout ActionList
  ) -> Int {
    for step in 0..<list.count {
      let offset = (first + step) % list.count
      let position = endpoints.member(list.base + offset)
      if endpoints[position].isSaturated { continue }
      let gained = supply(at: Int(endpoints[position].origin), loop: loop, now, &actions)
      if gained > 0 { return gained }
    }
    makeRoomInPool(for: list, now, &actions)
    return 0
  }

  private mutating func supply(
    at origin: Int, loop: Int, _ now: Instant, _ actions: inout ActionList
  ) -> Int {
    if let stale = promising(origin, loop: loop, now) {
      let capacity = Int(slots[stale].capacity)
      verify(stale, turn: false, now, &actions)
      return Swift.max(1, capacity)
    }
    guard canGrow(origin, now) else { return 0 }
    connect(origin, loop: loop, now, &actions)
    return Swift.max(1, Int(origins[origin].capacity))
  }

  /// The idle resource to verify for somebody who waits: on their loop, unless that one has been silent for so long that
  /// it may be forgotten on the way, while heartbeats have kept another.
  private func promising(_ origin: Int, loop: Int, _ now: Instant) -> Int? {
    guard let home = slots.stale(origin, loop: loop, trustedSince: trustedSince(now)) else { return nil }
    guard now - slots[home].lastTrusted > silence(of: origin, now), let kept = slots.hottest(origin) else {
      return home
    }
    return slots[kept].lastTrusted > slots[home].lastTrusted ? kept : home
  }

  /// Each restricted ticket claims one slot under way at an origin that may serve it, or starts one.
  private mutating func provisionRestricted(
    and refused: AcquireRequest?, _ now: Instant, _ actions: inout ActionList
  ) {
    claims.append(contentsOf: repeatElement(0, count: origins.count))
    for index in queue.restricted { claimOrStart(queue[Int(index)].request, now, &actions) }
    if let refused { claimOrStart(refused, now, &actions) }
  }

  private mutating func claimOrStart(
    _ request: AcquireRequest, _ now: Instant, _ actions: inout ActionList
  ) {
    guard let (set, _) = endpoints.allowed(request), !claim(set, request) else { return }
    if start(for: set, request, now, &actions) { return }
    let others = endpoints.nearest(of: spillable(request, now))
    if !others.isEmpty, !claim(others, request) { _ = start(for: others, request, now, &actions) }
  }

  private mutating func claim(_ set: EndpointSet, _ request: AcquireRequest) -> Bool {
    var next = set.next(from: 0)
    while let position = next {
      let origin = Int(endpoints[position].origin)
      if (request.freshOnly ? slots.freshUnderWay(origin) : supply(of: origin)) > claims[origin] {
        claims[origin] += 1
        return true
      }
      next = set.next(from: position + 1)
    }
    return false
  }

  /// Whether something was started.
  private mutating func start(
    for set: EndpointSet, _ request: AcquireRequest, _ now: Instant, _ actions: inout ActionList
  ) -> Bool {
    let loop = home(request.loop)
    var next = set.next(from: 0)
    while let position = next {
      let origin = Int(endpoints[position].origin)
      next = set.next(from: position + 1)
      if endpoints[position].isSaturated { continue }
      if !request.freshOnly {
        if supply(at: origin, loop: loop, now, &actions) > 0 {
          claims[origin] += 1
          return true
        }
      } else if let unused = slots.fresh(origin, loop: loop, trustedSince: .distantPast) {
        // It never served but has been idle for too long to be trusted.
        claims[origin] += 1
        verify(unused, turn: false, now, &actions)
        return true
      } else if canGrow(origin, now) {
        connect(origin, loop: loop, now, &actions)
        claims[origin] += 1
        return true
      }
      makeRoomInPool(at: origin, now, &actions)
    }
    return false
  }

  // MARK: Making room

  /// A ticket that needs a fresh resource comes before others, but the origin is full: one idle resource goes.
  mutating func makeRoomForFresh(_ now: Instant, _ actions: inout ActionList) {
    guard slots.totals.closing == 0, let index = queue.firstRestricted(where: { $0.freshOnly }) else { return }
    if let head = queue.head(), queue.precedes(head, index) { return }
    guard let (set, _) = endpoints.allowed(queue[index].request) else { return }
    var next = set.next(from: 0)
    while let position = next {
      let origin = Int(endpoints[position].origin)
      if slots.freshUnderWay(origin) > 0 || canGrow(origin, now) { return }
      if slots.fresh(origin, loop: 0, trustedSince: .distantPast) != nil { return }
      if isFull(origin), !origins[origin].isFailing, let cold = slots.coldest(origin) {
        return close(cold, .recycled, now, &actions)
      }
      next = set.next(from: position + 1)
    }
  }

  private mutating func makeRoomInPool(for list: CandidateList, _ now: Instant, _ actions: inout ActionList) {
    for offset in 0..<list.count {
      let position = endpoints.member(list.base + offset)
      if !endpoints[position].isSaturated {
        makeRoomInPool(at: Int(endpoints[position].origin), now, &actions)
      }
    }
  }

  /// The origin may grow but the pool may not: an idle resource of another origin goes. One at a time.
  private mutating func makeRoomInPool(at origin: Int, _ now: Instant, _ actions: inout ActionList) {
    guard slots.totals.all >= settings.connections.poolMax, slots.totals.closing == 0,
      slots.total(origin) < settings.connections.max, mayConnect(origin, now)
    else { return }
    if let cold = coldest(except: origin) { close(cold, .excess, now, &actions) }
  }

  /// The coldest idle resource of the origin that has most of them.
  func coldest(except origin: Int?) -> Int? {
    var best: Int?
    for other in origins.positions where other != origin && slots.count(other, .idle) > 0 {
      if best.map({ slots.count(other, .idle) > slots.count($0, .idle) }) ?? true { best = other }
    }
    return best.flatMap { slots.coldest($0) }
  }

  /// Closes idle resources until the limits hold, or nothing idle is left: the rest goes as it returns.
  mutating func shrink(_ now: Instant, _ actions: inout ActionList) {
    for origin in origins.positions {
      while slots.staying(origin) + slots.count(origin, .draining) > settings.connections.max,
        let cold = slots.coldest(origin)
      {
        close(cold, .excess, now, &actions)
      }
    }
    while slots.totals.all - slots.totals.closing > settings.connections.poolMax, let cold = coldest(except: nil) {
      close(cold, .excess, now, &actions)
    }
  }

  // MARK: Ahead of demand

  /// Opens what the planner wants beyond what is there, as far as that is allowed now.
  mutating func plan(_ origin: Int, _ now: Instant, _ actions: inout ActionList) {
    guard mode == .open, !origins[origin].isRemoved, slots.staying(origin) < settings.connections.max else { return }
    var missing = wanted(origin, now) - slots.staying(origin)
    while missing > 0, canGrow(origin, now) {
      connect(origin, loop: slots.emptiestLoop(origin), now, &actions)
      missing -= 1
    }
  }

  /// After those who wait: every origin gets what it is to have in any case. Most of them plan for themselves when
  /// something of theirs changes, but room in a full pool comes from others.
  mutating func restock(_ now: Instant, _ actions: inout ActionList) {
    needsRestock = false
    for origin in origins.positions { plan(origin, now, &actions) }
  }

  /// An idle resource that its origin can do without takes the room in the pool of one that another is to have in any
  /// case. Matters where idle resources are kept for long.
  func crowdsOut(_ origin: Int, _ now: Instant) -> Bool {
    guard slots.totals.all >= settings.connections.poolMax, slots.totals.closing == 0 else { return false }
    return origins.positions.contains {
      $0 != origin && slots.staying($0) < floor($0, now) && mayConnect($0, now)
    }
  }

  mutating func wanted(_ origin: Int, _ now: Instant) -> Int {
    let expected = origins[origin].arrivals.expected(during: origins[origin].connectTime, now: now)
    let waitingShare = queue.isEmpty ? 0 : queue.count / Swift.max(1, origins.places.used)
    let planner = WarmPlanner(
      ratio: settings.connections.warmRatio, utilization: settings.connections.slotUtilization,
      max: settings.connections.max)
    return planner.wanted(
      demand: slots.leased(origin) + waitingShare, expected: expected, capacity: Int(origins[origin].capacity),
      connecting: slots.count(origin, .connecting), open: slots.open(origin), room: slots.room(origin),
      floor: floor(origin, now))
  }

  /// Kept open in any case: the minimum, and one for a while after the last use.
  func floor(_ origin: Int, _ now: Instant) -> Int {
    let record = origins[origin]
    if record.isRemoved || mode == .draining || mode == .closed { return 0 }
    let isWarm = record.lastUsed != .distantPast && now - record.lastUsed < settings.connections.keepWarm
    let least = Swift.max(settings.connections.min, isWarm ? 1 : 0)
    if least == 0 { return 0 }
    let isOfUse = endpoints.positions.contains {
      Int(endpoints[$0].origin) == origin && endpoints[$0].isInService
    }
    return isOfUse ? least : 0
  }

  /// The caller's loop had no slot here and borrowed: next time it shall have its own.
  mutating func growHere(_ origin: Int, loop: Int, _ now: Instant, _ actions: inout ActionList) {
    guard !slots.hasSupply(origin, loop: loop) else { return }
    if let stale = slots.stale(origin, loop: loop, trustedSince: trustedSince(now)),
      Int(slots[stale].loop) == loop
    {
      return verify(stale, turn: false, now, &actions)
    }
    if mode == .open, canGrow(origin, now) { connect(origin, loop: loop, now, &actions) }
  }

  // MARK: Limits

  func isFull(_ origin: Int) -> Bool {
    slots.total(origin) >= settings.connections.max || slots.totals.all >= settings.connections.poolMax
  }

  func canGrow(_ origin: Int, _ now: Instant) -> Bool { !isFull(origin) && mayConnect(origin, now) }

  /// A few attempts at once; a single one while they fail, after the pause.
  private func mayConnect(_ origin: Int, _ now: Instant) -> Bool {
    let record = origins[origin]
    if record.isRemoved { return false }
    let connecting = slots.count(origin, .connecting)
    if record.isFailing { return connecting == 0 && now >= record.retryAt }
    return connecting < settings.connections.concurrentConnects
  }

  // MARK: Starting and ending

  mutating func connect(_ origin: Int, loop: Int, _ now: Instant, _ actions: inout ActionList) {
    let index = slots.add(origin: origin, loop: loop, now: now)
    let id = slots.id(index)
    let deadline = now + settings.connections.connectTimeout
    schedule(index, deadline + Self.answerGrace)
    counters.connectsStarted &+= 1
    journal.record(.connecting, now, place: origin, subject: id.index, detail: UInt32(loop))
    actions.append(.connect(id, origins[origin].id, LoopID(loop), deadline: deadline))
  }

  mutating func verify(_ index: Int, turn: Bool, _ now: Instant, _ actions: inout ActionList) {
    slots.startVerifying(index, turn: turn)
    let deadline = now + settings.connections.verifyTimeout
    schedule(index, deadline)
    counters.verifications &+= 1
    let id = slots.id(index)
    journal.record(.verifying, now, place: Int(slots[index].origin), subject: id.index)
    actions.append(.verify(id, deadline: deadline))
  }

  /// Has the driver close a resource; its index stays reserved until that is confirmed.
  mutating func close(_ index: Int, _ reason: CloseReason, _ now: Instant, _ actions: inout ActionList) {
    let wasOpen = slots[index].state != .connecting
    let id = slots.id(index)
    let origin = Int(slots[index].origin)
    _ = takeHeartbeat(index)
    slots.startClosing(index, reason)
    schedule(index, now + settings.connections.closeGrace)
    counters.closed.count(reason)
    journal.record(.closing, now, note: reason.rawValue, place: origin, subject: id.index)
    actions.append(.close(id, reason))
    if wasOpen { actions.append(.emit(.resourceClosed(id, origins[origin].id, reason))) }
    noteLoss(origin, &actions)
  }

  /// Replaces a resource's deadline.
  mutating func schedule(_ index: Int, _ at: Instant) {
    var token = slots.takeDeadline(index)
    deadlines.cancel(&token)
    slots.setDeadline(
      index,
      deadlines.insert(at, .resource, index: UInt32(index), generation: slots[index].generation))
  }
}
