import SluicePolicy

/// Callers: they wish, wait, hold, return, and sometimes give up.
extension Simulation {
  func arrive() {
    guard loadGoesOn else { return }
    wish()
    later(latency.time(around: .microseconds(Int64(1_000_000 / options.arrivalsPerSecond))), .arrival)
  }

  private func wish() {
    let call = CallID(calls.count)
    let request = makeRequest()
    calls.append(SimulatedCall())
    note(.wished(call, request))
    let outcome = tell {
      $0.acquire(request, now: now, into: &$1)
    } fact: {
      switch $0 {
      case .granted(let grant): .grantedAtOnce(call, grant)
      case .queued(let ticket): .queued(call, ticket)
      case .rejected(let rejection): .refusedAtOnce(call, rejection)
      }
    }
    switch outcome {
    case .granted(let grant): use(grant, by: call)
    case .queued(let ticket):
      calls[call].state = .waiting(ticket)
      ticketOwners[ticket] = call
      if chance.chance(faults[.cancelled]) { later(latency.time(around: .milliseconds(100)), .giveUp(call)) }
    case .rejected: break
    }
  }

  /// The remote side will not look at what this call sent: it gives its slot back and comes again at once, as if it had
  /// not sent anything.
  func turnBack(_ call: CallID) {
    guard case .holding(let lease, let grant) = calls[call].state else { return }
    calls[call].state = .ended
    resources[grant.resource]?.holders.removeAll { $0 == call }
    giveBack(lease, ExchangeReport(result: .unused, fate: .close(.remoteClosed)))
    wish()
  }

  private func makeRequest() -> AcquireRequest {
    var request = AcquireRequest(
      loop: LoopID(load.range(0, options.loops - 1)), priority: load.pick(PriorityClass.allCases),
      caller: CallerID(rawValue: UInt32(load.range(0, 3))),
      deadline: now + .milliseconds(Int64(load.range(20, 5000))), arrival: now)
    if load.chance(0.1) { request.excluding.insert(load.pick(layout.endpoints)) }
    if load.chance(0.03) { request.pinned = load.pick(layout.endpoints) }
    request.freshOnly = load.chance(0.02)
    return request
  }

  /// The grant reaches its caller: it may have given up meanwhile.
  func deliver(_ ticket: TicketID, _ grant: Grant) {
    guard let call = ticketOwners.removeValue(forKey: ticket) else { return }
    perhapsAgain(.cancelled(ticket))
    if case .abandoned = calls[call].state {
      calls[call].state = .ended
      giveBack(grant.lease, .unused)
    } else {
      use(grant, by: call)
    }
  }

  func refuse(_ ticket: TicketID) {
    guard let call = ticketOwners.removeValue(forKey: ticket) else { return }
    calls[call].state = .ended
    perhapsAgain(.cancelled(ticket))
  }

  func giveUp(_ call: CallID) {
    guard case .waiting(let ticket) = calls[call].state else { return }
    if cancel(ticket) {
      calls[call].state = .ended
      ticketOwners[ticket] = nil
    } else {
      calls[call].state = .abandoned(ticket)
    }
  }

  @discardableResult
  func cancel(_ ticket: TicketID) -> Bool {
    tell {
      $0.cancel(ticket, now: now, into: &$1)
    } fact: {
      .cancelled(ticket, accepted: $0)
    }
  }

  private func use(_ grant: Grant, by call: CallID) {
    calls[call].state = .holding(grant.lease, grant)
    resources[grant.resource]?.holders.append(call)
    send(on: grant.resource)
    let time = isBroken(grant.resource) ? .milliseconds(30) : options.holdTime
    later(latency.time(around: time), .exchangeEnds(call))
  }

  private func isBroken(_ resource: ResourceID) -> Bool {
    resources[resource].map { $0.isDead || $0.state != .open } ?? true
  }

  func exchangeEnds(_ call: CallID) {
    guard case .holding(let lease, let grant) = calls[call].state else { return }
    calls[call].state = .ended
    resources[grant.resource]?.holders.removeAll { $0 == call }
    resources[grant.resource]?.lastUse = now
    resources[grant.resource]?.lastPacket = now
    hearQuota(grant.endpoint)
    giveBack(lease, isBroken(grant.resource) ? brokenReport() : report(grant.endpoint))
    perhapsAgain(.released(lease))
  }

  /// An answer's head says how much the endpoint has left: in the normal case some, now and then nothing.
  private func hearQuota(_ endpoint: EndpointID) {
    guard faults[.limitReached] > 0, chance.chance(faults[.limitReached]) else { return }
    let pause: Interval? = chance.chance(0.5) ? .milliseconds(Int64(chance.range(0, 4000))) : nil
    // Words may cross on their way.
    let heardAt = chance.chance(0.1) ? now - .milliseconds(Int64(chance.range(1, 500))) : now
    let quota = EndpointQuota(heardAt: heardAt)
    note(.quotaHeard(endpoint, at: heardAt, pause: pause))
    tell { $0.quotaHeard(endpoint, quota, pause: pause, now: now, into: &$1) }
  }

  func giveBack(_ lease: LeaseID, _ report: ExchangeReport) {
    tell {
      $0.release(lease, report, now: now, into: &$1)
    } fact: {
      .released(lease, report, accepted: $0)
    }
  }

  private func brokenReport() -> ExchangeReport {
    ExchangeReport(result: .failed(.network), fate: .close(.remoteClosed), total: .milliseconds(30))
  }

  private func report(_ endpoint: EndpointID) -> ExchangeReport {
    let latency = latency.time(around: .milliseconds(20))
    var report = ExchangeReport(result: .success, latency: latency, total: latency + options.holdTime)
    if isSick(endpoint) {
      report.result = .failed(.server)
    } else if chance.chance(faults[.rateLimited]) {
      report.result = .failed(chance.chance(0.8) ? .rateLimited : .overloaded)
      report.coolFor = hint()
    } else if chance.chance(faults[.credentialRejected]) {
      report.result = .failed(.credential)
    } else if chance.chance(faults[.exchangeFails]) {
      report.result = .failed(chance.pick([.server, .overloaded, .timeout, .caller, .protocolError]))
      if report.result == .failed(.protocolError) { report.fate = .close(.protocolError) }
    } else if chance.chance(faults[.cancelled] * 0.3) {
      // Its caller left: in the middle of it, or before anything was sent.
      if steps.isMultiple(of: 2) { return .unused }
      report.result = .cancelled
      report.fate = .close(.cancelled)
    }
    return report
  }

  /// How long a provider says that it wants to be left alone: mostly sensible, sometimes nothing at all or a lie.
  private func hint() -> Interval? {
    switch chance.range(0, 19) {
    case 0: .zero
    case 1: chance.pick([.max, .hours(24 * 1000), .hours(1)])
    case 2...6: nil
    default: .milliseconds(Int64(chance.range(100, 8000)))
    }
  }
}
