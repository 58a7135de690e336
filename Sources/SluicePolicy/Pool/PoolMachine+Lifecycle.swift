extension PoolMachine {
  // MARK: The pool

  /// Grants and opens nothing until `resume`; wishes wait. What is lent goes on.
  public mutating func pause(now: Instant, into actions: inout ActionList) {
    guard mode == .open else { return }
    mode = .paused
    journal.record(.paused, now)
    actions.append(.emit(.paused))
    arm(&actions)
  }

  /// Ends a pause: who waits is served.
  public mutating func resume(now: Instant, into actions: inout ActionList) {
    guard mode == .paused else { return }
    mode = .open
    journal.record(.resumed, now)
    actions.append(.emit(.resumed))
    needsReview = true
    settle(now, &actions)
    for origin in origins.positions { plan(origin, now, &actions) }
    spreadHeartbeats(now)
    arm(&actions)
  }

  /// Takes nothing new, serves who waits already, closes resources as they return. `isDrained` says when it is over.
  public mutating func drain(now: Instant, into actions: inout ActionList) {
    guard mode == .open || mode == .paused else { return }
    mode = .draining
    journal.record(.draining, now)
    actions.append(.emit(.draining))
    stopHealthChecks()
    needsReview = true
    settle(now, &actions)
  }

  /// Rejects who waits and closes everything, lent or not. What is lent ends with its own release.
  public mutating func close(now: Instant, into actions: inout ActionList) {
    guard mode != .closed else { return }
    mode = .closed
    journal.record(.poolClosed, now)
    stopHealthChecks()
    for index in queue.indices where queue[index].isLive {
      rejectTicket(index, PoolRejection(reason: .closed), now, &actions)
    }
    for index in slots.indices where slots[index].state != .free && slots[index].state != .closing {
      close(index, .shutdown, now, &actions)
    }
    for origin in origins.positions { deadlines.cancel(&origins[origin].retryToken) }
    actions.append(.emit(.closed))
    arm(&actions)
  }

  /// Nobody waits any more: what is not lent is closed.
  mutating func continueDraining(_ now: Instant, _ actions: inout ActionList) {
    let totals = slots.totals
    if queue.isEmpty, totals.connecting + totals.idle + totals.verifying + totals.full > 0 {
      for index in slots.indices where slots[index].leased == 0 {
        switch slots[index].state {
        case .connecting, .idle, .verifying, .full: close(index, .drained, now, &actions)
        case .free, .shared, .draining, .closing: break
        }
      }
    }
    if isDrained, !saidDrained {
      saidDrained = true
      journal.record(.drained, now)
      actions.append(.emit(.drained))
    }
  }

  private mutating func stopHealthChecks() {
    for position in endpoints.positions {
      endpoints[position].isProbing = false
      deadlines.cancel(&endpoints[position].healthToken)
    }
    for origin in origins.positions { stopHeartbeats(origin) }
  }

  /// Time has passed without this machine noticing (suspend, a paused virtual machine), or the clock moved by itself:
  /// everything idle is verified before it is used again. Deadlines stay where they are.
  public mutating func clockJumped(by jump: Interval, now: Instant, into actions: inout ActionList) {
    trustFloor = now
    journal.record(.clockJumped, now, detail: UInt32(clamping: jump.nanoseconds / 1_000_000))
    actions.append(.emit(.clockJumped(jump)))
    if mode == .open || mode == .draining {
      for index in slots.indices where slots[index].state == .idle && slots[index].lastTrusted < now {
        verify(index, turn: false, now, &actions)
      }
    }
    settle(now, &actions)
  }

  /// Other limits, everything else as before; `false` if they contradict each other.
  public mutating func resize(
    min: Int, max: Int, poolMax: Int, now: Instant, into actions: inout ActionList
  ) -> Bool {
    var changed = settings
    changed.connections.min = min
    changed.connections.max = max
    changed.connections.poolMax = poolMax
    guard changed.problems().isEmpty else { return false }
    settings = changed
    applyLimits(now, &actions)
    return true
  }

  mutating func applyLimits(_ now: Instant, _ actions: inout ActionList) {
    shrink(now, &actions)
    settle(now, &actions)
    for origin in origins.positions { plan(origin, now, &actions) }
    arm(&actions)
  }

  // MARK: One endpoint

  /// Nothing new for this endpoint; what is lent goes on. `false`: there is no such endpoint.
  @discardableResult
  public mutating func drainEndpoint(
    _ endpoint: EndpointID, now: Instant, into actions: inout ActionList
  ) -> Bool {
    guard let position = known(endpoint) else { return false }
    guard !endpoints[position].isDrained else { return true }
    endpoints[position].isDrained = true
    journal.record(.endpointDrained, now, place: position)
    actions.append(.emit(.endpointDraining(endpoint)))
    refreshRank(position)
    needsReview = true
    settle(now, &actions)
    return true
  }

  /// Takes a drained endpoint back into service. `false`: there is no such endpoint.
  @discardableResult
  public mutating func resumeEndpoint(
    _ endpoint: EndpointID, now: Instant, into actions: inout ActionList
  ) -> Bool {
    guard let position = known(endpoint) else { return false }
    guard endpoints[position].isDrained else { return true }
    endpoints[position].isDrained = false
    journal.record(.endpointResumed, now, place: position)
    actions.append(.emit(.endpointResumed(endpoint)))
    refreshRank(position)
    needsRestock = true
    settle(now, &actions)
    return true
  }

  /// Forgets what went wrong: rejected credential, cool-down, ejection, latency, and its origin's failed connects.
  /// An endpoint that was drained by hand stays drained.
  @discardableResult
  public mutating func resetEndpoint(
    _ endpoint: EndpointID, now: Instant, into actions: inout ActionList
  ) -> Bool {
    guard let position = known(endpoint) else { return false }
    endpoints[position].rejectedBy = nil
    endpoints[position].coolUntil = .distantPast
    endpoints[position].coolings = 0
    deadlines.cancel(&endpoints[position].coolToken)
    endpoints[position].health = HealthTracker()
    endpoints[position].latency = PeakLatency()
    endpoints[position].heartbeats.forget()
    endpoints[position].saidHeartbeatFailing = false
    let origin = Int(endpoints[position].origin)
    clearFailures(origin)
    origins[origin].misses = 0
    journal.record(.endpointReset, now, place: position)
    actions.append(.emit(.endpointReset(endpoint)))
    refreshRanks(of: origin)
    if endpoints[position].isWatched { scheduleHealth(position, now) }
    needsRestock = true
    settle(now, &actions)
    return true
  }

  private func known(_ endpoint: EndpointID) -> Int? {
    guard let position = endpoints.position(endpoint), !endpoints[position].isRemoved else { return nil }
    return position
  }
}
