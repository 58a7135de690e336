import SluicePolicy

/// Remote sides: they accept, refuse, stall, die, close when idle, and go away.
extension Simulation {
  func perform(_ action: PoolAction) {
    switch action {
    case .connect(let id, let origin, _, let deadline): beginConnect(id, origin, deadline)
    case .close(let id, _): close(id)
    case .verify(let id, let deadline): beginVerify(id, deadline)
    case .probe(let endpoint, _):
      later(latency.time(around: .milliseconds(20)), .probeEnds(endpoint))
    case .heartbeat(let id, let endpoint, let scope, let deadline): beginHeartbeat(id, endpoint, scope, deadline)
    case .grant(let ticket, let grant): deliver(ticket, grant)
    case .reject(let ticket, _): refuse(ticket)
    case .armDeadline, .emit: break
    }
  }

  private func beginConnect(_ id: ResourceID, _ origin: OriginID, _ deadline: Instant) {
    // A close may overtake its connect: then there is nothing to open any more.
    if resources[id]?.state == .closed { return }
    resources[id] = SimulatedResource(
      id: id, origin: origin, capacity: options.capacity, lastUse: now, lastPacket: now)
    let time = latency.time(around: connectTime(to: origin))
    if isDown(origin) || chance.chance(faults[.connectRefused]) {
      later(latency.time(around: .milliseconds(2)), .connectEnds(id, .failed(.network)))
    } else if chance.chance(faults[.connectStalls]) {
      // A connector is a little late with its deadline; and an answer after all may come later still.
      let opens = chance.chance(0.4)
      let delay = Interval.milliseconds(Int64(chance.range(0, opens ? 3000 : 50)))
      later((deadline - now) + delay, .connectEnds(id, opens ? .opened : .failed(.timeout)))
    } else if now + time >= deadline {
      later(deadline - now, .connectEnds(id, .failed(.timeout)))
    } else {
      later(time, .connectEnds(id, .opened))
    }
  }

  private func connectTime(to origin: OriginID) -> Interval {
    let index = layout.origins.firstIndex(of: origin) ?? 0
    return options.averageConnectTime.scaled(by: Double(options.distances[index]))
  }

  func connectEnds(_ id: ResourceID, _ end: ConnectEnd) {
    guard let resource = resources[id], resource.state == .opening else { return }
    switch end {
    case .opened:
      resources[id]?.state = .open
      resources[id]?.lastUse = now
      resources[id]?.lastPacket = now
      note(.connectSucceeded(id, capacity: resource.capacity))
      tell {
        $0.connectSucceeded(
          id, capacity: resource.capacity, connectTime: connectTime(to: resource.origin), now: now, into: &$1)
      }
      planTheFuture(of: id)
      perhapsAgain(.connectSucceeded(id, capacity: resource.capacity))
    case .failed(let failure):
      resources[id] = nil
      note(.connectFailed(id))
      tell { $0.connectFailed(id, failure, now: now, into: &$1) }
      perhapsAgain(.connectFailed(id))
    }
  }

  private func planTheFuture(of id: ResourceID) {
    if chance.chance(faults[.idleClose]) {
      later(.milliseconds(Int64(chance.range(50, 10_000))), .remoteCloses(id))
    }
    if chance.chance(faults[.silentDeath]) {
      later(.milliseconds(Int64(chance.range(1, 20_000))), .remoteCloses(id))
    }
    if chance.chance(faults[.goAway]) {
      later(.milliseconds(Int64(chance.range(10, 10_000))), .goAway(id))
    }
    if options.capacity > 1 && chance.chance(faults[.capacityChange]) {
      later(.milliseconds(Int64(chance.range(10, 5_000))), .capacityChanges(id))
    }
  }

