/// A slot that can be lent now.
struct Choice: Sendable {
  var endpoint: Int
  var origin: Int
  var resource: Int
  var rank: EndpointRank
  /// Origin that should have had a slot on the caller's loop but had none; -1 if all is well.
  var wish: Int
}

extension PoolMachine {
  /// A wish for a slot: granted at once, queued, or rejected.
  public mutating func acquire(
    _ request: AcquireRequest, now: Instant, into actions: inout ActionList
  ) -> AcquireOutcome {
    counters.acquired &+= 1
    if deadlines.earliest <= now { settle(now, &actions) }
    if mode != .open { return acquireUnlessOpen(request, now, &actions) }
    if request.deadline <= now { return refuse(PoolRejection(reason: .deadline), now) }
    if failingOrigins > 0 { retryFailing(home(request.loop), now, &actions) }
    guard let choice = select(request, now) ?? spillAtOnce(request, now) else { return wait(request, now, &actions) }
    counters.grantedAtOnce &+= 1
    let grant = lend(choice, request, now, &actions)
    arm(&actions)
    return .granted(grant)
  }

  /// The caller no longer waits. `false`: the ticket was served or rejected already.
  public mutating func cancel(_ ticket: TicketID, now: Instant, into actions: inout ActionList) -> Bool {
    guard let index = queue.resolve(ticket) else {
      countStale(ticket.index, ticket.generation, now)
      return false
    }
    dropTicket(index, served: false)
    counters.cancelled &+= 1
    journal.record(.cancelled, now, subject: ticket.index)
    if mode == .draining { settle(now, &actions) }
    arm(&actions)
    return true
  }

  private mutating func acquireUnlessOpen(
    _ request: AcquireRequest, _ now: Instant, _ actions: inout ActionList
  ) -> AcquireOutcome {
    if mode == .draining { return refuse(PoolRejection(reason: .draining), now) }
    if mode == .closed { return refuse(PoolRejection(reason: .closed), now) }
    if request.deadline <= now { return refuse(PoolRejection(reason: .deadline), now) }
    return enqueue(request, now, &actions)
  }

  mutating func refuse(_ rejection: PoolRejection, _ now: Instant) -> AcquireOutcome {
    counters.rejected.count(rejection.reason)
    journal.record(.rejected, now, note: rejection.reason.rawValue, subject: .max)
    var complete = rejection
    complete.numbers = numbers
    return .rejected(complete)
  }

  // MARK: Choosing

  /// The slot for a request: endpoint by standing and balance, then the slot of its origin that is nearest.
  @inline(__always)
  mutating func select(_ request: AcquireRequest, _ now: Instant) -> Choice? {
    let restricted = request.isRestricted
    guard var list = restricted ? endpoints.candidates(allowedBy: request) : endpoints.candidates() else {
      return nil
    }
    if !endpoints.reduced.isEmpty { list = endpoints.sharing(list, now, slowStart: balancer.slowStart) }
    let first = balancer.first(of: list, in: endpoints, affinity: request.affinity, now: now)
    let position = endpoints.member(list.base + first)
    let origin = Int(endpoints[position].origin)
    if !request.freshOnly, !endpoints[position].isSaturated,
      let resource = slots.ready(origin, loop: home(request.loop), trustedSince: trustedSince(now))
    {
      return Choice(endpoint: position, origin: origin, resource: resource, rank: list.rank, wish: -1)
    }
    return selectFurther(list, first, request, now)
  }

  /// The first candidate has nothing on the caller's loop: other loops, then the other candidates in rotation.
  func selectFurther(
    _ list: CandidateList, _ first: Int, _ request: AcquireRequest, _ now: Instant
  ) -> Choice? {
    var wish = -1
    for step in 0..<list.count {
      let offset = first + step < list.count ? first + step : first + step - list.count
      let position = endpoints.member(list.base + offset)
      if endpoints[position].isSaturated { continue }
      let origin = Int(endpoints[position].origin)
      if wish < 0 { wish = origin }
      if let (resource, isHome) = slot(of: origin, request, now) {
        let content = isHome && wish == origin
        return Choice(
          endpoint: position, origin: origin, resource: resource, rank: list.rank, wish: content ? -1 : wish)
      }
    }
    return nil
  }

  private func slot(of origin: Int, _ request: AcquireRequest, _ now: Instant) -> (resource: Int, isHome: Bool)? {
    let loop = home(request.loop)
    let trusted = trustedSince(now)
    if request.freshOnly {
      return slots.fresh(origin, loop: loop, trustedSince: trusted).map { ($0, Int(slots[$0].loop) == loop) }
    }
    if let resource = slots.ready(origin, loop: loop, trustedSince: trusted) { return (resource, true) }
    return slots.readyElsewhere(origin, loop: loop, trustedSince: trusted).map { ($0, false) }
  }

  // MARK: Lending

