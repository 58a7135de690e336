/// What a request can hope for.
struct Outlook: Sendable {
  /// When it could be served at the earliest, as far as is known; `distantFuture` is never.
  var earliest = Instant.distantFuture
  /// Earliest return of something that is out.
  var comesBack = Instant.distantFuture
  var reason = RejectionReason.notAllowed
  var cause: FailureClass?
  /// Endpoints by what keeps them from serving.
  var obstacles = Obstacles()

  struct Obstacles: Sendable {
    /// Used-up limits, which come back.
    var limits = 0
    /// No credit left.
    var credit = 0
    /// The credential itself.
    var credentials = 0
    /// Anything else, or nothing but time.
    var others = 0

    /// What is out for good because of its credential could not serve anyway.
    var areLimits: Bool { others == 0 && (limits > 0 || credit > 0 && credentials == 0) }
  }

  func rejection(_ now: Instant) -> PoolRejection {
    let retry = comesBack == .distantFuture ? nil : Swift.max(comesBack - now, .zero)
    return PoolRejection(reason: obstacles.areLimits ? .limited : reason, retryAfter: retry, cause: cause)
  }

  /// One of the ways to be served.
  mutating func hope(_ at: Instant, _ reason: RejectionReason, _ cause: FailureClass? = nil) {
    earliest = Swift.min(earliest, at)
    note(at, reason, cause)
  }

  /// Something that is out until then and does not count as a hope.
  mutating func note(_ at: Instant, _ reason: RejectionReason, _ cause: FailureClass? = nil) {
    if at < comesBack || comesBack == .distantFuture {
      comesBack = at
      self.reason = reason
      self.cause = cause
    }
  }
}

extension PoolMachine {
  // MARK: Serving

  /// Serves waiting tickets in order as long as there are slots that may serve them.
  mutating func dispatch(_ now: Instant, _ actions: inout ActionList) {
    guard mode == .open || mode == .draining else { return }
    queue.age(now)
    if queue.freshOnlyCount > 0 { makeRoomForFresh(now, &actions) }
    while !queue.isEmpty {
      if let (index, choice) = nextServable(now) {
        serve(index, choice, now, &actions)
      } else if !beginSpilling(now) {
        return
      }
    }
  }

  /// The first ticket in order that a free slot can serve, and the slot.
  private mutating func nextServable(_ now: Instant) -> (Int, Choice)? {
    let head = queue.head()
    let headChoice = head.flatMap { choose(for: $0, now) }
    guard !queue.restricted.isEmpty else { return head.flatMap { index in headChoice.map { (index, $0) } } }
    let offers = offers(now)
    let special = queue.firstRestricted { request in
      guard let (set, _) = endpoints.allowed(request) else { return false }
      let offer = request.freshOnly ? offers.fresh : offers.any
      return !set.intersection(offer).isEmpty || !spillable(request, now).intersection(offer).isEmpty
    }
    if let head, let headChoice, special.map({ queue.precedes(head, $0) }) ?? true { return (head, headChoice) }
    return special.flatMap { index in choose(for: index, now).map { (index, $0) } }
  }

  /// The slot for one that waits.
  private mutating func choose(for index: Int, _ now: Instant) -> Choice? {
    let request = queue[index].request
    return select(request, now) ?? spill(request, spillable(request, now), now)
  }

  /// Endpoints with a slot that could be lent now, and with one that never served (if anybody waits for that).
  private func offers(_ now: Instant) -> (any: EndpointSet, fresh: EndpointSet) {
    var any = EndpointSet()
    var fresh = EndpointSet()
    let trusted = trustedSince(now)
    for position in endpoints.positions where !endpoints[position].isSaturated {
      let origin = Int(endpoints[position].origin)
      if slots.ready(origin, loop: 0, trustedSince: trusted) != nil
        || slots.readyElsewhere(origin, loop: 0, trustedSince: trusted) != nil
      {
        any.insert(position: position)
      }
      if queue.freshOnlyCount > 0, slots.fresh(origin, loop: 0, trustedSince: trusted) != nil {
        fresh.insert(position: position)
      }
    }
    return (any, fresh)
  }

