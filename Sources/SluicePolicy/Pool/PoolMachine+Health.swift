extension PoolMachine {
  // MARK: Results of exchanges

  /// What a report says about the endpoint. Our own faults and the caller's never count against it; a removed one is
  /// only finishing what is lent.
  mutating func observe(
    _ position: Int, _ report: ExchangeReport, _ lease: LeaseRecord, _ now: Instant, _ actions: inout ActionList
  ) {
    if endpoints[position].isRemoved { return }
    switch report.result {
    case .success, .failed(.caller), .failed(.contentPolicy), .failed(.contextLength):
      answered(position, report, lease, now, &actions)
    case .failed(let failure):
      failed(position, failure, report, lease, now, &actions)
    case .cancelled, .unused:
      break
    }
  }

  /// It answered as it should.
  private mutating func answered(
    _ position: Int, _ report: ExchangeReport, _ lease: LeaseRecord, _ now: Instant, _ actions: inout ActionList
  ) {
    let decay = settings.balance.latencyDecay
    endpoints[position].answer(after: report.latency, now, decay: decay)
    endpoints.typicalLatency.observe(report.latency, now: now, decay: decay)
    let verdict = endpoints[position].health.succeeded(grantedAt: lease.grantedAt, now: now, settings.health)
    apply(verdict, position, now, &actions)
  }

  private mutating func failed(
    _ position: Int, _ failure: FailureClass, _ report: ExchangeReport, _ lease: LeaseRecord, _ now: Instant,
    _ actions: inout ActionList
  ) {
    if failure == .cancelled { return }
    endpoints[position].failures &+= 1
    if failure.harmsHealth {
      endpoints[position].latency.penalise(typical: endpoints.typicalLatency.value, now: now)
      let verdict = endpoints[position].health.failed(grantedAt: lease.grantedAt, settings.health)
      apply(verdict, position, now, &actions)
    }
    guard report.scope == .endpoint else { return }
    switch failure {
    case .credential, .quota: rejectCredential(position, failure, now, &actions)
    case .rateLimited:
      cool(position, report.coolFor ?? defaultCooling(position), forLimit: true, now, &actions)
    default: if let hint = report.coolFor { cool(position, hint, forLimit: false, now, &actions) }
    }
  }

  private mutating func apply(
    _ verdict: HealthTracker.Verdict, _ position: Int, _ now: Instant, _ actions: inout ActionList
  ) {
    switch verdict {
    case .unchanged: return
    case .shouldEject: eject(position, now, &actions)
    case .recovered: recovered(position, now, &actions)
    }
    refreshRank(position)
    scheduleHealth(position, now)
  }

  /// At most a share of the pool is ejected; the others stay, behind the healthy ones.
  private mutating func eject(_ position: Int, _ now: Instant, _ actions: inout ActionList) {
    var ejected = 0
    var all = 0
    for other in endpoints.positions where !endpoints[other].isRemoved {
      all += 1
      if endpoints[other].health.state == .ejected { ejected += 1 }
    }
    guard ejected < Int(Double(all) * settings.health.ejectionShare) else {
      if endpoints[position].health.state != .failing {
        journal.record(.failing, now, place: position)
        actions.append(.emit(.endpointFailing(endpoints[position].id)))
      }
      endpoints[position].health.fail(now: now)
      return
    }
    endpoints[position].health.eject(now: now, settings.health, jitter: random.unit())
    counters.ejections &+= 1
    journal.record(.ejected, now, place: position)
    actions.append(
      .emit(.endpointEjected(endpoints[position].id, until: endpoints[position].health.until)))
  }

  private mutating func recovered(_ position: Int, _ now: Instant, _ actions: inout ActionList) {
    endpoints.reduced.insert(position: position)
    journal.record(.recovered, now, place: position)
    actions.append(.emit(.endpointRecovered(endpoints[position].id)))
  }

  // MARK: Credentials and cool-downs

  /// Out until it is reset or reconfigured.
  mutating func rejectCredential(
    _ position: Int, _ failure: FailureClass, _ now: Instant, _ actions: inout ActionList
  ) {
    guard endpoints[position].rejectedBy == nil else { return }
    endpoints[position].rejectedBy = failure
    endpoints[position].rejectedAt = now
    needsReview = true
    journal.record(.credentialRejected, now, note: failure.rawValue, place: position)
    actions.append(.emit(.credentialRejected(endpoints[position].id, failure)))
    refreshRank(position)
  }

  /// Leaves an endpoint alone for a while. A later end replaces an earlier one, never the other way round.
  mutating func cool(
    _ position: Int, _ wish: Interval, forLimit: Bool, _ now: Instant, _ actions: inout ActionList
  ) {
    let span = Swift.min(wish, settings.health.coolingMax)
    let until = now + span
    guard span > .zero, until > endpoints[position].coolUntil else { return }
    let id = endpoints[position].id
    endpoints[position].coolUntil = until
    endpoints[position].coolsForLimit = forLimit
    deadlines.cancel(&endpoints[position].coolToken)
    endpoints[position].coolToken = deadlines.insert(until, .cooling, index: UInt32(id.rawValue))
    needsReview = true
    journal.record(
      .cooling, now, place: position, detail: UInt32(clamping: span.nanoseconds / 1_000_000))
    actions.append(.emit(.endpointCooling(id, until: until)))
    refreshRank(position)
  }

  mutating func endCooling(_ position: Int, _ now: Instant, _ actions: inout ActionList) {
    guard endpoints[position].isCooling else { return }
    endpoints[position].coolUntil = .distantPast
    journal.record(.cooled, now, place: position)
    actions.append(.emit(.endpointCooled(endpoints[position].id)))
    refreshRank(position)
  }

  private mutating func defaultCooling(_ position: Int) -> Interval {
    let shift = Swift.min(Int64(endpoints[position].coolings), 6)
    endpoints[position].coolings = Swift.min(endpoints[position].coolings + 1, 6)
    return settings.health.defaultCooling.scaled(by: Double(1 << shift))
  }

  // MARK: Ranks

  /// Puts an endpoint where its state says it belongs.
  mutating func refreshRank(_ position: Int) {
    let rank = rank(of: position)
    guard endpoints[position].rank != rank else { return }
    endpoints.setRank(position, rank)
    scheduleRegions(.distantPast)
  }

  mutating func refreshRanks(of origin: Int) {
    for position in endpoints.positions where Int(endpoints[position].origin) == origin { refreshRank(position) }
  }

  func rank(of position: Int) -> EndpointRank {
    let rank = health(of: position)
    let isFar = rank == .primary && regions.isActive && Int(endpoints[position].region) != regions.current
    return isFar ? .farther : rank
  }

  /// The rank of an endpoint wherever it is.
  func health(of position: Int) -> EndpointRank {
    let record = endpoints[position]
    if !record.isInService || record.isCooling { return .out }
    let origin = Int(record.origin)
    if origins[origin].isFailing, slots.open(origin) == 0 { return .disconnected }
    switch record.health.state {
    case .healthy: return record.role == .primary ? .primary : .backup
    case .failing: return record.role == .primary ? .failingPrimary : .failingBackup
    case .ejected: return .ejected
    }
  }

  // MARK: Active checks

  /// Schedules the next look at an endpoint: the end of its ejection, or the next check of an idle one.
  mutating func scheduleHealth(_ position: Int, _ now: Instant) {
    guard !endpoints[position].isProbing else { return }
    let record = endpoints[position]
    deadlines.cancel(&endpoints[position].healthToken)
    guard !record.isRemoved, mode == .open || mode == .paused else { return }
    let next: Instant
    switch record.health.state {
    case .ejected:
      next = record.health.until
    case .failing:
      next = now + settings.health.interval
    case .healthy:
      let checks = checksIdle(record, now)
      endpoints[position].isWatched = checks || !settings.health.probeIdle
      guard checks else { return }
      next = Swift.max(Swift.max(record.lastSuccess, record.lastGrant) + settings.health.interval, now)
    }
    endpoints[position].isWatched = true
    let soonest = now + .milliseconds(1)
    endpoints[position].healthToken = deadlines.insert(
      Swift.max(next, soonest), .health, index: UInt32(record.id.rawValue))
  }

  mutating func healthDue(_ position: Int, _ now: Instant, _ actions: inout ActionList) {
    if endpoints[position].isProbing {
      // The check was never answered.
      endpoints[position].isProbing = false
      return conclude(position, .failed(.timeout), now, &actions)
    }
    let record = endpoints[position]
    let isDue: Bool =
      switch record.health.state {
      case .ejected: record.health.until <= now
      case .failing: true
      case .healthy:
        checksIdle(record, now) && Swift.max(record.lastSuccess, record.lastGrant) + settings.health.interval <= now
      }
    let mayCheck = mode == .open && record.isInService && !record.isCooling
    if isDue, mayCheck {
      probe(position, now, &actions)
    } else if mayCheck {
      scheduleHealth(position, now)
    } else {
      endpoints[position].healthToken = deadlines.insert(
        now + settings.health.interval, .health, index: UInt32(record.id.rawValue))
    }
  }

  /// A healthy endpoint is checked while it is idle, as long as it is kept warm.
  private func checksIdle(_ record: EndpointRecord, _ now: Instant) -> Bool {
    settings.health.probeIdle && record.lastGrant != .distantPast
      && now - record.lastGrant < Swift.max(settings.connections.keepWarm, settings.health.interval)
  }

  private mutating func probe(_ position: Int, _ now: Instant, _ actions: inout ActionList) {
    let id = endpoints[position].id
    let deadline = now + settings.health.timeout
    endpoints[position].isProbing = true
    endpoints[position].healthToken = deadlines.insert(
      deadline + Self.answerGrace, .health, index: UInt32(id.rawValue))
    counters.probes &+= 1
    journal.record(.probing, now, place: position)
    actions.append(.probe(id, deadline: deadline))
  }

  /// The answer to `.probe`.
  public mutating func probeFinished(
    _ endpoint: EndpointID, _ result: ProbeResult, now: Instant, into actions: inout ActionList
  ) {
    guard let position = endpoints.position(endpoint), endpoints[position].isProbing else {
      return countStale(UInt32(endpoint.rawValue), 0, now)
    }
    endpoints[position].isProbing = false
    deadlines.cancel(&endpoints[position].healthToken)
    conclude(position, result, now, &actions)
    settle(now, &actions)
  }

  mutating func conclude(
    _ position: Int, _ result: ProbeResult, _ now: Instant, _ actions: inout ActionList
  ) {
    switch result {
    case .success:
      journal.record(.probed, now, place: position)
      probeSucceeded(position, now, &actions)
    case .failed(let failure) where failure.harmsHealth:
      journal.record(.probed, now, note: 1, place: position)
      probeFailed(position, now, &actions)
    case .failed(let failure):
      journal.record(.probed, now, place: position)
      if failure == .credential || failure == .quota {
        rejectCredential(position, failure, now, &actions)
      } else if failure != .cancelled {
        // It answered; what it did not like was the question.
        probeSucceeded(position, now, &actions)
      }
    case .unavailable:
      if endpoints[position].health.state != .healthy {
        endpoints[position].health.releaseOnTrial(now, settings.health)
        recovered(position, now, &actions)
      }
      endpoints[position].lastSuccess = now
    }
    refreshRank(position)
    scheduleHealth(position, now)
  }

  private mutating func probeSucceeded(_ position: Int, _ now: Instant, _ actions: inout ActionList) {
    endpoints[position].lastSuccess = now
    let verdict = endpoints[position].health.succeeded(grantedAt: now, now: now, settings.health)
    if case .recovered = verdict { recovered(position, now, &actions) }
    if endpoints[position].health.state == .ejected {
      endpoints[position].health.checkAgain(at: now + Swift.min(settings.health.interval, .seconds(1)))
    }
  }

  private mutating func probeFailed(_ position: Int, _ now: Instant, _ actions: inout ActionList) {
    // The next idle check counts from here.
    endpoints[position].lastSuccess = Swift.max(endpoints[position].lastSuccess, now)
    let verdict = endpoints[position].health.failed(grantedAt: now, settings.health)
    if case .shouldEject = verdict { eject(position, now, &actions) }
    if endpoints[position].health.state == .ejected, endpoints[position].health.until <= now {
      let pause = settings.health.interval.scaled(by: 1 - 0.1 * random.unit())
      endpoints[position].health.postpone(until: now + pause)
    }
  }
}
