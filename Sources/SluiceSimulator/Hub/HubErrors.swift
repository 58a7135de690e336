import SluiceDialects

/// Errors in each provider's own shape.
enum HubErrors {
  static func render(_ error: ProviderError, _ provider: ProviderCall.Provider, requestID: String) -> Answer {
    var bytes: [UInt8] = []
    body(error, provider).append(to: &bytes)
    var answer = Answer.json(error.status, bytes)
    if provider == .bedrock {
      answer.headers.add("x-amzn-errortype", error.type)
      answer.headers.add("x-amzn-requestid", requestID)
    } else {
      answer.headers.add("x-request-id", requestID)
    }
    if let wait = error.retryAfter, provider != .gemini, provider != .bedrock {
      answer.headers.add("retry-after", Int(TimeText.wholeSeconds(nanoseconds: wait)))
    }
    return answer
  }

  static func body(_ error: ProviderError, _ provider: ProviderCall.Provider) -> JSONValue {
    switch provider {
    case .gemini: gemini(error)
    case .cohere: .of(["id": .string("err-\(error.status)"), "message": .string(error.message)])
    case .mistral where error.status == 401: .of(["detail": .string("Unauthorized")])
    case .mistral: mistral(error)
    case .huggingface: .of(["error": .string(error.message), "error_type": .string(error.type)])
    case .local: .of(["error": .string(error.message)])
    case .bedrock: .of(["message": .string(error.message)])
    case .azureOpenAI:
      .of(["error": .of(["code": .string(error.code ?? "\(error.status)"), "message": .string(error.message)])])
    case .openai, .anthropic:
      .of(["error": .of(["message": .string(error.message), "type": .string(error.type)])])
    }
  }

  /// Gemini says in the body how long to wait.
  private static func gemini(_ error: ProviderError) -> JSONValue {
    var details: [JSONValue] = []
    if error.status == 429 {
      details.append(
        .of([
          "@type": .string("type.googleapis.com/google.rpc.QuotaFailure"),
          "violations": .array([
            .of(["quotaId": .string("GenerateRequestsPerMinutePerProjectPerModel"), "quotaValue": .string("1000")])
          ]),
        ]))
    }
    if let wait = error.retryAfter {
      let seconds = Double(wait / 1_000_000) / 1000
      details.append(
        .of([
          "@type": .string("type.googleapis.com/google.rpc.RetryInfo"), "retryDelay": .string("\(seconds)s"),
        ]))
    }
    return .of([
      "error": .of([
        "code": .int(error.status), "message": .string(error.message), "status": .string(error.type),
        "details": .array(details),
      ])
    ])
  }

  private static func mistral(_ error: ProviderError) -> JSONValue {
    .of([
      "object": .string("error"), "message": .string(error.message), "type": .string(error.type), "param": .null,
      "code": error.code.map { .string($0) } ?? .null, "raw_status_code": .int(error.status),
    ])
  }

  /// The usual error of a status.
  static func usual(_ status: Int, _ provider: ProviderCall.Provider, message: String? = nil) -> ProviderError {
    let (type, code) = names(status, provider)
    return ProviderError(status, type: type, code: code, message ?? text(status))
  }

  static func scripted(_ status: SimulatorFault.Status, _ provider: ProviderCall.Provider) -> ProviderError {
    var error = usual(status.code, provider, message: status.message)
    if let code = status.errorCode { error.code = code }
    error.retryAfter = status.retryAfter.map { FaultClock.nanoseconds($0) }
    return error
  }

  private static func names(_ status: Int, _ provider: ProviderCall.Provider) -> (String, String?) {
    switch provider {
    case .gemini: (geminiName(status), nil)
    case .bedrock: (bedrockName(status), nil)
    case .mistral: mistralNames(status)
    case .huggingface: (huggingFaceName(status), nil)
    default: ("error", status == 429 ? "429" : nil)
    }
  }

  /// The error types of text-generation-inference.
  private static func huggingFaceName(_ status: Int) -> String {
    switch status {
    case 424: "generation"
    case 429: "overloaded"
    case 503: "healthcheck"
    case 500...: "incomplete_generation"
    default: "validation"
    }
  }

  private static func mistralNames(_ status: Int) -> (String, String?) {
    switch status {
    case 429: ("rate_limited", "1300")
    case 500...: ("internal_server_error", "1000")
    case 404: ("invalid_model", "1500")
    default: ("invalid_request_error", nil)
    }
  }

  private static func geminiName(_ status: Int) -> String {
    switch status {
    case 401: "UNAUTHENTICATED"
    case 403: "PERMISSION_DENIED"
    case 404: "NOT_FOUND"
    case 429: "RESOURCE_EXHAUSTED"
    case 503: "UNAVAILABLE"
    case 504: "DEADLINE_EXCEEDED"
    case 500...: "INTERNAL"
    default: "INVALID_ARGUMENT"
    }
  }

  private static func bedrockName(_ status: Int) -> String {
    switch status {
    case 401, 403: "UnrecognizedClientException"
    case 404: "ResourceNotFoundException"
    case 408: "ModelTimeoutException"
    case 429: "ThrottlingException"
    case 503: "ServiceUnavailableException"
    case 500...: "InternalServerException"
    default: "ValidationException"
    }
  }

  private static func text(_ status: Int) -> String {
    switch status {
    case 401: "The key is not valid."
    case 403: "Not allowed."
    case 404: "Not found."
    case 405: "Method not allowed."
    case 413: "The request is too large."
    case 429: "Too many requests, please wait before trying again."
    case 503: "The service is overloaded."
    case 500...: "Internal error."
    default: "The request was refused."
    }
  }
}
