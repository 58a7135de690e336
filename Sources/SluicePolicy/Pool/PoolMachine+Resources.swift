extension PoolMachine {
  // MARK: Opening

  /// A connect ended well. If the resource is not wanted any more, a `.close` for it follows.
  public mutating func connectSucceeded(
    _ resource: ResourceID, capacity: Int, connectTime: Interval, now: Instant, into actions: inout ActionList
  ) {
    guard let index = slots.resolve(resource) else {
      countStale(resource.index, resource.generation, now)
      actions.append(.close(resource, .cancelled))
      return
    }
    guard slots[index].state == .connecting else {
      countStale(resource.index, resource.generation, now)
      if slots[index].state == .closing { actions.append(.close(resource, slots[index].closeReason)) }
      return
    }
    let origin = Int(slots[index].origin)
    noteConnected(origin, connectTime, capacity, now, &actions)
    let limits = settings.connections
    let expires = now + limits.maxAge.scaled(by: 1 - limits.jitter * random.unit())
    slots.opened(
      index, capacity: capacity, expiresAt: limits.maxAge == .max ? .distantFuture : expires,
      spread: Float(random.unit()), now: now)
    counters.connectsSucceeded &+= 1
    journal.record(.opened, now, place: origin, subject: resource.index, detail: UInt32(clamping: capacity))
    actions.append(.emit(.resourceOpened(resource, origins[origin].id, connectTime: connectTime)))
    schedule(index, nextCheck(index, now))
    refreshRanks(of: origin)
    if !origins[origin].isWatched, keepsPath(origin, now) { watch(origin, now) }
    if origins[origin].isRemoved {
      close(index, .drained, now, &actions)
    } else if exceedsLimits(origin) {
      close(index, .excess, now, &actions)
    }
    settle(now, &actions)
    plan(origin, now, &actions)
    arm(&actions)
  }

  private mutating func noteConnected(
    _ origin: Int, _ time: Interval, _ capacity: Int, _ now: Instant, _ actions: inout ActionList
  ) {
    let known = origins[origin].connectTime
    origins[origin].connectTime = known == .zero ? time : known.scaled(by: 0.7) + time.scaled(by: 0.3)
    scheduleRegions(.distantPast)
    origins[origin].sizeSeen(capacity)
    if origins[origin].isFailing { clearFailures(origin) }
    if origins[origin].isDisconnected {
      origins[origin].isDisconnected = false
      actions.append(.emit(.originReconnected(origins[origin].id)))
    }
  }

  mutating func clearFailures(_ origin: Int) {
    if origins[origin].isFailing { failingOrigins -= 1 }
    origins[origin].failures = 0
    origins[origin].retryAt = .distantPast
    deadlines.cancel(&origins[origin].retryToken)
  }

  /// A connect ended badly. Waiters go on waiting for whatever else may serve them.
  public mutating func connectFailed(
    _ resource: ResourceID, _ failure: FailureClass, now: Instant, into actions: inout ActionList
  ) {
    guard let index = slots.resolve(resource) else { return countStale(resource.index, resource.generation, now) }
    switch slots[index].state {
    case .connecting:
      attemptFailed(index, failure, now, &actions)
      remove(index, now, &actions)
      settle(now, &actions)
    case .closing:
      confirmClosed(index, now, &actions)
    case .free, .idle, .shared, .full, .verifying, .draining:
      countStale(resource.index, resource.generation, now)
    }
    arm(&actions)
  }

  /// Attempts that were under way when another one failed do not count again: one outage, one step of backoff. One that
  /// was cancelled by somebody else counts like any other: what is tried again at once may be cancelled at once.
  mutating func attemptFailed(
    _ index: Int, _ failure: FailureClass, _ now: Instant, _ actions: inout ActionList
  ) {
    let origin = Int(slots[index].origin)
    counters.connectsFailed &+= 1
    journal.record(
      .connectFailed, now, note: failure.rawValue, place: origin, subject: UInt32(truncatingIfNeeded: index))
    needsReview = true
    if origins[origin].isRemoved { return }
    let beganAt = slots[index].expiresAt
    guard !origins[origin].isFailing || beganAt >= origins[origin].retryAt else {
      // The pause may have ended meanwhile, unused: one attempt at a time while they fail, and this one was under way.
      needsRestock = true
      return
    }
    if !origins[origin].isFailing { failingOrigins += 1 }
    origins[origin].failures = origins[origin].failures == .max ? .max : origins[origin].failures + 1
    origins[origin].lastFailure = failure
    origins[origin].failedAt = now
    origins[origin].acquiredAtFailure = counters.acquired
    let backoff = Backoff(
      first: settings.connections.reconnectDelay, most: settings.connections.reconnectDelayMax)
    let delay = backoff.delay(failures: Int(origins[origin].failures), &random)
    scheduleReconnect(origin, now + delay)
    actions.append(.emit(.connectFailed(origins[origin].id, failure, retryIn: delay)))
  }

  private mutating func scheduleReconnect(_ origin: Int, _ at: Instant) {
    origins[origin].retryAt = at
    deadlines.cancel(&origins[origin].retryToken)
    origins[origin].retryToken = deadlines.insert(at, .reconnect, index: UInt32(origins[origin].id.rawValue))
  }

  // MARK: Facts about open resources

  /// A resource is gone: closed as asked, or by the remote side, or broken. `idleFor`: it had been idle for so long
  /// when the remote side closed it; idle limits are learned from that. `reason`: what is counted, if nobody asked for it.
  public mutating func resourceClosed(
    _ resource: ResourceID, idleFor: Interval?, reason: CloseReason = .remoteClosed, now: Instant,
    into actions: inout ActionList
  ) {
    guard let index = slots.resolve(resource) else { return countStale(resource.index, resource.generation, now) }
    let origin = Int(slots[index].origin)
    switch slots[index].state {
    case .closing:
      confirmClosed(index, now, &actions)
      arm(&actions)
      return
    case .connecting:
      attemptFailed(index, .network, now, &actions)
    case .free, .idle, .shared, .full, .verifying, .draining:
      if slots[index].isBeating { heartbeatBroke(index, reason, now, &actions) }
      if let idleFor, slots[index].leased == 0 {
        learn(origin, origins[origin].idleLimit.observe(idleFor, now: now), now, &actions)
      }
      counters.closed.count(reason)
      journal.record(.closed, now, note: reason.rawValue, place: origin, subject: resource.index)
      actions.append(.emit(.resourceClosed(resource, origins[origin].id, reason)))
    }
    remove(index, now, &actions)
    settle(now, &actions)
    if origins.places.isUsed(origin) { plan(origin, now, &actions) }
    arm(&actions)
  }

  /// The remote side has said for how long it keeps an idle resource (`keep-alive: timeout=`).
  public mutating func idleLimitAnnounced(
    _ resource: ResourceID, _ limit: Interval, now: Instant, into actions: inout ActionList
  ) {
    guard let index = slots.resolve(resource) else { return countStale(resource.index, resource.generation, now) }
    let origin = Int(slots[index].origin)
    if origins[origin].idleLimit.believed(now) == limit { return }
    learn(origin, origins[origin].idleLimit.announce(limit, now: now), now, &actions)
    arm(&actions)
  }

  /// A resource has more or less room than before (stream limit, window).
  public mutating func capacityChanged(
    _ resource: ResourceID, _ capacity: Int, now: Instant, into actions: inout ActionList
  ) {
    guard let index = slots.resolve(resource), slots[index].state.isOpen || slots[index].state == .draining else {
      return countStale(resource.index, resource.generation, now)
    }
    let origin = Int(slots[index].origin)
    slots.setCapacity(index, capacity)
    origins[origin].sizeSeen(capacity)
    journal.record(.capacity, now, subject: resource.index, detail: UInt32(clamping: capacity))
    if slots[index].state == .full, slots[index].leased == 0 { schedule(index, nextCheck(index, now)) }
    settle(now, &actions)
    // What has shrunk may be lacking at once, not only when somebody asks.
    if origins.places.isUsed(origin) { plan(origin, now, &actions) }
    arm(&actions)
  }

  /// The remote side wants to finish (GOAWAY, `connection: close` announced): nothing new on it, closed when empty.
  public mutating func resourceDraining(
    _ resource: ResourceID, now: Instant, into actions: inout ActionList
  ) {
    guard let index = slots.resolve(resource), slots[index].state.isOpen || slots[index].state == .connecting else {
      return countStale(resource.index, resource.generation, now)
    }
    let origin = Int(slots[index].origin)
    journal.record(.resourceDraining, now, place: origin, subject: resource.index)
    giveUp(index, .drained, now, &actions)
    settle(now, &actions)
    plan(origin, now, &actions)
    arm(&actions)
  }

  /// The answer to `.verify`.
  public mutating func verified(
    _ resource: ResourceID, alive: Bool, now: Instant, into actions: inout ActionList
  ) {
    guard let index = slots.resolve(resource), slots[index].state == .verifying, !slots[index].isBeating else {
      return countStale(resource.index, resource.generation, now)
    }
    finishVerification(index, alive: alive, now, &actions)
    settle(now, &actions)
    plan(Int(slots[index].origin), now, &actions)
    arm(&actions)
  }

  mutating func finishVerification(
    _ index: Int, alive: Bool, _ now: Instant, _ actions: inout ActionList
  ) {
    journal.record(
      .verified, now, note: alive ? 1 : 0, place: Int(slots[index].origin),
      subject: UInt32(truncatingIfNeeded: index))
    guard alive else {
      counters.verificationsFailed &+= 1
      let trusted = slots[index].lastTrusted
      if trusted >= trustFloor { pathDied(Int(slots[index].origin), after: now - trusted, now, &actions) }
      return close(index, .verification, now, &actions)
    }
    slots.verified(index, now: now)
    schedule(index, nextCheck(index, now))
  }

  // MARK: Going

  private mutating func confirmClosed(_ index: Int, _ now: Instant, _ actions: inout ActionList) {
    let origin = Int(slots[index].origin)
    journal.record(
      .closed, now, note: slots[index].closeReason.rawValue, place: origin,
      subject: UInt32(truncatingIfNeeded: index))
    remove(index, now, &actions)
    settle(now, &actions)
    if origins.places.isUsed(origin) { plan(origin, now, &actions) }
  }

  /// Takes a resource that no longer exists out of the books.
  mutating func remove(_ index: Int, _ now: Instant, _ actions: inout ActionList) {
    let origin = Int(slots[index].origin)
    _ = takeHeartbeat(index)
    var token = slots.takeDeadline(index)
    deadlines.cancel(&token)
    slots.remove(index)
    if slots.totals.all + 1 == settings.connections.poolMax { needsRestock = true }
    noteLoss(origin, &actions)
    if origins[origin].isRemoved { freeOriginIfUnused(origin) }
  }

  /// An origin has fewer open resources than before: when opening fails too, it is disconnected.
  mutating func noteLoss(_ origin: Int, _ actions: inout ActionList) {
    guard origins[origin].isFailing, slots.open(origin) == 0 else { return }
    refreshRanks(of: origin)
    needsReview = true
    if origins[origin].isDisconnected { return }
    origins[origin].isDisconnected = true
    actions.append(.emit(.originDisconnected(origins[origin].id)))
  }

  private mutating func learn(_ origin: Int, _ changed: Bool, _ now: Instant, _ actions: inout ActionList) {
    guard changed, let limit = origins[origin].idleLimit.believed(now) else { return }
    journal.record(
      .idleLimit, now, place: origin, detail: UInt32(clamping: limit.nanoseconds / 1_000_000))
    actions.append(.emit(.idleLimitLearned(origins[origin].id, limit)))
    hurryHeartbeat(origin, now)
    for index in slots.indices where Int(slots[index].origin) == origin {
      switch slots[index].state {
      case .idle, .shared, .full: schedule(index, nextCheck(index, now))
      case .free, .connecting, .verifying, .draining, .closing: break
      }
    }
  }
}
