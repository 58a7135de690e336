package import SluicePolicy

/// What to ask the pool of one target for.
package struct AcquirePlan: Hashable, Sendable {
  /// Index into the route's ordered targets.
  package var target: Int
  /// Endpoints that already failed or refused this exchange.
  package var excluding: EndpointSet
  /// Leave out those as well that are known to refuse the model.
  package var avoidsRefusing: Bool
  /// Only a connection that never served: the replay of §6 must not meet a second stale one.
  package var freshOnly: Bool
  /// Wait for a lease no longer than this.
  package var deadline: Instant
}

/// The clocks of an exchange, by name.
package enum ExchangeClock: UInt8, CaseIterable, Hashable, Sendable {
  case receive, queue, firstByte, firstToken, betweenBytes, total, callerDeadline

  package var label: String {
    switch self {
    case .receive: "receive"
    case .queue: "queue"
    case .firstByte: "first_byte"
    case .firstToken: "first_token"
    case .betweenBytes: "between_bytes"
    case .total: "total"
    case .callerDeadline: "deadline"
    }
  }
}

/// How an exchange failed towards the client.
package struct ExchangeFailure: Hashable, Sendable {
  package var failureClass: FailureClass
  package var code: GatewayErrorCode
  package var retryAfter: Interval?
  /// Answer with the provider's own error that was collected last (when the surfaces match), not with `code`.
  package var usesRecordedAnswer: Bool
  /// What to tell the client's SDK: false where waiting never helps.
  package var shouldRetry: Bool?
  /// The clock that ran out, if one did.
  package var clock: ExchangeClock?

  package init(
    _ failureClass: FailureClass, _ code: GatewayErrorCode, retryAfter: Interval? = nil,
    usesRecordedAnswer: Bool = false, shouldRetry: Bool? = nil, clock: ExchangeClock? = nil
  ) {
    self.failureClass = failureClass
    self.code = code
    self.retryAfter = retryAfter
    self.usesRecordedAnswer = usesRecordedAnswer
    self.shouldRetry = shouldRetry
    self.clock = clock
  }
}

/// The one thing to do next for the exchange.
package enum ExchangeStep: Hashable, Sendable {
  /// Nothing; another event will come.
  case none
  /// Ask the pool; answer with `granted`, `queued` or `rejected`.
  case acquire(AcquirePlan)
  /// Send the request on the lease just granted. Facts about it carry this attempt number.
  case send(attempt: Int)
  /// Keep the head back and collect the body: a break can still become a retry. Report `answerEnded`, or `headSent`
  /// when the body outgrew what is held.
  case hold
  /// Keep a stream's head back until its first event has been judged: a break or an error before that can still become
  /// a retry. Then send the head, report `headSent` and forward what comes.
  case open
  /// Collect this error answer's body (bounded), classify it and report `answerRefused`.
  case collect
  /// The held answer is complete: send it. The exchange is over.
  case deliver
  /// The answer was forwarded to its end: end the client's message. The exchange is over.
  case finish
  /// Nothing reached the client yet: answer with this failure. The exchange is over.
  case fail(ExchangeFailure)
  /// The answer has begun: send the surface's stream error event, or cut a plain answer. The exchange is over.
  case breakOff(ExchangeFailure)
  /// Wait until this moment without holding anything, then report `deadlineReached`.
  case sleep(until: Instant)
  /// The client is gone: drop everything. The exchange is over.
  case abandon

  package var isEnd: Bool {
    switch self {
    case .deliver, .finish, .fail, .breakOff, .abandon: true
    default: false
    }
  }
}

/// A decision of the exchange machine, carried out in the order of its fields.
package struct ExchangeDecision: Hashable, Sendable {
  /// Withdraw the waiting ticket. If it turns out to be served already, report `granted` all the same.
  package var cancelTicket: Bool
  /// The upstream exchange is still running: stop it before the lease goes back.
  package var cancelUpstream: Bool
  /// Give the lease back with this report.
  package var release: ExchangeReport?
  package var step: ExchangeStep

  package init(
    _ step: ExchangeStep, release: ExchangeReport? = nil, cancelTicket: Bool = false, cancelUpstream: Bool = false
  ) {
    self.step = step
    self.release = release
    self.cancelTicket = cancelTicket
    self.cancelUpstream = cancelUpstream
  }

  package static var none: ExchangeDecision { ExchangeDecision(.none) }
}

