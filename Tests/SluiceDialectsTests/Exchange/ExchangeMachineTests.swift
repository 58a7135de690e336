import SluiceDialects
import SluicePolicy
import Testing

@Suite("The life of one exchange")
struct ExchangeMachineTests {
  @Test func plainAnswerIsHeldAndDelivered() {
    var exchange = ExchangeHarness()
    exchange.advance(.milliseconds(1))
    #expect(exchange.receive().plan?.excluding.isEmpty ?? false)
    #expect(exchange.grant().step == .send(attempt: 1))
    exchange.advance(.milliseconds(5))
    #expect(exchange.head().step == .hold)
    exchange.advance(.milliseconds(2))
    let end = exchange.ended()
    #expect(end.step == .deliver)
    #expect(end.release?.result == .success)
    #expect(end.release?.latency == .milliseconds(5))
    #expect(end.release?.total == .milliseconds(7))
    #expect(end.release?.model == 42)
    #expect(exchange.machine.outcome == .success)
    #expect(exchange.machine.counters.sent == 1)
    #expect(exchange.machine.nextDeadline == nil)
  }

  @Test func streamsAreForwardedOnceTheirHeadWasSent() {
    var exchange = ExchangeHarness()
    exchange.send()
    #expect(exchange.head(stream: true).step == .open)
    #expect(!exchange.machine.isCommitted)
    exchange.headSent()
    #expect(exchange.machine.isCommitted)
    #expect(exchange.ended().step == .finish)
  }

  @Test(arguments: [AnswerEnd.truncated, .failed(FailureFacts(.overloaded, hasAnswer: true))])
  func aStreamThatFailsBeforeItsHeadWasSentIsTriedAgain(_ end: AnswerEnd) {
    var exchange = ExchangeHarness(ExchangeSettings(attempts: 2))
    exchange.send()
    _ = exchange.head(stream: true)
    let first = exchange.ended(end)
    #expect(!first.step.isEnd && first.release != nil)
    _ = exchange.grant(1)
    _ = exchange.head(stream: true)
    let last = exchange.ended(end)
    #expect(last.step.isEnd)
    #expect(last.failure?.usesRecordedAnswer == (end != .truncated))
    #expect(exchange.machine.counters.sent == 2)
  }

  @Test(arguments: [ExchangeClock.firstToken, .betweenBytes])
  func aStreamThatFallsSilentBeforeItsHeadWasSentIsTriedAgain(_ clock: ExchangeClock) {
    var settings = ExchangeSettings(attempts: 2)
    settings.firstToken = clock == .firstToken ? .seconds(3) : nil
    settings.betweenBytes = clock == .betweenBytes ? .seconds(3) : nil
    var exchange = ExchangeHarness(settings)
    exchange.send()
    _ = exchange.head(stream: true)
    exchange.advance(.seconds(4))
    let first = exchange.deadline()
    #expect(!first.step.isEnd && first.cancelUpstream && first.release?.result == .failed(.timeout))
    _ = exchange.grant(1)
    _ = exchange.head(stream: true)
    exchange.advance(.seconds(4))
    let last = exchange.deadline()
    #expect(last.failure?.clock == clock)
    if case .fail = last.step {} else { Issue.record("\(last)") }
  }

