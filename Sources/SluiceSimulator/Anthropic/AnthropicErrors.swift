extension AnthropicService {
  /// An error answer in Anthropic's shape.
  static func render(_ error: ProviderError, requestID: String) -> Answer {
    var answer = Answer.json(error.status, body(error, requestID: requestID))
    answer.headers.add("request-id", requestID)
    if let wait = error.retryAfter {
      answer.headers.add("retry-after", Int(TimeText.wholeSeconds(nanoseconds: wait)))
    }
    if let shouldRetry = error.shouldRetry { answer.headers.add("x-should-retry", shouldRetry ? "true" : "false") }
    return answer
  }

  private static func body(_ error: ProviderError, requestID: String) -> [UInt8] {
    var out = JSONWriter(reserving: 256)
    out.raw("{\"type\":\"error\",\"error\":{\"type\":")
    out.string(error.type)
    out.raw(",\"message\":")
    out.string(error.message)
    if let code = error.code {
      out.raw(",\"details\":{\"error_code\":")
      out.string(code)
      out.raw("}")
    }
    out.raw("},\"request_id\":")
    out.string(requestID)
    out.raw("}")
    return out.bytes
  }

  /// The error event that breaks off a stream.
  static func errorEvent(requestID: String) -> [UInt8] {
    Array("event: error\ndata: ".utf8) + body(usual(529), requestID: requestID) + [0x0A, 0x0A]
  }

  /// The error a scripted status stands for.
  static func scripted(_ status: SimulatorFault.Status) -> ProviderError {
    var error = usual(status.code)
    error.code = status.errorCode
    if let message = status.message { error.message = message }
    error.retryAfter = status.retryAfter.map { FaultClock.nanoseconds($0) }
    return error
  }

  private static func usual(_ status: Int) -> ProviderError {
    switch status {
    case 401: ProviderError(401, type: "authentication_error", "invalid x-api-key")
    case 402:
      ProviderError(402, type: "billing_error", "Your credit balance is too low to access the Anthropic API.")
    case 403:
      ProviderError(
        403, type: "permission_error", "Your API key does not have permission to use the specified resource.")
    case 404: ProviderError(404, type: "not_found_error", "Not Found")
    case 409: ProviderError(409, type: "conflict_error", "The request conflicts with another one.")
    case 413: ProviderError(413, type: "request_too_large", "Request exceeds the maximum size")
    case 429:
      ProviderError(
        429, type: "rate_limit_error", "This request would exceed your organization's rate limit.")
    case 504: ProviderError(504, type: "timeout_error", "The request timed out while processing.")
    case 529: ProviderError(529, type: "overloaded_error", "Overloaded")
    case 500...: ProviderError(status, type: "api_error", "Internal server error")
    default: ProviderError(status, type: "invalid_request_error", "The request was refused.")
    }
  }
}
