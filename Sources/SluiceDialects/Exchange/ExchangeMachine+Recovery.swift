package import SluicePolicy

/// What to do after a failure, in this order: replay, walk to another key, retry in this pool, spill along the route,
/// answer. Which of them apply is the failure class's to say; how often is bounded here.
extension ExchangeMachine {
  /// Sends the request once more on a connection that never served: not a retry, but counted.
  mutating func replay(release report: ExchangeReport, _ now: Instant) -> ExchangeDecision {
    leaveAttempt()
    counters.replays += 1
    freshOnly = true
    return ExchangeDecision(acquire(now), release: report)
  }

  /// Times that an upstream may refuse to look at the request before that counts as a failure.
  package static var maxRefusals: Int { 8 }

  /// The upstream says that it has not looked at the request: it goes out once more, wherever there is room. Nobody is
  /// to blame, so the slot goes back as if it had not been used.
  mutating func sendAgain(_ now: Instant) -> ExchangeDecision {
    leaveAttempt()
    counters.refusals += 1
    return ExchangeDecision(acquire(now), release: report(.unused, fate: .close(.remoteClosed), now: now, facts: nil))
  }

  /// The answer refused the signature, and what was wrong with it is being put right.
  ///
  /// - Parameter patience: how long that may take; zero: it is done.
  package mutating func answerMendable(
    attempt: Int, _ facts: FailureFacts, fate: ResourceFate, patience: Interval, now: Instant, random: UInt64,
    withdraw: () -> Bool
  ) -> ExchangeDecision {
    guard state == .refused, attempt == self.attempt else { return .none }
    if facts.hasAnswer { recorded = facts }
    let report = report(.failed(facts.failureClass), fate: fate, now: now, facts: facts)
    return mend(facts, report, patience, now: now, random: random, withdraw: withdraw)
  }

  /// There is nothing to sign the attempt with: it was not sent.
  ///
  /// - Parameter patience: how long it may take until there is; nil: nobody knows.
  package mutating func unsigned(
    attempt: Int, patience: Interval?, now: Instant, random: UInt64, withdraw: () -> Bool
  ) -> ExchangeDecision {
    guard state == .sent, attempt == self.attempt else { return .none }
    counters.sent -= 1
    lacksCredentials = true
    let facts = FailureFacts(.credential, scope: .model, code: .credentialsMissing)
    let report = report(.unused, fate: .reusable, now: now, facts: nil)
    guard let patience else {
      return recover(from: facts, release: report, now: now, random: random, withdraw: withdraw)
    }
    return mend(facts, report, patience, now: now, random: random, withdraw: withdraw)
  }

  /// New credentials have come, or will not.
  package mutating func mended(now: Instant) -> ExchangeDecision {
    guard state == .sleeping, awaitsMend, now < deadline else { return .none }
    return ExchangeDecision(acquire(now))
  }

  /// Once per exchange; it costs no try.
  private mutating func mend(
    _ facts: FailureFacts, _ report: ExchangeReport, _ patience: Interval, now: Instant, random: UInt64,
    withdraw: () -> Bool
  ) -> ExchangeDecision {
    guard counters.mends == 0, now < deadline else {
      return recover(from: facts, release: report, now: now, random: random, withdraw: withdraw)
    }
    leaveAttempt()
    enter(.acquire, now)
    counters.mends += 1
    guard patience > .zero else { return ExchangeDecision(acquire(now), release: report) }
    let step = sleep(until: min(now + patience, deadline + Interval(nanoseconds: -1)), now)
    awaitsMend = true
    return ExchangeDecision(step, release: report)
  }

  mutating func recover(
    from facts: FailureFacts, release report: ExchangeReport, now: Instant, random: UInt64, withdraw: () -> Bool
  ) -> ExchangeDecision {
    leaveAttempt()
    enter(.acquire, now)
    guard now < deadline else {
      var decision = timedOut(now)
      decision.release = report
      return decision
    }
    let step = nextTry(after: facts, now: now, random: random, withdraw: withdraw)
    return ExchangeDecision(step ?? fail(after: facts, now), release: report)
  }

