extension PoolMachine {
  /// Time has come for something. Early or repeated calls are harmless.
  public mutating func deadlineReached(now: Instant, into actions: inout ActionList) {
    armed = .distantFuture
    if deadlines.earliest <= now { settle(now, &actions) }
    arm(&actions)
  }

  mutating func run(_ due: DeadlineHeap.Entry, _ now: Instant, _ actions: inout ActionList) {
    switch due.kind {
    case .ticket:
      guard let index = queue.resolve(TicketID(index: due.index, generation: due.generation)) else { return }
      _ = queue.takeDeadline(index)
      rejectTicket(index, PoolRejection(reason: .deadline), now, &actions)
    case .resource:
      guard let index = slots.resolve(ResourceID(index: due.index, generation: due.generation)) else { return }
      _ = slots.takeDeadline(index)
      resourceDue(index, now, &actions)
    case .reconnect:
      guard let origin = origins.position(OriginID(rawValue: UInt16(truncatingIfNeeded: due.index))) else { return }
      origins[origin].retryToken = .none
      reconnectDue(origin, now, &actions)
    case .cooling:
      guard let position = endpoints.position(EndpointID(rawValue: UInt16(truncatingIfNeeded: due.index))) else {
        return
      }
      endpoints[position].coolToken = .none
      endCooling(position, now, &actions)
    case .health:
      guard let position = endpoints.position(EndpointID(rawValue: UInt16(truncatingIfNeeded: due.index))) else {
        return
      }
      endpoints[position].healthToken = .none
      healthDue(position, now, &actions)
    case .heartbeat:
      guard let origin = origins.position(OriginID(rawValue: UInt16(truncatingIfNeeded: due.index))) else { return }
      origins[origin].heartbeatToken = .none
      heartbeatDue(origin, planned: due.at, now, &actions)
    case .region:
      reviewRegions(now, &actions)
    }
  }

  // MARK: Resources

  private mutating func resourceDue(_ index: Int, _ now: Instant, _ actions: inout ActionList) {
    switch slots[index].state {
    case .free:
      break
    case .connecting:
      // No answer at all, not even a failure.
      attemptFailed(index, .timeout, now, &actions)
      close(index, .connectFailed, now, &actions)
    case .verifying:
      let origin = Int(slots[index].origin)
      if slots[index].isBeating {
        // Not even the driver's own deadline ended it.
        concludeHeartbeat(
          index, HeartbeatReport(.failed(.timeout), carried: false, fate: .close(.verification)), now, &actions)
      } else {
        finishVerification(index, alive: false, now, &actions)
      }
      plan(origin, now, &actions)
    case .closing:
      counters.forgottenCloses &+= 1
      let origin = Int(slots[index].origin)
      remove(index, now, &actions)
      if origins.places.isUsed(origin) { plan(origin, now, &actions) }
    case .draining:
      break
    case .idle:
      checkIdle(index, now, &actions)
    case .shared, .full:
      // Nothing lent and no room: the remote side grants it no slot any more, and it takes the place of one that would.
      if slots[index].leased == 0 { return retire(index, .recycled, now, &actions) }
      schedule(index, nextCheck(index, now))
    }
  }

  /// An idle resource: too old, about to be closed by the other side, not needed, or to be verified?
  private mutating func checkIdle(_ index: Int, _ now: Instant, _ actions: inout ActionList) {
    let record = slots[index]
    let origin = Int(record.origin)
    if record.expiresAt <= now {
      return retire(index, .age, now, &actions)
    }
    if let limit = retireAfter(record, now), record.lastUsed + limit <= now {
      return retire(index, .idleLimit, now, &actions)
    }
    let isSurplus = slots.staying(origin) > floor(origin, now)
    if isSurplus, crowdsOut(origin, now) { return retire(index, .excess, now, &actions) }
    if isSurplus, record.wantedAt + idleTimeout(record) <= now {
      return retire(index, .idle, now, &actions)
    }
    if !isSurplus, record.lastTrusted + settings.connections.warmVerifyInterval <= now, mode == .open {
      return verify(index, turn: false, now, &actions)
    }
    schedule(index, nextCheck(index, now))
  }

  private mutating func retire(
    _ index: Int, _ reason: CloseReason, _ now: Instant, _ actions: inout ActionList
  ) {
    let origin = Int(slots[index].origin)
    close(index, reason, now, &actions)
    plan(origin, now, &actions)
  }

  private func idleTimeout(_ record: SlotRecord) -> Interval {
    let timeout = settings.connections.idleTimeout
    return timeout == .max ? .max : timeout.scaled(by: 1 - settings.connections.jitter * Double(record.spread))
  }

  /// Idle time after which to retire, before the learned limit: at 80 to 90 % of it.
  private func retireAfter(_ record: SlotRecord, _ now: Instant) -> Interval? {
    let origin = Int(record.origin)
    return origins[origin].idleLimit.believed(now)?.scaled(by: 0.9 - 0.1 * Double(record.spread))
  }

  /// When to look at an open resource again: never later than something may be due, should it stay or become idle,
  /// and always later than now. Using a resource only moves what is due further away, so use needs no scheduling.
  func nextCheck(_ index: Int, _ now: Instant) -> Instant {
    let record = slots[index]
    let isIdle = record.state == .idle
    if !isIdle, record.leased == 0 { return now + settings.connections.connectTimeout }
    var next = now + settings.connections.warmVerifyInterval
    if record.expiresAt > now { next = Swift.min(next, record.expiresAt) }
    let sinceWanted = (isIdle ? record.wantedAt : now) + idleTimeout(record)
    if sinceWanted > now { next = Swift.min(next, sinceWanted) }
    if let limit = retireAfter(record, now) {
      let sinceUse = (isIdle ? record.lastUsed : now) + limit
      // A fresh look at once if the limit has just become known.
      next = Swift.min(next, Swift.max(sinceUse, now + .milliseconds(1)))
    }
    if isIdle {
      let sinceTrust = record.lastTrusted + settings.connections.warmVerifyInterval
      if sinceTrust > now { next = Swift.min(next, sinceTrust) }
    }
    return next
  }

  // MARK: Origins

  /// The pause after a failed connect is over. Tries again if somebody cares: someone waits, a resource is to be kept
  /// warm, or requests came in since. Otherwise the next request tries.
  private mutating func reconnectDue(_ origin: Int, _ now: Instant, _ actions: inout ActionList) {
    guard mode == .open || (mode == .draining && !queue.isEmpty), origins[origin].isFailing else { return }
    let isWanted =
      !queue.isEmpty || floor(origin, now) > slots.staying(origin)
      || counters.acquired != origins[origin].acquiredAtFailure
    if isWanted, canGrow(origin, now) {
      connect(origin, loop: slots.emptiestLoop(origin), now, &actions)
    }
  }

  /// A request came in: origins whose pause is over are tried again, whoever serves meanwhile.
  mutating func retryFailing(_ loop: Int, _ now: Instant, _ actions: inout ActionList) {
    for origin in origins.positions where origins[origin].isFailing && canGrow(origin, now) {
      connect(origin, loop: loop, now, &actions)
    }
  }
}
