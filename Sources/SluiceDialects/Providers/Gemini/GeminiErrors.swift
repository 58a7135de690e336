import SluicePolicy

extension Gemini {
  /// The reason and the quota's name before the gRPC status before the HTTP status. `status` is 200 for an error inside
  /// a stream.
  package static func verdict(status: Int, _ error: ProviderErrorBody) -> FailureVerdict {
    if let verdict = verdict(reason: error.code) { return verdict }
    if let type = error.type, let verdict = verdict(type: type, error) { return verdict }
    return .usual(status: status)
  }

  private static func verdict(reason: String?) -> FailureVerdict? {
    switch reason {
    case "API_KEY_INVALID", "API_KEY_EXPIRED", "ACCOUNT_STATE_INVALID", "CONSUMER_SUSPENDED":
      FailureVerdict(.credential, .key, disablesKey: true)
    case "API_KEY_SERVICE_BLOCKED", "SERVICE_DISABLED", "API_KEY_IP_ADDRESS_BLOCKED", "API_KEY_HTTP_REFERRER_BLOCKED":
      FailureVerdict(.credential, .key, disablesKey: true)
    case "BILLING_DISABLED": FailureVerdict(.quota, .key, disablesKey: true)
    default: nil
    }
  }

  private static func verdict(type: String, _ error: ProviderErrorBody) -> FailureVerdict? {
    switch type {
    case "INVALID_ARGUMENT": invalidArgument(error)
    case "FAILED_PRECONDITION": failedPrecondition(error)
    case "UNAUTHENTICATED": FailureVerdict(.credential, .key, disablesKey: true)
    case "PERMISSION_DENIED": FailureVerdict(.credential, .keyAndModel)
    case "NOT_FOUND": FailureVerdict(.caller, .keyAndModel)
    case "RESOURCE_EXHAUSTED": exhausted(error)
    case "CANCELLED": FailureVerdict(.server, .endpoint)
    case "INTERNAL", "UNKNOWN", "DATA_LOSS": FailureVerdict(.server, .endpoint)
    case "UNAVAILABLE": FailureVerdict(.overloaded, .endpoint)
    case "DEADLINE_EXCEEDED": FailureVerdict(.timeout, .endpoint)
    case "OUT_OF_RANGE", "UNIMPLEMENTED", "ABORTED", "ALREADY_EXISTS": FailureVerdict(.caller, .request)
    default: nil
    }
  }

  /// The country is not supported, or billing is off; files that are not ready yet answer so, too.
  private static func failedPrecondition(_ error: ProviderErrorBody) -> FailureVerdict {
    let message = error.message?.lowercased() ?? ""
    let isAccount = ["location", "country", "region", "billing"].contains { message.contains($0) }
    return isAccount ? FailureVerdict(.credential, .key, disablesKey: true) : FailureVerdict(.caller, .request)
  }

  private static func invalidArgument(_ error: ProviderErrorBody) -> FailureVerdict {
    let message = error.message ?? ""
    if message.contains("input token count"), message.contains("exceeds the maximum") {
      return FailureVerdict(.contextLength, .request)
    }
    return FailureVerdict(.caller, .request)
  }

  /// A quota of the day does not come back within any request's time. Without a named quota it is capacity that all
  /// customers share, but the answer to that is the same as to a limit: stay away for a while.
  private static func exhausted(_ error: ProviderErrorBody) -> FailureVerdict {
    guard let quota = error.detailCode, quota.contains("PerDay") else { return FailureVerdict(.rateLimited, .key) }
    return FailureVerdict(.quota, quota.contains("PerModel") ? .keyAndModel : .key)
  }
}
