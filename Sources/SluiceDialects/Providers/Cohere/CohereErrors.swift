import SluicePolicy

extension Cohere {
  /// Bodies hold a message only, so the status decides first. `status` is 200 for an error inside a stream.
  package static func verdict(status: Int, _ error: ProviderErrorBody) -> FailureVerdict {
    switch status {
    case 400:
      isContextLength(error) ? FailureVerdict(.contextLength, .request) : FailureVerdict(.caller, .request)
    case 401: FailureVerdict(.credential, .key, disablesKey: true).bare
    case 402: FailureVerdict(.quota, .key, disablesKey: true).bare
    case 403: FailureVerdict(.credential, .keyAndModel)
    case 404: FailureVerdict(.caller, .keyAndModel)
    case 408, 504: FailureVerdict(.timeout, .endpoint)
    case 429: isMonthly(error) ? FailureVerdict(.quota, .key, disablesKey: true) : FailureVerdict(.rateLimited, .key)
    // The key is blocked.
    case 498: FailureVerdict(.credential, .key, disablesKey: true)
    // Cancelled on the provider's side, since a client of the gateway that goes away gets no answer.
    case 499: FailureVerdict(.server, .endpoint)
    case 400..<500: FailureVerdict(.caller, .request)
    case 503, 529: FailureVerdict(.overloaded, .endpoint)
    case 500..., 200..<300: FailureVerdict(.server, .endpoint)
    default: FailureVerdict(.protocolError, .endpoint)
    }
  }

  private static func isContextLength(_ error: ProviderErrorBody) -> Bool {
    error.message?.contains("too many tokens") ?? false
  }

  /// Trial keys have a limit per month, which no wait outlasts.
  private static func isMonthly(_ error: ProviderErrorBody) -> Bool {
    error.message?.contains("month") ?? false
  }
}