  /// The pool has nothing: go back on soft exclusions, spill, wait for a limited key, or answer.
  mutating func recover(
    from rejection: RejectionFacts, now: Instant, random: UInt64, withdraw: () -> Bool
  ) -> ExchangeStep {
    guard now < deadline else { return timedOut(now).step }
    if rejection.noEndpoint, !failed.isEmpty {
      failed = EndpointSet()
      return acquire(now)
    }
    // What refused ten minutes ago may serve by now; one of them is asked, not all.
    if rejection.onlyRefusingLeft, avoidsRefusing, limited.isEmpty {
      avoidsRefusing = false
      return acquire(now)
    }
    if let step = spill(now) { return step }
    if rejection.noEndpoint, let step = waitForLimited(now: now, withdraw: withdraw) { return step }
    return fail(after: rejection, now)
  }

  private mutating func nextTry(
    after facts: FailureFacts, now: Instant, random: UInt64, withdraw: () -> Bool
  ) -> ExchangeStep? {
    switch (facts.failureClass, facts.failureClass.retry) {
    case (.caller, _) where facts.scope == .model:
      // This key does not have the model; another one may.
      return walk(after: facts, now)
    case (.credential, _), (.quota, _), (.rateLimited, _):
      return walk(after: facts, now)
    case (_, .never):
      // The one exception: the provider itself asks for another try.
      guard facts.shouldRetry == true, facts.failureClass == .caller else { return nil }
      return retry(after: facts, now: now, random: random, withdraw: withdraw)
    case (_, .otherPool):
      return spill(now)
    case (_, .otherEndpoint):
      let step = retry(after: facts, now: now, random: random, withdraw: withdraw)
      if step != nil { failed.insert(endpoint) }
      return step.map { refreshed($0, now) } ?? spill(now)
    case (_, .sameEndpoint):
      return retry(after: facts, now: now, random: random, withdraw: withdraw) ?? spill(now)
    }
  }

  /// To another key at once. It costs no try: every walk leaves one more endpoint out, so there are at most as many
  /// as the pool has endpoints.
  private mutating func walk(after facts: FailureFacts, _ now: Instant) -> ExchangeStep? {
    guard !limited.contains(endpoint), avoidsRefusing || facts.scope != .model else { return spill(now) }
    limited.insert(endpoint)
    counters.walks += 1
    if facts.failureClass == .rateLimited, let wait = facts.retryAfter {
      limitedUntil = min(limitedUntil, now + wait)
    }
    return acquire(now)
  }

  /// A paid try in the same pool, after a backoff.
  private mutating func retry(
    after facts: FailureFacts, now: Instant, random: UInt64, withdraw: () -> Bool
  ) -> ExchangeStep? {
    guard facts.shouldRetry != false, tries < settings.attempts else { return nil }
    let wait = max(facts.retryAfter ?? .zero, backoff(random))
    guard now + wait < deadline else { return nil }
    guard pay(withdraw) else { return nil }
    return wait > .zero ? sleep(until: now + wait, now) : acquire(now)
  }

  /// All keys are limited: wait for the first to return, if there is time and a paid try left.
  private mutating func waitForLimited(now: Instant, withdraw: () -> Bool) -> ExchangeStep? {
    guard !limited.isEmpty, limitedUntil < deadline, tries < settings.attempts else { return nil }
    guard pay(withdraw) else { return nil }
    let wake = limitedUntil
    limited = EndpointSet()
    limitedUntil = .distantFuture
    return wake > now ? sleep(until: wake, now) : acquire(now)
  }

  private mutating func pay(_ withdraw: () -> Bool) -> Bool {
    guard withdraw() else {
      counters.budgetRefusals += 1
      return false
    }
    tries += 1
    counters.retries += 1
    return true
  }

