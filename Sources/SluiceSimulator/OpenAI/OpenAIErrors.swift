extension OpenAIService {
  /// An error answer in OpenAI's shape.
  static func render(_ error: ProviderError, requestID: String, limits: [(StaticString, String)]) -> Answer {
    var out = JSONWriter(reserving: 256)
    out.raw("{\"error\":")
    write(error, into: &out)
    out.raw("}")
    var answer = Answer.json(error.status, out.bytes)
    answer.headers.add("x-request-id", requestID)
    if let wait = error.retryAfter {
      answer.headers.add("retry-after", Int(TimeText.wholeSeconds(nanoseconds: wait)))
      answer.headers.add("retry-after-ms", Int((wait + 999_999) / 1_000_000))
    }
    if let shouldRetry = error.shouldRetry { answer.headers.add("x-should-retry", shouldRetry ? "true" : "false") }
    for (name, value) in limits { answer.headers.add(name, value) }
    return answer
  }

  private static func write(_ error: ProviderError, into out: inout JSONWriter) {
    out.raw("{\"message\":")
    out.string(error.message)
    out.raw(",\"type\":")
    out.string(error.type)
    out.raw(",\"param\":")
    out.string(error.param)
    out.raw(",\"code\":")
    out.string(error.code)
    out.raw("}")
  }

  /// The error event that breaks off a stream.
  static func errorEvent(_ operation: ProviderCall.Operation) -> [UInt8] {
    if operation == .responses {
      return Array(
        ("event: error\ndata: {\"type\":\"error\",\"code\":\"server_error\",\"message\":\"The server had an error while "
          + "processing your request. Sorry about that!\",\"param\":null,\"sequence_number\":0}\n\n").utf8)
    }
    var out = JSONWriter(reserving: 192)
    out.raw("data: {\"error\":")
    write(usual(500), into: &out)
    out.raw("}\n\n")
    return out.bytes
  }

  /// The error a scripted status stands for.
  static func scripted(_ status: SimulatorFault.Status) -> ProviderError {
    var error = usual(status.code)
    if let code = status.errorCode {
      error.code = code
      switch code {
      case "insufficient_quota", "credit_balance_exhausted": error.type = "insufficient_quota"
      case "slow_down": error.type = "rate_limit_error"
      case "context_length_exceeded": error.param = "messages"
      case "server_is_overloaded": error.type = "service_unavailable_error"
      default: break
      }
    }
    if let message = status.message { error.message = message }
    error.retryAfter = status.retryAfter.map { FaultClock.nanoseconds($0) }
    return error
  }

  private static func usual(_ status: Int) -> ProviderError {
    switch status {
    case 401:
      ProviderError(
        401, type: "invalid_request_error", code: "invalid_api_key", "Incorrect API key provided.")
    case 403:
      ProviderError(
        403, type: "request_forbidden", code: "unsupported_country_region_territory",
        "Country, region, or territory not supported")
    case 404:
      ProviderError(
        404, type: "invalid_request_error", code: "model_not_found",
        "The model does not exist or you do not have access to it.")
    case 429:
      ProviderError(429, type: "requests", code: "rate_limit_exceeded", "Rate limit reached. Please try again later.")
    case 503:
      ProviderError(
        503, type: "service_unavailable_error", code: "server_is_overloaded", "The model is temporarily overloaded.")
    case 500...:
      ProviderError(
        status, type: "server_error", "The server had an error while processing your request. Sorry about that!")
    default: ProviderError(status, type: "invalid_request_error", "The request was refused.")
    }
  }
}

/// How keys appear in counters and messages: a real one that strays in here is not shown whole.
enum KeyName {
  static func shortened(_ key: String) -> String {
    key.utf8.count <= 24 ? key : "\(key.prefix(7))…\(key.suffix(4))"
  }
}
