import SluiceDialects
import SluiceHTTP
import SluicePolicy
import SluiceRuntime

extension SluiceError {
  init(configuration error: any Error) {
    if let known = error as? SluiceError { self = known } else { self.init(.configuration, "\(error)") }
  }

  init(_ failure: CallFailure, pool: String, model: String) {
    switch failure {
    case .pool(let error): self.init(pool: error)
    case .answer(let failure, _, _): self.init(answer: failure, pool: pool, model: model)
    case .transport(let error, _): self.init(transport: error, pool: pool)
    case .unsigned(let signer, _):
      self.init(.credential, "pool '\(pool)': \(signer.desk.complaint)", mayHelpElsewhere: true)
    }
  }

  /// What a body's reader threw; `CancellationError` stays what it is.
  static func callFailure(_ error: any Error, pool: String) -> any Error {
    if Task.isCancelled { return CancellationError() }
    if let error = error as? HTTPClientError { return SluiceError(transport: error, pool: pool) }
    return error
  }

  /// The provider reported a failure inside a stream, after its 200.
  init(stream failure: ProviderFailure, pool: String) {
    let code = Code(failure.failureClass)
    let said = failure.message ?? failure.code ?? "it reported an error"
    self.init(
      code, "the provider of pool '\(pool)' broke the stream off: \(said)\(Self.advice(code))", status: failure.status,
      retryAfter: failure.retryAfter?.duration, providerCode: failure.code)
  }

  /// The request cannot be written for this provider; another one may take it.
  init(_ refusal: TranslationRefusal, provider: Provider) {
    let place = refusal.field.map { " (\($0))" } ?? ""
    self.init(
      refusal.field == nil ? .unsupported : .invalidRequest,
      "\(provider.displayName) cannot be asked this: \(refusal.message)\(place)", mayHelpElsewhere: true)
  }

  private init(pool error: PoolError) {
    let wait = error.rejection?.retryAfter
    let code: Code =
      switch error.rejection?.reason {
      case .credential: .credential
      case .connectFailed: .network
      case .closed, .draining: .shutDown
      case .noEndpoint: .upstream
      case .limited: wait == nil ? .quota : .rateLimited
      case .notAllowed, .queueFull, .deadline, nil: .poolBusy
      }
    self.init(
      code, "\(error)\(Self.advice(code))", retryAfter: wait?.duration, mayHelpElsewhere: true)
  }

  private init(answer failure: ProviderFailure, pool: String, model: String) {
    let code = Code(failure.failureClass)
    // Refusing a key, providers quote it.
    let said = failure.failureClass == .credential ? "" : failure.message.map { ": \($0)" } ?? ""
    self.init(
      code, "the provider of pool '\(pool)' answered \(failure.status) for model '\(model)'\(said)\(Self.advice(code))",
      status: failure.status, retryAfter: failure.retryAfter?.duration, providerCode: failure.code,
      mayHelpElsewhere: failure.failureClass.retry != .never)
  }

  private init(transport error: HTTPClientError, pool: String) {
    let code: Code
    switch error {
    case .bodyTooLarge: code = .protocolError
    case .abandoned: code = .network
    default: code = Code(error.failureClass)
    }
    self.init(
      code, "pool '\(pool)': \(error)\(Self.advice(code))", mayHelpElsewhere: error.failureClass.retry != .never)
  }

  private static func advice(_ code: Code) -> String {
    switch code {
    case .credential: " (check the pool's keys)"
    case .quota: " (the account needs credit, or the pool another key)"
    case .rateLimited: " (wait, or add keys to the pool)"
    case .contextLength: " (shorten the conversation or use a model with a larger context)"
    case .network: " (check the pool's base_url and the network)"
    case .timeout: " (see the pool's timeouts)"
    case .poolBusy: " (raise connections.max or send fewer at a time)"
    default: ""
    }
  }
}

extension SluiceError.Code {
  init(_ failure: FailureClass) {
    switch failure {
    case .caller: self = .invalidRequest
    case .contentPolicy: self = .contentPolicy
    case .contextLength: self = .contextLength
    case .credential: self = .credential
    case .quota: self = .quota
    case .rateLimited: self = .rateLimited
    case .overloaded, .server: self = .upstream
    case .network, .cancelled: self = .network
    case .timeout: self = .timeout
    case .protocolError: self = .protocolError
    }
  }
}