  private mutating func spill(_ now: Instant) -> ExchangeStep? {
    guard target + 1 < targetCount else { return nil }
    target += 1
    tries = 1
    limited = EndpointSet()
    failed = EndpointSet()
    avoidsRefusing = true
    limitedUntil = .distantFuture
    freshOnly = false
    counters.spills += 1
    return acquire(now)
  }

  private mutating func sleep(until wake: Instant, _ now: Instant) -> ExchangeStep {
    state = .sleeping
    awaitsMend = false
    enter(.queue, now)
    wakeAt = wake
    return .sleep(until: wake)
  }

  /// An acquire step that was built before an endpoint was excluded names it now.
  private mutating func refreshed(_ step: ExchangeStep, _ now: Instant) -> ExchangeStep {
    if case .acquire = step { return acquire(now) }
    return step
  }

  /// Full jitter (Brooker, "Exponential Backoff And Jitter", 2015): anything from nothing to the doubled ceiling.
  private func backoff(_ random: UInt64) -> Interval {
    let doublings = min(max(tries - 1, 0), 20)
    let ceiling = min(settings.backoffCeiling, settings.backoffBase.scaled(by: Double(1 << doublings)))
    return ceiling.scaled(by: Double(random >> 11) * 0x1p-53)
  }

  private mutating func leaveAttempt() {
    holdsLease = false
    isPaused = false
  }
}

// MARK: - Answers of last resort

extension ExchangeMachine {
  private mutating func fail(after facts: FailureFacts, _ now: Instant) -> ExchangeStep {
    let failure = ExchangeFailure(
      facts.failureClass, facts.code ?? code(for: facts.failureClass), retryAfter: soonest(facts.retryAfter, now),
      usesRecordedAnswer: facts.hasAnswer, shouldRetry: advice(facts))
    return end(.fail(failure), .failed(failure.failureClass, failure.code), release: nil, now).step
  }

  /// The pool's word, unless a provider already answered this exchange: its own error says more.
  private mutating func fail(after rejection: RejectionFacts, _ now: Instant) -> ExchangeStep {
    // Without credit no time helps.
    let isHopeless = rejection.code == .rateLimited && rejection.retryAfter == nil
    var failure = ExchangeFailure(
      rejection.failureClass, rejection.code, retryAfter: soonest(rejection.retryAfter, now),
      shouldRetry: isHopeless ? false : nil)
    if let recorded {
      let hints = [recorded.retryAfter, rejection.retryAfter].compactMap(\.self)
      failure = ExchangeFailure(
        recorded.failureClass, code(for: recorded.failureClass), retryAfter: soonest(hints.min(), now),
        usesRecordedAnswer: true, shouldRetry: advice(recorded))
    } else if rejection.code == .queueTimeout, now >= callerDeadline {
      failure.code = .deadlineExceeded
    } else if rejection.noEndpoint, lacksCredentials {
      failure.failureClass = .credential
      failure.code = .credentialsMissing
    }
    return end(.fail(failure), .failed(failure.failureClass, failure.code), release: nil, now).step
  }

  /// The truthful wait: the first of the limited keys to return counts, not the last one asked.
  private func soonest(_ hint: Interval?, _ now: Instant) -> Interval? {
    guard limitedUntil != .distantFuture, limitedUntil > now else { return hint }
    return min(hint ?? .max, limitedUntil - now)
  }

  /// The SDKs retry what waiting cannot cure unless they are told not to.
  private func advice(_ facts: FailureFacts) -> Bool? {
    switch facts.failureClass {
    case .quota, .credential: false
    default: facts.shouldRetry
    }
  }

  private func code(for failureClass: FailureClass) -> GatewayErrorCode {
    switch failureClass {
    case .credential: .credentialRejected
    case .rateLimited, .quota: .rateLimited
    case .network: .upstreamBroke
    case .protocolError: .upstreamProtocol
    case .timeout: .firstByteTimeout
    default: .upstreamError
    }
  }
}
