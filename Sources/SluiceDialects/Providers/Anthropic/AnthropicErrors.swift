import SluicePolicy

extension Anthropic {
  /// Detail code before type before status before text. `status` is 200 for an error inside a stream.
  package static func verdict(status: Int, _ error: ProviderErrorBody) -> FailureVerdict {
    if let code = error.detailCode, let verdict = verdict(detailCode: code) { return verdict }
    if let type = error.type, let verdict = verdict(type: type, status: status, error) { return verdict }
    return .usual(status: status)
  }

  private static func verdict(detailCode: String) -> FailureVerdict? {
    switch detailCode {
    case "enforced_spend_limit_reached", "contract_spend_limit_reached":
      FailureVerdict(.quota, .key, disablesKey: true)
    case "ramp_limit_exceeded": FailureVerdict(.rateLimited, .key)
    default: nil
    }
  }

  private static func verdict(type: String, status: Int, _ error: ProviderErrorBody) -> FailureVerdict? {
    switch type {
    case "authentication_error": FailureVerdict(.credential, .key, disablesKey: true)
    case "billing_error": FailureVerdict(.quota, .key, disablesKey: true)
    case "permission_error": FailureVerdict(.credential, .keyAndModel)
    case "not_found_error": FailureVerdict(.caller, .keyAndModel)
    case "request_too_large": FailureVerdict(.caller, .request)
    case "rate_limit_error": FailureVerdict(.rateLimited, .key)
    case "overloaded_error": FailureVerdict(.overloaded, .endpoint)
    case "timeout_error": FailureVerdict(.timeout, .endpoint)
    case "api_error": FailureVerdict(status == 503 ? .overloaded : .server, .endpoint)
    case "conflict_error": FailureVerdict(.caller, .request)
    case "invalid_request_error": invalidRequest(error)
    default: nil
    }
  }

  private static func invalidRequest(_ error: ProviderErrorBody) -> FailureVerdict {
    let message = error.message ?? ""
    if message.contains("prompt is too long") { return FailureVerdict(.contextLength, .request) }
    // The workspace's own spend limit comes as a 400.
    if message.contains("spend limit") {
      return FailureVerdict(.quota, .key, disablesKey: true)
    }
    return FailureVerdict(.caller, .request)
  }
}