  /// Lends the chosen slot and sees to it that the next one finds one too.
  @inline(__always)
  mutating func lend(
    _ choice: Choice, _ request: AcquireRequest, _ now: Instant, _ actions: inout ActionList
  ) -> Grant {
    let index = request.freshOnly ? choice.resource : slots.turned(choice.resource, trustedSince: trustedSince(now))
    let isReused = slots[index].exchanges > 0
    let lastUsed = slots[index].lastUsed
    slots.lease(index)
    let resource = slots.id(index)
    let lease = leases.add(
      endpoint: choice.endpoint, resource: resource, silence: lastUsed < trustFloor ? .zero : now - lastUsed, now: now)
    endpoints[choice.endpoint].lend(now)
    origins[choice.origin].lend(now)
    if isReused { counters.reused &+= 1 }
    journal.record(.granted, now, place: choice.endpoint, subject: resource.index, detail: lease.index)
    if choice.rank.isPanic { counters.panicGrants &+= 1 }
    if !endpoints[choice.endpoint].isWatched { scheduleHealth(choice.endpoint, now) }
    if !origins[choice.origin].isWatched { watch(choice.origin, now) }
    if choice.wish >= 0 || slots.count(choice.origin, .idle) == 0 || slots.turnCandidate != nil {
      lookAhead(choice, request, now, &actions)
    }
    return Grant(
      lease: lease, resource: resource, endpoint: endpoints[choice.endpoint].id, origin: origins[choice.origin].id,
      loop: LoopID(rawValue: slots[index].loop), reused: isReused, waited: now - request.arrival)
  }

  private mutating func lookAhead(
    _ choice: Choice, _ request: AcquireRequest, _ now: Instant, _ actions: inout ActionList
  ) {
    if let cold = slots.takeTurnCandidate(), slots[cold].state == .idle { verify(cold, turn: true, now, &actions) }
    if slots[choice.resource].loop != UInt16(truncatingIfNeeded: home(request.loop)) { counters.borrowed &+= 1 }
    if choice.wish >= 0, !request.freshOnly { growHere(choice.wish, loop: home(request.loop), now, &actions) }
    if slots.count(choice.origin, .idle) == 0,
      origins[choice.origin].shouldPlan(leased: slots.leased(choice.origin), now)
    {
      plan(choice.origin, now, &actions)
    }
  }

  // MARK: Waiting

  private mutating func wait(
    _ request: AcquireRequest, _ now: Instant, _ actions: inout ActionList
  ) -> AcquireOutcome {
    let outlook = outlook(for: request, now)
    if outlook.earliest >= request.deadline { return refuseAndArm(outlook.rejection(now), now, &actions) }
    return enqueue(request, now, &actions)
  }

  private mutating func refuseAndArm(
    _ rejection: PoolRejection, _ now: Instant, _ actions: inout ActionList
  ) -> AcquireOutcome {
    arm(&actions)
    return refuse(rejection, now)
  }

  /// There is no room to wait. Where nobody ever waits, an idle slot that should be verified first is better than
  /// none (its holder replays if it is dead), and a wish that is refused is demand all the same.
  private mutating func turnAway(
    _ request: AcquireRequest, _ now: Instant, _ actions: inout ActionList
  ) -> AcquireOutcome {
    if queue.isEmpty, mode == .open,
      let choice = selectUnverified(request, now) ?? spillForWantOfRoom(request, now)
    {
      counters.grantedAtOnce &+= 1
      let grant = lend(choice, request, now, &actions)
      arm(&actions)
      return .granted(grant)
    }
    provision(now, &actions, refused: request)
    return refuseAndArm(PoolRejection(reason: .queueFull), now, &actions)
  }

  private mutating func selectUnverified(_ request: AcquireRequest, _ now: Instant) -> Choice? {
    guard !request.freshOnly, let (set, rank) = endpoints.allowed(request) else { return nil }
    var next = set.next(from: 0)
    while let position = next {
      let origin = Int(endpoints[position].origin)
      let stale = slots.stale(origin, loop: home(request.loop), trustedSince: trustedSince(now))
      if let stale, !endpoints[position].isSaturated {
        return Choice(endpoint: position, origin: origin, resource: stale, rank: rank, wish: -1)
      }
      next = set.next(from: position + 1)
    }
    return nil
  }

  private mutating func enqueue(
    _ request: AcquireRequest, _ now: Instant, _ actions: inout ActionList
  ) -> AcquireOutcome {
    guard queue.hasRoom(for: request.priority) else { return turnAway(request, now, &actions) }
    let index = queue.enqueue(request, now: now)
    let ticket = queue.id(index)
    queue.setDeadline(
      index, deadlines.insert(request.deadline, .ticket, index: ticket.index, generation: ticket.generation))
    counters.queued &+= 1
    journal.record(.queued, now, subject: ticket.index)
    provision(now, &actions)
    awaitSpilling(request, now)
    arm(&actions)
    return .queued(ticket)
  }
}