  private mutating func serve(_ index: Int, _ choice: Choice, _ now: Instant, _ actions: inout ActionList) {
    let ticket = queue.id(index)
    let request = queue[index].request
    dropTicket(index, served: true)
    counters.grantedLater &+= 1
    let grant = lend(choice, request, now, &actions)
    actions.append(.grant(ticket, grant))
  }

  mutating func dropTicket(_ index: Int, served: Bool) {
    var token = queue.takeDeadline(index)
    deadlines.cancel(&token)
    queue.remove(index, served: served)
  }

  mutating func rejectTicket(
    _ index: Int, _ rejection: PoolRejection, _ now: Instant, _ actions: inout ActionList
  ) {
    let ticket = queue.id(index)
    var complete = rejection
    complete.numbers = numbers
    dropTicket(index, served: false)
    counters.rejected.count(rejection.reason)
    journal.record(.rejected, now, note: rejection.reason.rawValue, subject: ticket.index)
    actions.append(.reject(ticket, complete))
  }

  // MARK: Hope

  /// Whether and when a request can be served. A ticket is kept as long as anything allowed may serve it before its
  /// deadline; an origin that has failed to connect `failFastAfter` times in a row and pauses is no hope.
  func outlook(for request: AcquireRequest, _ now: Instant) -> Outlook {
    var outlook = Outlook()
    if let pinned = request.pinned {
      if let position = endpoints.position(pinned), !request.excluding.contains(position: position) {
        consider(position, now, &outlook)
      }
      return outlook
    }
    for position in endpoints.positions where !request.excluding.contains(position: position) {
      consider(position, now, &outlook)
    }
    return outlook
  }

  private func consider(_ position: Int, _ now: Instant, _ outlook: inout Outlook) {
    let record = endpoints[position]
    if record.isRemoved || record.isDrained { return }
    if let cause = record.rejectedBy {
      if cause == .quota { outlook.obstacles.credit += 1 } else { outlook.obstacles.credentials += 1 }
      if outlook.comesBack == .distantFuture, outlook.reason == .notAllowed {
        outlook.reason = .credential
        outlook.cause = cause
      }
      return
    }
    let origin = Int(record.origin)
    let available = originAvailable(origin, now)
    let isLimited = available.isHope && record.isCooling && record.coolsForLimit && available.at <= record.coolUntil
    if isLimited { outlook.obstacles.limits += 1 } else { outlook.obstacles.others += 1 }
    if !available.isHope { return outlook.note(available.at, .connectFailed, origins[origin].lastFailure) }
    if record.isCooling {
      outlook.hope(Swift.max(record.coolUntil, available.at), .noEndpoint)
    } else if available.at > now {
      outlook.hope(available.at, .connectFailed, origins[origin].lastFailure)
    } else {
      outlook.hope(now, .noEndpoint)
    }
  }

  /// When an origin may have a slot.
  private func originAvailable(_ origin: Int, _ now: Instant) -> (at: Instant, isHope: Bool) {
    let record = origins[origin]
    guard record.isFailing, slots.open(origin) == 0, slots.count(origin, .connecting) == 0 else { return (now, true) }
    if record.retryAt <= now { return (now, true) }
    return (record.retryAt, Int(record.failures) < settings.connections.failFastAfter)
  }

  /// Rejects every ticket that can no longer be served in time.
  mutating func reviewWaiters(_ now: Instant, _ actions: inout ActionList) {
    guard mode == .open || mode == .draining else { return }
    var common: Outlook?
    for index in queue.indices where queue[index].isLive {
      let request = queue[index].request
      if request.deadline <= now {
        rejectTicket(index, PoolRejection(reason: .deadline), now, &actions)
        continue
      }
      let outlook: Outlook
      if request.isRestricted {
        outlook = self.outlook(for: request, now)
      } else {
        outlook = common ?? self.outlook(for: request, now)
        common = outlook
      }
      if outlook.earliest >= request.deadline { rejectTicket(index, outlook.rejection(now), now, &actions) }
    }
  }
}
