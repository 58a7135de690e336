package import SluicePolicy

/// The life of one exchange, from the request's first byte to the answer's last: what to do next, when to try again
/// and where, and how it is accounted for. Pure: facts and `now` go in, one decision comes out. The caller carries it
/// out in order and reports what came of it.
///
/// States and their successors:
///
///     receiving ── requestReceived ──▶ acquiring
///     acquiring ── granted ──▶ sent                    ── queued ──▶ queued      ── rejected ──▶ (recovery)
///     queued    ── granted ──▶ sent                    ── rejected, clock ──▶ (recovery)
///     sent      ── upstreamHead 2xx ──▶ held
///               ── upstreamHead error ──▶ refused      ── upstreamFailed, clock ──▶ (recovery)
///     held      ── answerEnded ──▶ ended               ── headSent (outgrew the hold, or a stream began) ──▶ streaming
///               ── upstreamFailed, cut short, a stream that begins with an error, clock ──▶ (recovery)
///     refused   ── answerRefused, upstreamFailed, clock ──▶ (recovery)
///     streaming ── answerEnded, upstreamFailed, clock ──▶ ended
///               ── answerMendable ──▶ acquiring, sleeping
///     sleeping  ── deadlineReached, mended ──▶ acquiring
///     (recovery) is one of: acquiring, sleeping, ended
///     any       ── clientGone, shutDown ──▶ ended
///
/// Invariants:
/// - A decision whose step `isEnd` is given exactly once; afterwards every event answers `.none`, save that a lease
///   that arrives late is given back unused.
/// - Every `granted` is answered by exactly one `release`.
/// - Once the head was sent to the client nothing is acquired again.
/// - In one pool at most `attempts` paid tries, plus walks (each to an endpoint not tried before) and, per exchange,
///   one replay of a request that died on a reused connection, one that was signed anew, and a few of one that the
///   upstream did not look at.
/// - Nothing is begun or waited for beyond the earlier of the total clock and the caller's deadline.
///
/// An event may come late, twice or in any state. Facts about the upstream carry the attempt they belong to, so that
/// the remains of an earlier attempt cannot touch the current one.
///
/// It is a plain struct for the exchange's handler to own; no event allocates.
package struct ExchangeMachine: Sendable {
  enum State: UInt8, Sendable {
    case receiving, acquiring, queued, sent, held, refused, streaming, sleeping, ended
  }

  var state = State.receiving
  var settings: ExchangeSettings
  let targetCount: Int
  let begun: Instant
  /// The earlier of the total clock and the caller's deadline.
  var deadline: Instant
  let callerDeadline: Instant
  let receiveDeadline: Instant
  let model: UInt64
  let wantsStream: Bool

  // The route and the tries.
  var target = 0
  var tries = 0
  /// Endpoints left behind because their key is limited or rejected.
  var limited = EndpointSet()
  /// Endpoints that failed; avoided while another one can serve.
  var failed = EndpointSet()
  /// Endpoints that are known to refuse the model are left out; until nobody else is left.
  var avoidsRefusing = true
  /// When the first of the limited endpoints may be asked again.
  var limitedUntil = Instant.distantFuture
  var freshOnly = false
  var wakeAt = Instant.distantFuture
  /// Sleeps until new credentials have come.
  var awaitsMend = false
  /// There was nothing to sign an attempt with.
  var lacksCredentials = false
  /// The failure whose error answer the caller has collected.
  var recorded: FailureFacts?

  // The current attempt.
  var attempt = 0
  var endpoint = EndpointID(rawValue: 0)
  var holdsLease = false
  var sentAt = Instant.distantPast
  var firstByteAt = Instant.distantPast
  var lastByteAt = Instant.distantPast
  var isStream = false
  var sawFirstToken = false
  var isPaused = false

  package private(set) var phases: PhaseClock
  package internal(set) var counters = ExchangeCounters()
  package internal(set) var outcome: ExchangeOutcome?

  /// - Parameters:
  ///   - settings: of the first target; see `use(_:)` for the others.
  ///   - targetCount: length of the resolved route.
  ///   - callerDeadline: the client's own deadline, if it sent one.
  ///   - receiveTimeout: longest time for the request's body to arrive.
  ///   - model: hash of the model name for the reports.
  ///   - wantsStream: the client asked for a stream, whose first byte has a clock of its own.
  package init(
    settings: ExchangeSettings, targetCount: Int = 1, callerDeadline: Instant = .distantFuture,
    receiveTimeout: Interval = .seconds(60), model: UInt64 = 0, wantsStream: Bool = false, now: Instant
  ) {
    self.settings = settings
    self.wantsStream = wantsStream
    self.targetCount = max(1, targetCount)
    self.callerDeadline = callerDeadline
    self.model = model
    begun = now
    deadline = min(now + settings.total, callerDeadline)
    receiveDeadline = now + receiveTimeout
    phases = PhaseClock(begun: now)
  }

  /// The head has gone to the client: nothing can be retried any more.
  package var isCommitted: Bool { state == .streaming }
  package var isOver: Bool { state == .ended }
  /// Index of the route's target that is being tried.
  package var currentTarget: Int { target }
  /// Number of the attempt that upstream facts have to carry to count.
  package var currentAttempt: Int { attempt }

  /// How long ago the current attempt was sent.
  package func sinceSent(_ now: Instant) -> Interval { now - sentAt }

  /// The settings of the target named by an `acquire` step; call it before asking the pool when the target changed.
  /// The clocks that run over the whole exchange can only become shorter.
  package mutating func use(_ settings: ExchangeSettings) {
    self.settings = settings
    deadline = min(deadline, begun + settings.total)
  }

  mutating func enter(_ phase: PhaseClock.Phase, _ now: Instant) { phases.enter(phase, now: now) }

  mutating func renamePhase(_ phase: PhaseClock.Phase) { phases.rename(phase) }
}

