package import SluicePolicy

/// What a provider's failure says about where the next try may go.
package enum FailureReach: UInt8, Hashable, Sendable {
  /// Only this request; any endpoint would answer the same.
  case request
  /// The key may not use this model; other models of the key are unaffected.
  case keyAndModel
  /// The key (its account) is limited, out of credit or invalid.
  case key
  /// The server behind the endpoint, whatever the key.
  case endpoint

  /// How far the pool should let it reach.
  package var scope: FailureScope { self == .keyAndModel ? .model : .endpoint }
}

/// A provider's answer that is not a success, or a failure inside a stream, in the gateway's words.
package struct ProviderFailure: Hashable, Sendable {
  package var failureClass: FailureClass
  package var reach: FailureReach
  /// HTTP status; 200 for an error inside a stream.
  package var status: Int
  /// The provider's own code or type, bounded; for metrics only where it is one of a closed set.
  package var code: String?
  /// An excerpt of the provider's message, bounded.
  package var message: String?
  /// How long the provider asks to stay away.
  package var retryAfter: Interval?
  /// The provider's explicit word on retrying (`x-should-retry`).
  package var shouldRetry: Bool?
  /// The account itself is unusable (invalid key, no credit): the key stays out until it is reset or reloaded.
  package var disablesKey: Bool
  /// Nothing but the status says so.
  package var isBare: Bool
  /// Signed anew like this, the same request would work.
  package var remedy: CredentialRemedy?

  package init(
    _ failureClass: FailureClass, reach: FailureReach, status: Int, code: String? = nil, message: String? = nil,
    retryAfter: Interval? = nil, shouldRetry: Bool? = nil, disablesKey: Bool = false,
    isBare: Bool = false, remedy: CredentialRemedy? = nil
  ) {
    self.failureClass = failureClass
    self.reach = reach
    self.status = status
    self.code = code
    self.message = message
    self.retryAfter = retryAfter
    self.shouldRetry = shouldRetry
    self.disablesKey = disablesKey
    self.isBare = isBare
    self.remedy = remedy
  }

  /// The failure of a call on a provider's own path, which nobody here can read: what a bare 401 or 402 refuses may be
  /// that path (an administrator's, another product's), and not the key. It takes no key out, whoever asks for it.
  package var onNativePath: ProviderFailure {
    guard isBare, disablesKey else { return self }
    var failure = self
    failure.disablesKey = false
    if failureClass == .credential {
      failure.reach = .keyAndModel
    } else {
      (failure.failureClass, failure.reach) = (.caller, .request)
    }
    return failure
  }
}

/// What a classifier concludes before hints are added: the part that tables decide.
package struct FailureVerdict: Hashable, Sendable {

  package var failureClass: FailureClass
  package var reach: FailureReach
  package var disablesKey = false
  /// Nothing but the status says so.
  package var isBare = false

  package init(_ failureClass: FailureClass, _ reach: FailureReach, disablesKey: Bool = false) {
    self.failureClass = failureClass
    self.reach = reach
    self.disablesKey = disablesKey
  }

  package var bare: FailureVerdict {
    var verdict = self
    verdict.isBare = true
    return verdict
  }

  /// What a status means where nothing better is known; 200 for an error inside a stream that says nothing about itself.
  ///
  /// Where models are asked, every provider's bare 401 is its word for a wrong key.
  package static func usual(status: Int) -> FailureVerdict {
    switch status {
    case 401: FailureVerdict(.credential, .key, disablesKey: true).bare
    case 402: FailureVerdict(.quota, .key, disablesKey: true).bare
    case 403: FailureVerdict(.credential, .keyAndModel)
    case 408, 504: FailureVerdict(.timeout, .endpoint)
    case 429: FailureVerdict(.rateLimited, .key)
    case 400..<500: FailureVerdict(.caller, .request)
    case 503, 529: FailureVerdict(.overloaded, .endpoint)
    case 500..., 200..<300: FailureVerdict(.server, .endpoint)
    default: FailureVerdict(.protocolError, .endpoint)
    }
  }
}
