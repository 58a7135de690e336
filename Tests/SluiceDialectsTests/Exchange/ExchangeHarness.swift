import SluiceDialects
import SluicePolicy

/// Drives an exchange machine through its events with short calls, and keeps what it decided.
struct ExchangeHarness {
  var machine: ExchangeMachine
  var now = Instant(nanoseconds: 0)
  var budget = Int.max
  var random: UInt64 = 0
  private(set) var decisions: [ExchangeDecision] = []

  init(
    _ settings: ExchangeSettings = ExchangeSettings(), targets: Int = 1, callerDeadline: Instant = .distantFuture
  ) {
    machine = ExchangeMachine(
      settings: settings, targetCount: targets, callerDeadline: callerDeadline, model: 42, now: now)
  }

  mutating func advance(_ interval: Interval) { now = now + interval }

  private mutating func note(_ decision: ExchangeDecision) -> ExchangeDecision {
    decisions.append(decision)
    return decision
  }

  private mutating func withBudget(
    _ body: (inout ExchangeMachine, () -> Bool) -> ExchangeDecision
  ) -> ExchangeDecision {
    var left = budget
    let decision = body(&machine) {
      guard left > 0 else { return false }
      left -= 1
      return true
    }
    budget = left
    return note(decision)
  }

  mutating func receive() -> ExchangeDecision { note(machine.requestReceived(now: now)) }

  mutating func queue() { machine.queued(now: now) }

  mutating func grant(_ endpoint: UInt16 = 0, reused: Bool = true) -> ExchangeDecision {
    let grant = Grant(
      lease: LeaseID(index: 0, generation: 0), resource: ResourceID(index: 0, generation: 0),
      endpoint: EndpointID(rawValue: endpoint), origin: OriginID(rawValue: 0), loop: LoopID(rawValue: 0),
      reused: reused, waited: .zero)
    return note(machine.granted(grant, now: now))
  }

  mutating func reject(
    _ reason: RejectionReason, retryAfter: Interval? = nil, onlyRefusingLeft: Bool = false
  ) -> ExchangeDecision {
    var facts = RejectionFacts(PoolRejection(reason: reason, retryAfter: retryAfter))
    facts.onlyRefusingLeft = onlyRefusingLeft
    let (now, random) = (now, random)
    return withBudget { $0.rejected(facts, now: now, random: random, withdraw: $1) }
  }

  mutating func head(_ status: Int = 200, stream: Bool = false, attempt: Int? = nil) -> ExchangeDecision {
    note(
      machine.upstreamHead(
        attempt: attempt ?? machine.currentAttempt, status: status, isEventStream: stream, now: now))
  }

  mutating func headSent() { machine.headSent(now: now) }

  mutating func ended(_ end: AnswerEnd = .complete, attempt: Int? = nil) -> ExchangeDecision {
    let (now, random, attempt) = (now, random, attempt ?? machine.currentAttempt)
    return withBudget {
      $0.answerEnded(attempt: attempt, end, fate: .reusable, now: now, random: random, withdraw: $1)
    }
  }

  mutating func refuse(_ facts: FailureFacts, attempt: Int? = nil) -> ExchangeDecision {
    let (now, random, attempt) = (now, random, attempt ?? machine.currentAttempt)
    return withBudget {
      $0.answerRefused(attempt: attempt, facts, fate: .reusable, now: now, random: random, withdraw: $1)
    }
  }

  /// An error answer from its head to the machine's verdict.
  mutating func answerError(_ failureClass: FailureClass, after: Interval? = nil, shouldRetry: Bool? = nil)
    -> ExchangeDecision
  {
    _ = head(500)
    return refuse(FailureFacts(failureClass, retryAfter: after, shouldRetry: shouldRetry, hasAnswer: true))
  }

  mutating func broke(
    _ failureClass: FailureClass = .network, replaySafe: Bool = false, isRefused: Bool = false, attempt: Int? = nil
  ) -> ExchangeDecision {
    let (now, random, attempt) = (now, random, attempt ?? machine.currentAttempt)
    return withBudget {
      $0.upstreamFailed(
        attempt: attempt, failureClass, replaySafe: replaySafe, isRefused: isRefused, now: now, random: random,
        withdraw: $1)
    }
  }

  /// An answer that refused the signature; `patience`: until that is put right.
  mutating func refuseSignature(_ patience: Interval = .zero) -> ExchangeDecision {
    let (now, random, attempt) = (now, random, machine.currentAttempt)
    let facts = FailureFacts(.credential, hasAnswer: true, scope: .model)
    return withBudget {
      $0.answerMendable(
        attempt: attempt, facts, fate: .reusable, patience: patience, now: now, random: random, withdraw: $1)
    }
  }

  mutating func unsigned(_ patience: Interval?) -> ExchangeDecision {
    let (now, random, attempt) = (now, random, machine.currentAttempt)
    return withBudget {
      $0.unsigned(attempt: attempt, patience: patience, now: now, random: random, withdraw: $1)
    }
  }

  mutating func mended() -> ExchangeDecision { note(machine.mended(now: now)) }

  mutating func deadline() -> ExchangeDecision {
    let (now, random) = (now, random)
    return withBudget { $0.deadlineReached(now: now, random: random, withdraw: $1) }
  }

  mutating func gone() -> ExchangeDecision { note(machine.clientGone(now: now)) }
  mutating func shutDown() -> ExchangeDecision { note(machine.shutDown(now: now)) }

  /// Runs to the point where the request was sent.
  mutating func send(_ endpoint: UInt16 = 0) {
    _ = receive()
    _ = grant(endpoint)
  }
}

extension ExchangeDecision {
  var plan: AcquirePlan? { if case .acquire(let plan) = step { plan } else { nil } }
  var failure: ExchangeFailure? {
    switch step {
    case .fail(let failure), .breakOff(let failure): failure
    default: nil
    }
  }
}
