public import SluicePolicy

/// The finer points of a wish for a lease; the defaults are right for most.
public struct LeaseOptions: Sendable {
  /// What happens when the pool itself cannot serve because it is closed or draining.
  public enum Fallback: Sendable {
    /// If the pool's settings say `fallback: direct`, a one-off connection that is closed after this lease.
    case asConfigured
    /// The error.
    case never
  }

  /// For fairness between callers of one class.
  public var caller: CallerID = .anonymous
  /// Endpoints that must not serve it.
  public var excluding = EndpointSet()
  /// The only endpoint that may serve it.
  public var pinned: EndpointID?
  /// Only a resource that has never served will do.
  public var freshOnly = false
  /// What should stay together on one endpoint; 0 for nothing.
  public var affinity: UInt64 = 0
  /// What happens when the pool itself cannot serve.
  public var fallback = Fallback.asConfigured

  /// The defaults.
  public init() {}
}

extension RejectionReason {
  /// Reasons that lie with the pool itself; a full queue or a tired provider are not helped by going round the pool.
  var allowsDirect: Bool {
    switch self {
    case .closed, .draining: true
    case .queueFull, .deadline, .noEndpoint, .limited, .notAllowed, .credential, .connectFailed: false
    }
  }
}

extension PoolRejection {
  var culprit: PoolError.Culprit {
    switch reason {
    case .queueFull, .deadline, .draining, .closed: .pool
    case .notAllowed: .caller
    case .noEndpoint, .limited, .credential: .remote
    case .connectFailed: .resource
    }
  }

  /// A refused wish sent nothing, so trying again is always safe; whether it makes sense depends on the reason.
  var retryAdvice: PoolError.RetryAdvice {
    switch reason {
    case .limited: retryAfter == nil ? .never : .safe(after: retryAfter)
    case .queueFull, .deadline, .noEndpoint, .connectFailed: .safe(after: retryAfter)
    case .notAllowed, .credential, .draining, .closed: .never
    }
  }
}