/// A failure as the machine needs it: no text.
package struct FailureFacts: Hashable, Sendable {
  package var failureClass: FailureClass
  /// The provider's wish to be left alone for a while.
  package var retryAfter: Interval?
  /// The provider's explicit word on retrying.
  package var shouldRetry: Bool?
  /// A complete error answer was collected and may be passed on.
  package var hasAnswer: Bool
  /// How far it reaches at the endpoint.
  package var scope: FailureScope
  /// What to tell the client, where the class does not say it all.
  package var code: GatewayErrorCode?

  package init(
    _ failureClass: FailureClass, retryAfter: Interval? = nil, shouldRetry: Bool? = nil, hasAnswer: Bool = false,
    scope: FailureScope = .endpoint, code: GatewayErrorCode? = nil
  ) {
    self.code = code
    self.failureClass = failureClass
    self.scope = scope
    self.retryAfter = retryAfter
    self.shouldRetry = shouldRetry
    self.hasAnswer = hasAnswer
  }

  /// Only what the provider says about the account takes a key out; any other refusal of a credential is about this
  /// request's model, or passes.
  private static func scope(_ failure: ProviderFailure) -> FailureScope {
    failure.failureClass == .credential && !failure.disablesKey ? .model : failure.reach.scope
  }

  package init(_ failure: ProviderFailure, hasAnswer: Bool = true) {
    // A quota that returns by itself (a day's) is a limit: it cools the key instead of taking it out for good.
    let isPassing = failure.failureClass == .quota && !failure.disablesKey
    self.init(
      isPassing ? .rateLimited : failure.failureClass,
      retryAfter: failure.retryAfter ?? (isPassing ? .seconds(3_600) : nil), shouldRetry: failure.shouldRetry,
      hasAnswer: hasAnswer, scope: Self.scope(failure))
  }
}

/// How an answer with a success status ended.
package enum AnswerEnd: Hashable, Sendable {
  /// With its proper end mark, or with the length its head announced.
  case complete
  /// The body ended as announced, but the stream's own end mark never came.
  case truncated
  /// The provider reported an error inside the answer, which the client has or will see.
  case failed(FailureFacts)
}

/// Why the pool gave no lease.
package struct RejectionFacts: Hashable, Sendable {
  package var code: GatewayErrorCode
  package var retryAfter: Interval?
  /// No endpoint outside of the excluded ones can serve.
  package var noEndpoint: Bool
  /// Nobody is left but endpoints that are known to refuse the model.
  package var onlyRefusingLeft = false

  package init(_ code: GatewayErrorCode, retryAfter: Interval? = nil, noEndpoint: Bool = false) {
    self.code = code
    self.retryAfter = retryAfter
    self.noEndpoint = noEndpoint
  }

  package init(_ rejection: PoolRejection) {
    let (code, noEndpoint): (GatewayErrorCode, Bool) =
      switch rejection.reason {
      case .queueFull: (.queueFull, false)
      case .deadline: (.queueTimeout, false)
      case .noEndpoint, .notAllowed: (.noEndpoint, true)
      case .limited: (.rateLimited, true)
      case .credential: (.credentialRejected, true)
      case .connectFailed: (.connectFailed, false)
      case .draining, .closed: (.draining, false)
      }
    self.init(code, retryAfter: rejection.retryAfter, noEndpoint: noEndpoint)
  }

  var failureClass: FailureClass {
    switch code {
    case .queueTimeout: .timeout
    case .credentialRejected: .credential
    case .rateLimited: .rateLimited
    case .connectFailed: .network
    case .unsupportedField: .caller
    default: .overloaded
    }
  }
}