  private func close(_ id: ResourceID) {
    guard let resource = resources[id] else {
      // Close before connect was carried out: the connector never starts and says so.
      resources[id] = SimulatedResource(
        id: id, origin: OriginID(rawValue: 0), state: .closed, capacity: 0, lastUse: now, lastPacket: now,
        closeAsked: true)
      later(.microseconds(Int64(schedule.range(1, 500))), .reportClosed(id))
      return
    }
    resources[id]?.closeAsked = true
    resources[id]?.openedLate = false
    guard resource.state != .closed else { return }
    resources[id]?.state = .closed
    // The news that it had opened may cross with the order to close it.
    if resource.state == .opening { perhapsAgain(.connectSucceeded(id, capacity: resource.capacity)) }
    later(.microseconds(Int64(schedule.range(1, 5000))), .reportClosed(id))
  }

  /// The remote side ends it by itself: with a FIN that is seen at once, or in silence.
  func remoteCloses(_ id: ResourceID) {
    guard let resource = resources[id], resource.state == .open else { return }
    if chance.chance(faults[.silentDeath]) {
      resources[id]?.isDead = true
    } else if resource.leases == 0 {
      resources[id]?.state = .closed
      reportClosed(id)
    } else {
      later(.milliseconds(100), .remoteCloses(id))
    }
  }

  /// GOAWAY: whoever came after the last one that the remote side took has to go elsewhere; the others may finish.
  func goAway(_ id: ResourceID) {
    guard let resource = resources[id], resource.state == .open else { return }
    note(.goingAway(id))
    tell { $0.resourceDraining(id, now: now, into: &$1) }
    for call in resource.holders.dropFirst(chance.range(0, resource.leases)) { turnBack(call) }
    note(.snapshot(machine.snapshot(now: now)))
  }

  /// The stream limit: gone, below what is in use, well above it, or anything.
  func capacityChanges(_ id: ResourceID) {
    guard let resource = resources[id], resource.state == .open else { return }
    let capacity =
      switch chance.range(0, 3) {
      case 0: 0
      case 1: Swift.max(0, resource.leases - chance.range(1, 3))
      case 2: resource.capacity + chance.range(1, 16)
      default: chance.range(0, 8)
      }
    resources[id]?.capacity = capacity
    note(.capacityChanged(id, capacity))
    tell { $0.capacityChanged(id, capacity, now: now, into: &$1) }
    // What follows from it is not left to the next event.
    note(.snapshot(machine.snapshot(now: now)))
    if chance.chance(0.5) { later(.milliseconds(Int64(chance.range(10, 2000))), .capacityChanges(id)) }
  }

  func reportClosed(_ id: ResourceID) {
    guard let resource = resources[id], resource.state == .closed else { return }
    if !resource.closeReported {
      resources[id]?.closeReported = true
      note(.closed(id))
    }
    let idle = resource.leases == 0 ? now - resource.lastUse : nil
    tell { $0.resourceClosed(id, idleFor: idle, now: now, into: &$1) }
    if chance.chance(faults[.lateOrDuplicate]) {
      later(.milliseconds(Int64(chance.range(0, 3000))), .reportClosed(id))
    }
  }

  private func beginVerify(_ id: ResourceID, _ deadline: Instant) {
    send(on: id)
    if resources[id]?.isDead == true {
      later(deadline - now, .verifyEnds(id))
    } else {
      later(latency.time(around: .microseconds(300)), .verifyEnds(id))
    }
  }

  func verifyEnds(_ id: ResourceID) {
    let alive = resources[id].map { $0.state == .open && !$0.isDead } ?? false
    note(.verified(id, alive))
    tell { $0.verified(id, alive: alive, now: now, into: &$1) }
    // Only at once: later it could be taken for the answer to the next question.
    if chance.chance(faults[.lateOrDuplicate]) { tell { $0.verified(id, alive: !alive, now: now, into: &$1) } }
  }

  func probeEnds(_ endpoint: EndpointID) {
    let fails = isSick(endpoint) || chance.chance(faults[.exchangeFails])
    let result: ProbeResult = fails ? .failed(.server) : .success(latency: .milliseconds(5))
    tell { $0.probeFinished(endpoint, result, now: now, into: &$1) }
    perhapsAgain(.probeFinished(endpoint))
  }
}