  @Test func aHeldAnswerThatOutgrowsTheHoldIsCommitted() {
    var exchange = ExchangeHarness()
    exchange.send()
    _ = exchange.head()
    exchange.headSent()
    let broken = exchange.broke()
    #expect(broken.step.isEnd)
    #expect(broken.failure?.code == .upstreamBroke)
    if case .breakOff = broken.step {} else { #expect(Bool(false), "\(broken)") }
  }

  /// Only what is said about the account takes a key out; other refusals are about the model, or pass.
  @Test(arguments: [
    (FailureClass.credential, FailureReach.key, true, FailureScope.endpoint), (.credential, .key, false, .model),
    (.credential, .keyAndModel, false, .model), (.quota, .key, true, .endpoint), (.rateLimited, .key, false, .endpoint),
    (.quota, .keyAndModel, false, .model), (.server, .endpoint, false, .endpoint),
  ])
  func howFarAFailureReaches(_ failure: FailureClass, _ reach: FailureReach, _ disables: Bool, _ scope: FailureScope) {
    let facts = FailureFacts(ProviderFailure(failure, reach: reach, status: 403, disablesKey: disables))
    #expect(facts.scope == scope)
  }

  // MARK: Replay

  @Test func aDeadReusedConnectionIsReplayedOnceOnAFreshOne() {
    var exchange = ExchangeHarness(ExchangeSettings(attempts: 1))
    exchange.budget = 0
    exchange.send()
    let replay = exchange.broke(replaySafe: true)
    #expect(replay.plan?.freshOnly == true)
    #expect(replay.plan?.excluding.isEmpty ?? false)
    #expect(replay.release?.fate == .close(.broken))
    _ = exchange.grant(reused: false)
    #expect(exchange.broke(replaySafe: true).failure?.code == .upstreamBroke)
    #expect(exchange.machine.counters.sent == 2)
    #expect(exchange.machine.counters.retries == 0)
    #expect(exchange.machine.counters.replays == 1)
  }

  @Test func afterAHeadThereIsNoReplay() {
    var exchange = ExchangeHarness(ExchangeSettings(attempts: 1))
    exchange.send()
    _ = exchange.head()
    #expect(exchange.broke(replaySafe: true).failure != nil)
  }

  /// A refusal blames nobody, needs no fresh connection and costs no try; but there is an end to it.
  @Test func whatTheUpstreamDidNotLookAtGoesOutAgain() {
    var exchange = ExchangeHarness(ExchangeSettings(attempts: 1))
    exchange.budget = 0
    exchange.send()
    for _ in 0..<ExchangeMachine.maxRefusals {
      let again = exchange.broke(replaySafe: true, isRefused: true)
      #expect(again.plan?.freshOnly == false)
      #expect(again.plan?.excluding.isEmpty ?? false)
      #expect(again.release?.result == .unused)
      _ = exchange.grant()
    }
    #expect(exchange.machine.counters.refusals == ExchangeMachine.maxRefusals)
    #expect(exchange.machine.counters.retries == 0)
    let last = exchange.broke(isRefused: true)
    #expect(last.failure?.code == .upstreamBroke)
    #expect(last.release?.result == .failed(.network))
  }

  @Test func afterAHeadNothingWasRefused() {
    var exchange = ExchangeHarness(ExchangeSettings(attempts: 1))
    exchange.send()
    _ = exchange.head()
    #expect(exchange.broke(replaySafe: true, isRefused: true).failure != nil)
  }

  // MARK: By class

  @Test("classes that are never retried", arguments: [FailureClass.caller, .contentPolicy])
  func never(_ failureClass: FailureClass) {
    var exchange = ExchangeHarness(targets: 3)
    exchange.send()
    let failed = exchange.answerError(failureClass)
    #expect(failed.failure?.usesRecordedAnswer == true)
    #expect(exchange.machine.counters.sent == 1)
  }

  @Test func theProvidersWordCanTurnACallersErrorIntoARetry() {
    var exchange = ExchangeHarness()
    exchange.send()
    #expect(exchange.answerError(.caller, shouldRetry: true).plan != nil)
    #expect(exchange.machine.counters.retries == 1)
  }

  @Test func theProvidersWordCanForbidARetry() {
    var exchange = ExchangeHarness()
    exchange.send()
    #expect(exchange.answerError(.server, shouldRetry: false).failure?.usesRecordedAnswer == true)
  }

  @Test func contextLengthGoesToTheNextTargetOnly() {
    var exchange = ExchangeHarness(targets: 2)
    exchange.send()
    #expect(exchange.answerError(.contextLength).plan?.target == 1)
    _ = exchange.grant()
    #expect(exchange.answerError(.contextLength).failure?.failureClass == .contextLength)
    #expect(exchange.machine.counters.retries == 0)
  }

  @Test(
    "limited and rejected keys are walked past without a try",
    arguments: [
      FailureClass.rateLimited, .credential, .quota,
    ])
  func walk(_ failureClass: FailureClass) {
    var exchange = ExchangeHarness(ExchangeSettings(attempts: 1))
    exchange.budget = 0
    exchange.send(0)
    let first = exchange.answerError(failureClass)
    #expect(first.plan?.excluding == EndpointSet(EndpointID(rawValue: 0)))
    _ = exchange.grant(1)
    #expect(exchange.answerError(failureClass).plan?.excluding.count == 2)
    let failed = exchange.reject(.notAllowed)
    #expect(failed.failure?.usesRecordedAnswer == true)
    #expect(failed.failure?.failureClass == failureClass)
    #expect(exchange.machine.counters.walks == 2)
    #expect(exchange.machine.counters.sent == 2)
    #expect(failed.failure?.shouldRetry == (failureClass == .rateLimited ? nil : false))
  }

  @Test func aLimitedKeyTellsThePoolHowLong() {
    var exchange = ExchangeHarness()
    exchange.send()
    let walked = exchange.answerError(.rateLimited, after: .seconds(3))
    #expect(walked.release?.coolFor == .seconds(3))
    #expect(walked.release?.result == .failed(.rateLimited))
  }

  @Test func whenAllKeysAreLimitedTheFirstToReturnIsWaitedFor() {
    var exchange = ExchangeHarness(ExchangeSettings(attempts: 2))
    exchange.send(0)
    _ = exchange.answerError(.rateLimited, after: .seconds(9))
    _ = exchange.grant(1)
    _ = exchange.answerError(.rateLimited, after: .seconds(4))
    let wait = exchange.reject(.notAllowed)
    #expect(wait.step == .sleep(until: exchange.now + .seconds(4)))
    #expect(exchange.machine.nextDeadline == exchange.now + .seconds(4))
    #expect(exchange.deadline().step == .none)
    exchange.advance(.seconds(4))
    #expect(exchange.deadline().plan?.excluding.isEmpty ?? false)
    _ = exchange.grant(1)
    _ = exchange.answerError(.rateLimited, after: .seconds(7))
    let failed = exchange.reject(.notAllowed)
    #expect(failed.failure?.retryAfter == .seconds(7))
  }

  @Test func aWaitBeyondTheDeadlineIsAnsweredWithTheTruthfulTime() {
    var exchange = ExchangeHarness(callerDeadline: Instant(nanoseconds: 0) + .seconds(3))
    exchange.send(0)
    _ = exchange.answerError(.rateLimited, after: .seconds(9))
    _ = exchange.grant(1)
    _ = exchange.answerError(.rateLimited, after: .seconds(30))
    let failed = exchange.reject(.noEndpoint, retryAfter: .seconds(20))
    #expect(failed.failure?.retryAfter == .seconds(9))
    #expect(failed.failure?.code == .rateLimited)
  }

  /// A key that may not use the model, or does not have it.
  @Test(arguments: [FailureClass.credential, .caller])
  func aRefusedModelIsAskedOfOtherKeys(_ failure: FailureClass) {
    let facts = FailureFacts(failure, hasAnswer: true, scope: .model)
    var exchange = ExchangeHarness()
    exchange.send(0)
    _ = exchange.head(404)
    let next = exchange.refuse(facts)
    #expect(next.plan?.excluding == EndpointSet(EndpointID(rawValue: 0)))
    #expect(next.plan?.avoidsRefusing == true && next.release?.scope == .model)
    #expect(exchange.machine.counters.retries == 0)
    // The others have refused before: no need to ask them again.
    let failed = exchange.reject(.notAllowed, onlyRefusingLeft: true)
    #expect(failed.failure?.usesRecordedAnswer == true)
    #expect(failed.failure?.failureClass == failure)
  }

  @Test func whenAllHaveRefusedOneIsAskedAllTheSame() {
    var exchange = ExchangeHarness(targets: 2)
    #expect(exchange.receive().plan?.avoidsRefusing == true)
    let need = exchange.reject(.notAllowed, onlyRefusingLeft: true)
    #expect(need.plan?.avoidsRefusing == false && need.plan?.target == 0)
    _ = exchange.grant(1)
    _ = exchange.head(403)
    let spilled = exchange.refuse(FailureFacts(.credential, hasAnswer: true, scope: .model))
    #expect(spilled.plan?.target == 1 && spilled.plan?.avoidsRefusing == true)
    #expect(spilled.plan?.excluding.isEmpty == true)
  }

  @Test func aKeyThatReturnsSoonerThanTheOneAskedCounts() {
    var exchange = ExchangeHarness(callerDeadline: Instant(nanoseconds: 0) + .seconds(1))
    exchange.send(0)
    _ = exchange.answerError(.rateLimited, after: .seconds(30))
    let failed = exchange.reject(.limited, retryAfter: .seconds(2))
    #expect(failed.failure?.retryAfter == .seconds(2))
    #expect(failed.failure?.usesRecordedAnswer == true)
  }

  @Test func withoutCreditNobodyIsToldToTryAgain() {
    for (wait, advice) in [(Interval?.none, false), (.seconds(5), nil)] as [(Interval?, Bool?)] {
      var exchange = ExchangeHarness()
      _ = exchange.receive()
      let failed = exchange.reject(.limited, retryAfter: wait)
      #expect(failed.failure?.code == .rateLimited)
      #expect(failed.failure?.retryAfter == wait)
      #expect(failed.failure?.shouldRetry == advice)
    }
  }

  @Test func overloadMovesToAnotherEndpointAndBackIfThereIsNone() {
    var exchange = ExchangeHarness()
    exchange.send(0)
    let second = exchange.answerError(.overloaded)
    #expect(second.plan?.excluding == EndpointSet(EndpointID(rawValue: 0)))
    let back = exchange.reject(.notAllowed)
    #expect(back.plan?.excluding.isEmpty ?? false)
    #expect(exchange.reject(.notAllowed).failure != nil)
    #expect(exchange.machine.counters.retries == 1)
  }

  @Test func serverErrorsAreTriedAsOftenAsAllowed() {
    for attempts in 1...4 {
      var exchange = ExchangeHarness(ExchangeSettings(attempts: attempts))
      exchange.send()
      for _ in 1..<attempts {
        #expect(exchange.answerError(.server).plan != nil)
        _ = exchange.grant()
      }
      #expect(exchange.answerError(.server).failure?.usesRecordedAnswer == true)
      #expect(exchange.machine.counters.sent == attempts)
    }
  }

  @Test func theBudgetStopsRetriesButNotTheRoute() {
    var exchange = ExchangeHarness(targets: 2)
    exchange.budget = 0
    exchange.send()
    let spilled = exchange.answerError(.server)
    #expect(spilled.plan?.target == 1)
    #expect(exchange.machine.counters.budgetRefusals == 1)
    #expect(exchange.machine.counters.spills == 1)
  }

  @Test func everyTargetHasItsOwnTries() {
    var exchange = ExchangeHarness(ExchangeSettings(attempts: 2), targets: 2)
    exchange.send()
    _ = exchange.answerError(.server)
    _ = exchange.grant()
    #expect(exchange.answerError(.server).plan?.target == 1)
    exchange.machine.use(ExchangeSettings(attempts: 3))
    for _ in 0..<2 {
      _ = exchange.grant()
      #expect(exchange.answerError(.server).plan?.target == 1)
    }
    _ = exchange.grant()
    #expect(exchange.answerError(.server).failure != nil)
    #expect(exchange.machine.counters.sent == 5)
  }

  @Test func backoffIsFullJitterWithinItsCeiling() {
    let settings = ExchangeSettings(attempts: 9, backoffBase: .milliseconds(100), backoffCeiling: .milliseconds(300))
    var exchange = ExchangeHarness(settings)
    exchange.random = .max
    exchange.send()
    for ceiling in [100, 200, 300, 300] as [Int64] {
      guard case .sleep(let wake) = exchange.answerError(.server).step else { return #expect(Bool(false)) }
      let wait = wake - exchange.now
      #expect(wait <= .milliseconds(ceiling) && wait > .milliseconds(ceiling - 1))
      exchange.now = wake
      _ = exchange.deadline()
      _ = exchange.grant()
    }
  }

  @Test func theProvidersHintIsTheLeastWait() {
    var exchange = ExchangeHarness()
    exchange.send()
    #expect(exchange.answerError(.server, after: .seconds(2)).step == .sleep(until: exchange.now + .seconds(2)))
  }

  @Test func noRetryThatCannotEndInTime() {
    var exchange = ExchangeHarness(callerDeadline: Instant(nanoseconds: 0) + .seconds(1))
    exchange.send()
    #expect(exchange.answerError(.server, after: .seconds(2)).failure != nil)
  }

  // MARK: Rejections

  @Test(
    "rejections",
    arguments: [
      (RejectionReason.queueFull, GatewayErrorCode.queueFull, FailureClass.overloaded),
      (.deadline, .queueTimeout, .timeout), (.noEndpoint, .noEndpoint, .overloaded),
      (.limited, .rateLimited, .rateLimited),
      (.notAllowed, .noEndpoint, .overloaded), (.credential, .credentialRejected, .credential),
      (.connectFailed, .connectFailed, .network), (.draining, .draining, .overloaded),
      (.closed, .draining, .overloaded),
    ])
  func rejection(_ reason: RejectionReason, _ code: GatewayErrorCode, _ failureClass: FailureClass) {
    var exchange = ExchangeHarness(targets: 2)
    _ = exchange.receive()
    #expect(exchange.reject(reason).plan?.target == 1)
    exchange.queue()
    let failed = exchange.reject(reason, retryAfter: .seconds(5))
    #expect(failed.failure?.code == code)
    #expect(failed.failure?.failureClass == failureClass)
    #expect(failed.failure?.retryAfter == .seconds(5))
    #expect(failed.failure?.usesRecordedAnswer == false)
  }

  @Test func aTicketLeavesTimeForTheNextTarget() {
    var exchange = ExchangeHarness(targets: 2, callerDeadline: Instant(nanoseconds: 0) + .seconds(10))
    #expect(exchange.receive().plan?.deadline == Instant(nanoseconds: 0) + .seconds(5))
    #expect(exchange.reject(.deadline).plan?.deadline == Instant(nanoseconds: 0) + .seconds(10))
  }

  // MARK: Clocks

  @Test func clocksAreSeparate() {
    let settings = ExchangeSettings(
      attempts: 1, firstByte: .seconds(5), firstToken: .seconds(8), betweenBytes: .seconds(3), total: .seconds(100))
    var exchange = ExchangeHarness(settings)
    #expect(exchange.machine.nextDeadline == exchange.now + .seconds(60))
    _ = exchange.receive()
    #expect(exchange.machine.nextDeadline == exchange.now + .seconds(100))
    _ = exchange.grant()
    #expect(exchange.machine.nextDeadline == exchange.now + .seconds(5))
    exchange.advance(.seconds(4))
    _ = exchange.head(stream: true)
    exchange.headSent()
    #expect(exchange.machine.nextDeadline == exchange.now + .seconds(3))
    exchange.advance(.seconds(2))
    exchange.machine.upstreamBytes(attempt: 1, now: exchange.now)
    #expect(exchange.machine.nextDeadline == Instant(nanoseconds: 0) + .seconds(8))
    exchange.machine.firstTokenSeen(attempt: 1)
    #expect(exchange.machine.nextDeadline == exchange.now + .seconds(3))
    exchange.machine.readingPaused()
    #expect(exchange.machine.nextDeadline == Instant(nanoseconds: 0) + .seconds(100))
    exchange.advance(.seconds(50))
    exchange.machine.readingResumed(now: exchange.now)
    #expect(exchange.machine.nextDeadline == exchange.now + .seconds(3))
  }

  @Test(
    "which clock ran out",
    arguments: [
      (ExchangeClock.receive, GatewayErrorCode.requestTimeout), (.firstByte, .firstByteTimeout),
      (.firstToken, .firstTokenTimeout), (.betweenBytes, .betweenBytesTimeout), (.total, .totalTimeout),
      (.callerDeadline, .deadlineExceeded),
    ])
  func clock(_ clock: ExchangeClock, _ code: GatewayErrorCode) {
    var settings = ExchangeSettings(attempts: 1, firstByte: nil, firstToken: nil, betweenBytes: nil)
    switch clock {
    case .firstByte: settings.firstByte = .seconds(5)
    case .firstToken: settings.firstToken = .seconds(5)
    case .betweenBytes: settings.betweenBytes = .seconds(5)
    case .total: settings.total = .seconds(5)
    default: break
    }
    let deadline = clock == .callerDeadline ? Instant(nanoseconds: 0) + .seconds(5) : .distantFuture
    var exchange = ExchangeHarness(settings, callerDeadline: deadline)
    if clock != .receive {
      exchange.send()
      if clock == .firstToken || clock == .betweenBytes {
        _ = exchange.head(stream: true)
        exchange.headSent()
      }
    }
    guard let wake = exchange.machine.nextDeadline else { return #expect(Bool(false)) }
    exchange.now = wake - Interval(nanoseconds: 1)
    #expect(exchange.deadline().step == .none)
    exchange.now = wake
    let ended = exchange.deadline()
    #expect(ended.failure?.code == code)
    #expect(ended.failure?.clock == clock)
    #expect(ended.cancelUpstream == (clock != .receive))
    #expect((ended.release != nil) == (clock != .receive))
    let blamed = clock != .callerDeadline && clock != .receive
    #expect(ended.release?.result == (clock == .receive ? nil : blamed ? .failed(.timeout) : .cancelled))
  }

  @Test func aFirstByteTimeoutIsTriedElsewhere() {
    var exchange = ExchangeHarness(ExchangeSettings(attempts: 2, firstByte: .seconds(1)))
    exchange.send(3)
    exchange.advance(.seconds(1))
    let second = exchange.deadline()
    #expect(second.plan?.excluding == EndpointSet(EndpointID(rawValue: 3)))
    #expect(second.cancelUpstream)
    _ = exchange.grant(4)
    exchange.advance(.seconds(1))
    #expect(exchange.deadline().failure?.code == .firstByteTimeout)
  }

  @Test func aQueuedTicketIsWithdrawnAtTheDeadline() {
    var exchange = ExchangeHarness(callerDeadline: Instant(nanoseconds: 0) + .seconds(1))
    _ = exchange.receive()
    exchange.queue()
    exchange.advance(.seconds(1))
    let ended = exchange.deadline()
    #expect(ended.cancelTicket)
    #expect(ended.failure?.code == .deadlineExceeded)
    #expect(exchange.grant().release == .unused)
  }

  // MARK: Endings

  @Test func aClientThatLeavesCancelsEverything() {
    var queued = ExchangeHarness()
    _ = queued.receive()
    queued.queue()
    let first = queued.gone()
    #expect(first.cancelTicket && !first.cancelUpstream && first.step == .abandon)
    var sent = ExchangeHarness()
    sent.send()
    let second = sent.gone()
    #expect(second.cancelUpstream && second.release?.result == .cancelled)
    #expect(second.release?.fate == .close(.cancelled))
    #expect(sent.machine.outcome == .cancelled)
    #expect(sent.gone() == .none)
  }

  @Test func aTruncatedStreamEndsWithAnErrorEvent() {
    var exchange = ExchangeHarness()
    exchange.send()
    _ = exchange.head(stream: true)
    exchange.headSent()
    let ended = exchange.ended(.truncated)
    #expect(ended.failure?.code == .upstreamTruncated)
    #expect(ended.release?.result == .failed(.network))
  }

  @Test func anErrorInsideTheStreamIsCountedAndNotRepeated() {
    var exchange = ExchangeHarness()
    exchange.send()
    _ = exchange.head(stream: true)
    exchange.headSent()
    let ended = exchange.ended(.failed(FailureFacts(.overloaded)))
    #expect(ended.step == .finish)
    #expect(ended.release?.result == .failed(.overloaded))
    #expect(exchange.machine.outcome == .failed(.overloaded, .upstreamError))
  }

  @Test func aStreamThatFailsBeforeItsHeadWasSentIsRetried() {
    for ending in [AnswerEnd.truncated, .failed(FailureFacts(.overloaded))] {
      var exchange = ExchangeHarness()
      exchange.send()
      _ = exchange.head(stream: true)
      #expect(exchange.ended(ending).plan != nil)
      #expect(exchange.machine.counters.retries == 1)
    }
  }

  @Test func aFailureInsideAHeldAnswerIsTheClientsToRead() {
    var exchange = ExchangeHarness()
    exchange.send()
    _ = exchange.head()
    let ended = exchange.ended(.failed(FailureFacts(.server)))
    #expect(ended.step == .deliver)
    #expect(ended.release?.result == .failed(.server))
  }

  @Test func factsOfAnEarlierAttemptAreIgnored() {
    var exchange = ExchangeHarness()
    exchange.send()
    _ = exchange.answerError(.server)
    _ = exchange.grant()
    #expect(exchange.head(attempt: 1).step == .none)
    #expect(exchange.broke(attempt: 1) == .none)
    #expect(exchange.ended(attempt: 1) == .none)
    #expect(exchange.head(attempt: 2).step == .hold)
  }

  @Test func shutDownTellsTheClientInItsPlace() {
    var early = ExchangeHarness()
    early.send()
    if case .fail(let failure) = early.shutDown().step { #expect(failure.code == .shuttingDown) }
    var late = ExchangeHarness()
    late.send()
    _ = late.head(stream: true)
    late.headSent()
    if case .breakOff = late.shutDown().step {} else { #expect(Bool(false)) }
  }

  // MARK: Phases

  @Test func phasesAddUpToTheWallTime() {
    var exchange = ExchangeHarness()
    exchange.advance(.microseconds(1234))
    _ = exchange.receive()
    exchange.advance(.microseconds(56))
    exchange.queue()
    exchange.advance(.milliseconds(7))
    _ = exchange.grant(reused: false)
    exchange.advance(.microseconds(400_001))
    _ = exchange.head(stream: true)
    exchange.headSent()
    let phases = exchange.machine.phases
    #expect(phases[.receive] == .microseconds(1234))
    #expect(phases[.acquire] == .microseconds(56))
    #expect(phases[.connect] == .milliseconds(7))
    #expect(phases[.queue] == .zero)
    #expect(phases[.upstream] == .microseconds(400_001))
    #expect(PhaseClock.Phase.allCases.reduce(Interval.zero) { $0 + phases[$1] } == phases.total)
    #expect(phases.total == exchange.now - Instant(nanoseconds: 0))
    var text: [UInt8] = []
    ServerTiming.append(phases, to: &text)
    #expect(
      String(decoding: text, as: UTF8.self)
        == "receive;dur=1.234, queue;dur=0, acquire;dur=0.056, connect;dur=7, upstream;dur=400.001, translate;dur=0")
  }

  @Test func printedPhasesAddUpWhateverIsRounded() throws {
    var random = SplitMix64(seed: 11)
    for _ in 0..<300 {
      var clock = PhaseClock(begun: Instant(nanoseconds: 5))
      var now = Instant(nanoseconds: 5)
      for phase in PhaseClock.Phase.allCases.shuffled(using: &random) {
        now = now + Interval(nanoseconds: Int64(random.next() % 3_000_000))
        clock.enter(phase, now: now)
      }
      var text: [UInt8] = []
      ServerTiming.append(clock, to: &text)
      let parts = String(decoding: text, as: UTF8.self).split(separator: ", ").map { $0.split(separator: "=")[1] }
      let sum = try parts.map { try #require(Double($0)) }.reduce(0, +)
      #expect(abs(sum - Double((clock.total.nanoseconds + 500) / 1000) / 1000) < 1e-6)
    }
  }
}
