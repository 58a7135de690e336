extension PoolMachine {
  /// The pool's state as plain values; costs a walk over origins and endpoints, not over resources.
  public func snapshot(now: Instant) -> PoolSnapshot {
    PoolSnapshot(
      name: settings.name, state: mode, numbers: numbers, slots: SlotCounts(slots.totals), waiting: queue.waiting,
      oldestWait: queue.oldestArrival.map { Swift.max(now - $0, .zero) } ?? .zero, counters: counters,
      origins: origins.positions.map { originSnapshot($0, now) },
      endpoints: endpoints.positions.map { endpointSnapshot($0, now) }, nextDeadline: nextDeadline,
      panic: isPanicking, region: regions.isActive ? regions.records[regions.current].name : nil)
  }

  private func originSnapshot(_ origin: Int, _ now: Instant) -> OriginSnapshot {
    let record = origins[origin]
    var planning = self
    return OriginSnapshot(
      id: record.id, name: origins.names[origin], slots: slots.counts(origin), leased: slots.leased(origin),
      disconnected: record.isFailing && slots.open(origin) == 0, connectFailures: Int(record.failures),
      retryAt: record.isFailing ? record.retryAt : nil, connectTime: record.connectTime,
      idleLimit: record.idleLimit.believed(now), wanted: planning.wanted(origin, now),
      heartbeatInterval: record.heartbeatToken == .none
        ? nil : record.path.interval(settings.heartbeat, idleLimit: record.idleLimit.believed(now)),
      removed: record.isRemoved)
  }

  private func endpointSnapshot(_ position: Int, _ now: Instant) -> EndpointSnapshot {
    let record = endpoints[position]
    let outUntil: Instant? =
      record.isCooling ? record.coolUntil : record.health.state == .ejected ? record.health.until : nil
    return EndpointSnapshot(
      id: record.id, origin: origins[Int(record.origin)].id,
      region: regions.isActive ? regions.records[Int(record.region)].name : nil, name: endpoints.names[position],
      state: state(of: record, now), role: record.role, weight: Int(record.weight), leased: Int(record.leased),
      latency: Interval(nanoseconds: Int64(record.latency.value)),
      consecutiveFailures: Int(record.health.failures), outUntil: outUntil, rejectedBy: record.rejectedBy,
      rejectedSince: record.rejectedBy == nil ? nil : record.rejectedAt, grants: record.grants,
      successes: record.successes, failures: record.failures,
      heartbeats: record.heartbeats.succeeded, heartbeatsFailed: record.heartbeats.failed,
      heartbeatProblem: record.heartbeats.problem(record.successes),
      quota: record.quota?.at(now), removed: record.isRemoved)
  }

  private func state(of record: EndpointRecord, _ now: Instant) -> EndpointState {
    if record.isRemoved || record.isDrained { return .drained }
    if record.rejectedBy != nil { return .rejected }
    if record.isCooling { return .cooling }
    let origin = Int(record.origin)
    if origins[origin].isFailing, slots.open(origin) == 0 { return .disconnected }
    switch record.health.state {
    case .ejected: return .unhealthy
    case .failing: return .degraded
    case .healthy: return record.health.ramp(now, over: settings.health.slowStart) < 1 ? .degraded : .healthy
    }
  }
}

extension SlotCounts {
  init(_ totals: SlotTotals) {
    self.init()
    connecting = totals.connecting
    idle = totals.idle
    leased = totals.shared + totals.full
    verifying = totals.verifying
    draining = totals.draining
    closing = totals.closing
  }
}

extension SlotTable {
  func counts(_ origin: Int) -> SlotCounts {
    var counts = SlotCounts()
    counts.connecting = count(origin, .connecting)
    counts.idle = count(origin, .idle)
    counts.leased = count(origin, .shared) + count(origin, .full)
    counts.verifying = count(origin, .verifying)
    counts.draining = count(origin, .draining)
    counts.closing = count(origin, .closing)
    return counts
  }
}
