package import SluicePolicy

/// The clocks: separate, named, and all of them deadlines that the machine asks for. One timer serves them; firing
/// early or twice is harmless, and a deadline that moved later is noticed when the old one fires.
extension ExchangeMachine {
  /// The earliest moment at which `deadlineReached` has something to decide.
  package var nextDeadline: Instant? {
    let next = expiring.at
    return next == .distantFuture ? nil : next
  }

  package mutating func deadlineReached(
    now: Instant, random: UInt64, withdraw: () -> Bool
  ) -> ExchangeDecision {
    let (at, clock) = expiring
    guard state != .ended, now >= at else { return .none }
    if state == .sleeping, now < deadline { return ExchangeDecision(acquire(now)) }
    switch clock {
    case .firstByte, .firstToken, .betweenBytes:
      return upstreamTooSlow(clock, now: now, random: random, withdraw: withdraw)
    default:
      return timedOut(now)
    }
  }

  /// The clock that runs out first in the present state.
  private var expiring: (at: Instant, clock: ExchangeClock) {
    var first = (at: deadline, clock: deadline == callerDeadline ? ExchangeClock.callerDeadline : .total)
    func offer(_ limit: Interval?, from start: Instant, _ clock: ExchangeClock) {
      guard let limit, start + limit < first.at else { return }
      first = (start + limit, clock)
    }
    switch state {
    case .ended: return (.distantFuture, .total)
    case .receiving:
      if receiveDeadline < first.at { first = (receiveDeadline, .receive) }
    case .sleeping:
      if wakeAt < first.at { first = (wakeAt, .queue) }
    case .sent:
      if wantsStream {
        offer(settings.firstToken, from: sentAt, .firstToken)
      } else {
        offer(settings.firstByte, from: sentAt, .firstByte)
      }
    case .refused:
      offer(settings.betweenBytes, from: lastByteAt, .betweenBytes)
    case .held, .streaming:
      guard isStream, !isPaused else { break }
      offer(settings.betweenBytes, from: lastByteAt, .betweenBytes)
      if !sawFirstToken { offer(settings.firstToken, from: sentAt, .firstToken) }
    case .acquiring, .queued: break
    }
    return first
  }

  private mutating func upstreamTooSlow(
    _ clock: ExchangeClock, now: Instant, random: UInt64, withdraw: () -> Bool
  ) -> ExchangeDecision {
    let facts = FailureFacts(.timeout)
    let report = report(.failed(.timeout), fate: .close(.cancelled), now: now, facts: facts)
    var decision: ExchangeDecision
    if state == .streaming {
      decision = breakOff(ExchangeFailure(.timeout, Self.code(of: clock), clock: clock), release: report, now)
    } else {
      decision = recover(from: facts, release: report, now: now, random: random, withdraw: withdraw)
      if case .fail(var failure) = decision.step, !failure.usesRecordedAnswer {
        failure.code = Self.code(of: clock)
        failure.clock = clock
        outcome = .failed(.timeout, failure.code)
        decision.step = .fail(failure)
      }
    }
    decision.cancelUpstream = true
    return decision
  }

  /// The total clock, the caller's deadline, or the request's own arrival ran out: the end in any state.
  mutating func timedOut(_ now: Instant) -> ExchangeDecision {
    let clock: ExchangeClock =
      if now >= callerDeadline {
        .callerDeadline
      } else if now >= deadline {
        .total
      } else {
        .receive
      }
    let failureClass: FailureClass = clock == .receive ? .caller : .timeout
    let failure = ExchangeFailure(failureClass, Self.code(of: clock), clock: clock)
    let step: ExchangeStep = isCommitted ? .breakOff(failure) : .fail(failure)
    // The total clock blames the endpoint it caught; the caller's own deadline blames nobody.
    guard clock == .total, holdsLease else {
      return interrupt(step, .failed(failureClass, failure.code), now)
    }
    let report = report(
      .failed(.timeout), fate: .close(.cancelled), now: now, facts: FailureFacts(.timeout))
    var decision = end(step, .failed(.timeout, failure.code), release: report, now)
    decision.cancelUpstream = true
    return decision
  }

  private static func code(of clock: ExchangeClock) -> GatewayErrorCode {
    switch clock {
    case .receive: .requestTimeout
    case .queue: .queueTimeout
    case .firstByte: .firstByteTimeout
    case .firstToken: .firstTokenTimeout
    case .betweenBytes: .betweenBytesTimeout
    case .total: .totalTimeout
    case .callerDeadline: .deadlineExceeded
    }
  }
}