// MARK: - Getting a lease

extension ExchangeMachine {
  /// The request is complete and its route is known.
  package mutating func requestReceived(now: Instant) -> ExchangeDecision {
    guard state == .receiving else { return .none }
    guard now < deadline else { return timedOut(now) }
    tries = 1
    return ExchangeDecision(acquire(now))
  }

  /// The pool had no slot at once; a ticket waits.
  package mutating func queued(now: Instant) {
    guard state == .acquiring else { return }
    state = .queued
    enter(.queue, now)
  }

  package mutating func granted(_ grant: Grant, now: Instant) -> ExchangeDecision {
    guard state == .acquiring || state == .queued else {
      return ExchangeDecision(.none, release: .unused)
    }
    // A wait that ended with a new connection was a wait for that connection.
    if state == .queued, !grant.reused { renamePhase(.connect) }
    enter(.upstream, now)
    state = .sent
    attempt += 1
    counters.sent += 1
    endpoint = grant.endpoint
    holdsLease = true
    freshOnly = false
    sentAt = now
    firstByteAt = .distantPast
    lastByteAt = now
    isStream = false
    sawFirstToken = false
    isPaused = false
    return ExchangeDecision(.send(attempt: attempt))
  }

  /// The pool refused. `withdraw` takes one retry out of the retry budget, if there is one.
  package mutating func rejected(
    _ rejection: RejectionFacts, now: Instant, random: UInt64, withdraw: () -> Bool
  ) -> ExchangeDecision {
    guard state == .acquiring || state == .queued else { return .none }
    enter(.acquire, now)
    return ExchangeDecision(recover(from: rejection, now: now, random: random, withdraw: withdraw))
  }

  /// Builds the next wish; the state becomes `acquiring`.
  mutating func acquire(_ now: Instant) -> ExchangeStep {
    state = .acquiring
    enter(.acquire, now)
    wakeAt = .distantFuture
    return .acquire(
      AcquirePlan(
        target: target, excluding: limited.union(failed), avoidsRefusing: avoidsRefusing, freshOnly: freshOnly,
        deadline: acquireDeadline(now)))
  }

  /// While the route has further targets a wait may use up only half of the time that is left.
  private func acquireDeadline(_ now: Instant) -> Instant {
    let latest = min(deadline, now + settings.acquire)
    guard target + 1 < targetCount, latest != .distantFuture else { return latest }
    return now + Interval(nanoseconds: (latest - now).nanoseconds / 2)
  }
}

// MARK: - The answer

extension ExchangeMachine {
  /// The final head of the upstream's answer (not a 1xx).
  package mutating func upstreamHead(
    attempt: Int, status: Int, isEventStream: Bool, now: Instant
  ) -> ExchangeDecision {
    guard state == .sent, attempt == self.attempt else { return .none }
    firstByteAt = now
    lastByteAt = now
    isStream = isEventStream && status < 400
    guard status >= 200, status < 400 else {
      state = .refused
      return ExchangeDecision(.collect)
    }
    state = .held
    return ExchangeDecision(isStream ? .open : .hold)
  }

  /// The head was handed to the client. From here on nothing is retried.
  package mutating func headSent(now: Instant) {
    guard state == .held else { return }
    enter(.upstream, now)
    state = .streaming
  }

  /// Bytes of the answer arrived; once per read is enough.
  package mutating func upstreamBytes(attempt: Int, now: Instant) {
    if attempt == self.attempt { lastByteAt = now }
  }

  package mutating func firstTokenSeen(attempt: Int) {
    if attempt == self.attempt { sawFirstToken = true }
  }

  /// Reading from the upstream is withheld because the client is slow: its silence is ours.
  package mutating func readingPaused() { isPaused = true }

  package mutating func readingResumed(now: Instant) {
    isPaused = false
    lastByteAt = max(lastByteAt, now)
  }

