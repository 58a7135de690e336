extension PoolMachine {
  /// A slot comes back. `false`: this lease has ended before; nothing but a counter changes.
  public mutating func release(
    _ lease: LeaseID, _ report: ExchangeReport, now: Instant, into actions: inout ActionList
  ) -> Bool {
    guard let record = leases.end(lease) else {
      counters.staleReleases &+= 1
      journal.record(.staleRelease, now, subject: lease.index, detail: lease.generation)
      return false
    }
    counters.released &+= 1
    let endpoint = Int(record.endpoint)
    endpoints[endpoint].leased -= 1
    journal.record(.released, now, place: endpoint, subject: lease.index)
    if report.result == .success, endpoints[endpoint].health.isPristine {
      observeSuccess(endpoint, report, now)
    } else {
      observe(endpoint, report, record, now, &actions)
    }
    if report.fate == .reusable, let index = slots.resolve(record.resource), isKept(index, now) {
      slots.unlease(index, used: report.result != .unused, now: now)
    } else {
      returnUnkept(record, report, now, &actions)
    }
    if endpoints[endpoint].isRemoved { finishRemoval(endpoint, now, &actions) }
    if !queue.isEmpty || mode != .open { settle(now, &actions) }
    arm(&actions)
    return true
  }

  /// An open resource that may go on serving.
  @inline(__always)
  private func isKept(_ index: Int, _ now: Instant) -> Bool {
    switch slots[index].state {
    case .full, .shared:
      slots[index].capacity > 0 && slots[index].expiresAt > now && !isExcess(Int(slots[index].origin))
    default: false
    }
  }

  /// Cheap test for "there may be too many"; the exact one follows.
  @inline(__always)
  private func isExcess(_ origin: Int) -> Bool {
    slots.total(origin) > settings.connections.max || slots.totals.all > settings.connections.poolMax
  }

  @inline(__always)
  private mutating func observeSuccess(_ endpoint: Int, _ report: ExchangeReport, _ now: Instant) {
    let decay = settings.balance.latencyDecay
    endpoints[endpoint].answer(after: report.latency, now, decay: decay)
    if report.latency > .zero { endpoints.typicalLatency.observe(report.latency, now: now, decay: decay) }
  }

  /// The resource is gone, being closed, too old, superfluous, without room, or its holder wants it closed.
  private mutating func returnUnkept(
    _ record: LeaseRecord, _ report: ExchangeReport, _ now: Instant, _ actions: inout ActionList
  ) {
    noteBrokenExchange(record, report, now, &actions)
    guard let index = slots.resolve(record.resource) else { return }
    slots.unlease(index, used: report.result != .unused, now: now)
    if case .close(let reason) = report.fate {
      giveUp(index, reason, now, &actions)
    } else if slots[index].state == .draining {
      if slots[index].leased == 0 { close(index, slots[index].closeReason, now, &actions) }
    } else if slots[index].expiresAt <= now {
      giveUp(index, .age, now, &actions)
    } else if slots[index].state != .closing, slots[index].leased == 0, exceedsLimits(Int(slots[index].origin)) {
      close(index, .excess, now, &actions)
    } else if slots[index].state == .full, slots[index].leased == 0 {
      // Nothing of it is left to come back: it is given up soon unless it gets room again.
      schedule(index, nextCheck(index, now))
    }
    plan(Int(slots[index].origin), now, &actions)
  }

  /// Closes an open resource now, or as soon as nothing of it is lent.
  mutating func giveUp(_ index: Int, _ reason: CloseReason, _ now: Instant, _ actions: inout ActionList) {
    switch slots[index].state {
    case .free, .closing: return
    case .connecting, .idle, .verifying: close(index, reason, now, &actions)
    case .shared, .full, .draining:
      if slots[index].leased == 0 { return close(index, reason, now, &actions) }
      guard slots[index].state != .draining else { return }
      slots.startDraining(index, reason)
      noteLoss(Int(slots[index].origin), &actions)
    }
  }

  /// More resources than the settings allow, those being closed not counted.
  func exceedsLimits(_ origin: Int) -> Bool {
    slots.staying(origin) + slots.count(origin, .draining) > settings.connections.max
      || slots.totals.all - slots.totals.closing > settings.connections.poolMax
  }
}
