import SluicePolicy

extension OpenAI {
  /// Code before type before status before text. `status` is 200 for an error inside a stream.
  package static func verdict(status: Int, _ error: ProviderErrorBody) -> FailureVerdict {
    if let code = error.code, let verdict = verdict(code: code, error) { return verdict }
    if let type = error.type, let verdict = verdict(type: type, status: status) { return verdict }
    if status < 500, isContextLength(error) { return FailureVerdict(.contextLength, .request) }
    if isOverload(error) { return FailureVerdict(.overloaded, .endpoint) }
    return .usual(status: status)
  }

  private static func verdict(code: String, _ error: ProviderErrorBody) -> FailureVerdict? {
    switch code {
    case "context_length_exceeded": FailureVerdict(.contextLength, .request)
    case "content_filter": FailureVerdict(.contentPolicy, .request)
    case "invalid_api_key": FailureVerdict(.credential, .key, disablesKey: true)
    case "insufficient_quota", "credit_balance_exhausted":
      FailureVerdict(.quota, .key, disablesKey: true)
    case "rate_limit_exceeded":
      isOversized(error) ? FailureVerdict(.caller, .request) : FailureVerdict(.rateLimited, .key)
    case "slow_down": FailureVerdict(.rateLimited, .key)
    case "server_is_overloaded": FailureVerdict(.overloaded, .endpoint)
    case "server_error": FailureVerdict(.server, .endpoint)
    case "unsupported_country_region_territory": FailureVerdict(.credential, .key, disablesKey: true)
    case "model_not_found": FailureVerdict(.caller, .keyAndModel)
    case "unsupported_parameter", "unsupported_value", "invalid_request_error": FailureVerdict(.caller, .request)
    default: nil
    }
  }

  /// A type that says as little as `invalid_request_error` decides nothing: 401 bodies carry it too.
  private static func verdict(type: String, status: Int) -> FailureVerdict? {
    switch type {
    case "insufficient_quota": FailureVerdict(.quota, .key, disablesKey: true)
    case "tokens", "requests", "rate_limit_error": status < 500 ? FailureVerdict(.rateLimited, .key) : nil
    case "service_unavailable_error": FailureVerdict(.overloaded, .endpoint)
    case "request_forbidden": FailureVerdict(.credential, .keyAndModel)
    default: nil
    }
  }

  /// One request that is larger than the whole limit: no wait will ever make it fit.
  private static func isOversized(_ error: ProviderErrorBody) -> Bool {
    error.message?.contains("Request too large") ?? false
  }

  private static func isContextLength(_ error: ProviderErrorBody) -> Bool {
    error.message?.contains("maximum context length") ?? false
  }

  private static func isOverload(_ error: ProviderErrorBody) -> Bool {
    error.message?.contains("overloaded") ?? false
  }
}