  /// An answer with a success status came to its end.
  package mutating func answerEnded(
    attempt: Int, _ ending: AnswerEnd, fate: ResourceFate, now: Instant, random: UInt64, withdraw: () -> Bool
  ) -> ExchangeDecision {
    guard holdsLease, attempt == self.attempt, state == .held || state == .streaming else { return .none }
    switch ending {
    case .complete:
      return succeed(fate: fate, now)
    case .failed(let facts):
      let report = report(.failed(facts.failureClass), fate: fate, now: now, facts: facts)
      // A stream whose first words are an error, and that no client has seen, is as good as an error answer.
      if state == .held, isStream {
        if facts.hasAnswer { recorded = facts }
        return recover(from: facts, release: report, now: now, random: random, withdraw: withdraw)
      }
      let step: ExchangeStep = state == .held ? .deliver : .finish
      return end(step, .failed(facts.failureClass, .upstreamError), release: report, now)
    case .truncated:
      let facts = FailureFacts(.network)
      let report = report(.failed(.network), fate: fate, now: now, facts: facts)
      guard state == .held else {
        return breakOff(ExchangeFailure(.network, .upstreamTruncated), release: report, now)
      }
      return recover(from: facts, release: report, now: now, random: random, withdraw: withdraw)
    }
  }

  /// The error answer announced by `collect` is complete and classified.
  package mutating func answerRefused(
    attempt: Int, _ facts: FailureFacts, fate: ResourceFate, now: Instant, random: UInt64, withdraw: () -> Bool
  ) -> ExchangeDecision {
    guard state == .refused, attempt == self.attempt else { return .none }
    let report = report(.failed(facts.failureClass), fate: fate, now: now, facts: facts)
    if facts.hasAnswer { recorded = facts }
    return recover(from: facts, release: report, now: now, random: random, withdraw: withdraw)
  }

  /// The upstream broke: connection lost, protocol violated.
  ///
  /// - Parameter replaySafe: it was a reused connection and not one byte came back, so the request can be sent once
  ///   more on a fresh one.
  /// - Parameter isRefused: the upstream says that it has not looked at the request.
  package mutating func upstreamFailed(
    attempt: Int, _ failureClass: FailureClass, replaySafe: Bool, isRefused: Bool = false, now: Instant,
    random: UInt64, withdraw: () -> Bool
  ) -> ExchangeDecision {
    guard holdsLease, attempt == self.attempt else { return .none }
    if state == .sent, isRefused, counters.refusals < Self.maxRefusals, now < deadline { return sendAgain(now) }
    let facts = FailureFacts(failureClass)
    let reason: CloseReason = failureClass == .protocolError ? .protocolError : .broken
    let report = report(.failed(failureClass), fate: .close(reason), now: now, facts: facts)
    if state == .streaming {
      let code: GatewayErrorCode = failureClass == .protocolError ? .upstreamProtocol : .upstreamBroke
      return breakOff(ExchangeFailure(failureClass, code), release: report, now)
    }
    if state == .sent, replaySafe, counters.replays == 0, now < deadline {
      return replay(release: report, now)
    }
    return recover(from: facts, release: report, now: now, random: random, withdraw: withdraw)
  }

  private mutating func succeed(fate: ResourceFate, _ now: Instant) -> ExchangeDecision {
    let report = report(.success, fate: fate, now: now, facts: nil)
    return end(state == .held ? .deliver : .finish, .success, release: report, now)
  }
}

// MARK: - Endings from outside

extension ExchangeMachine {
  /// The client closed its connection or cancelled.
  package mutating func clientGone(now: Instant) -> ExchangeDecision {
    guard state != .ended else { return .none }
    return interrupt(.abandon, .cancelled, now)
  }

  /// The gateway stops and cannot wait for the exchange.
  package mutating func shutDown(now: Instant) -> ExchangeDecision {
    guard state != .ended else { return .none }
    let failure = ExchangeFailure(.cancelled, .shuttingDown)
    return interrupt(isCommitted ? .breakOff(failure) : .fail(failure), .failed(.cancelled, .shuttingDown), now)
  }

  /// Ends the exchange whatever it is doing; says nothing about the endpoint.
  mutating func interrupt(_ step: ExchangeStep, _ outcome: ExchangeOutcome, _ now: Instant) -> ExchangeDecision {
    let waits = state == .queued
    let running = holdsLease
    let release = running ? report(.cancelled, fate: .close(.cancelled), now: now, facts: nil) : nil
    var decision = end(step, outcome, release: release, now)
    decision.cancelTicket = waits
    decision.cancelUpstream = running
    return decision
  }

  mutating func breakOff(
    _ failure: ExchangeFailure, release: ExchangeReport?, _ now: Instant
  ) -> ExchangeDecision {
    end(.breakOff(failure), .failed(failure.failureClass, failure.code), release: release, now)
  }

  mutating func end(
    _ step: ExchangeStep, _ outcome: ExchangeOutcome, release: ExchangeReport?, _ now: Instant
  ) -> ExchangeDecision {
    state = .ended
    holdsLease = false
    wakeAt = .distantFuture
    enter(phases.phase, now)
    self.outcome = outcome
    return ExchangeDecision(step, release: release)
  }

  /// The account of the attempt that ends now.
  mutating func report(
    _ result: ExchangeResult, fate: ResourceFate, now: Instant, facts: FailureFacts?
  ) -> ExchangeReport {
    ExchangeReport(
      result: result, fate: fate, scope: facts?.scope ?? .endpoint,
      latency: firstByteAt >= sentAt ? firstByteAt - sentAt : .zero, total: now - sentAt,
      coolFor: facts?.retryAfter, model: model)
  }
}
