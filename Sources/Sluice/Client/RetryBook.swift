package import SluicePolicy

/// Keeps the account of one call's tries in one pool, and says what comes after a failure: the failure class decides
/// where, the pool's settings decide how often.
///
/// A replay (the connection had died unheard and the request can do no harm twice) is allowed once and costs no try, and
/// neither do a few refusals by an upstream that did not look at the request.
/// A limited or refused key is walked away from at once; each walk leaves out one more endpoint, so there are at most as
/// many as the pool has. All else is a retry: paid from `attempts`, after a full-jitter backoff or the provider's hint.
/// Value: time and randomness come from outside.
package struct RetryBook {
  /// What is known about a failed try.
  package struct Failure {
    package var failureClass: FailureClass
    /// Who failed; nil when the pool granted nobody.
    package var endpoint: EndpointID?
    package var retryAfter: Interval?
    /// The provider's explicit word.
    package var shouldRetry: Bool?
    package var replaySafe = false
    /// The upstream says that it did not look at the request.
    package var isRefused = false
    /// The pool has no endpoint that may serve.
    package var noEndpoint = false

    package init(_ failureClass: FailureClass, endpoint: EndpointID? = nil, retryAfter: Interval? = nil) {
      self.failureClass = failureClass
      self.endpoint = endpoint
      self.retryAfter = retryAfter
    }
  }

  package enum Step: Equatable {
    case again(after: Interval)
    /// This pool is through: the next target, or the error.
    case giveUp
  }

  package static let backoffBase = Interval.milliseconds(200)
  package static let backoffCeiling = Interval.seconds(8)
  /// Times that an upstream may refuse to look at a request before that counts as a failure.
  package static let maxRefusals = 8

  let attempts: Int
  package private(set) var tries = 1
  package private(set) var freshOnly = false
  private var hasReplayed = false
  private var refusals = 0
  private var limited = EndpointSet()
  private var failed = EndpointSet()
  private var limitedUntil = Instant.distantFuture

  package init(attempts: Int) { self.attempts = attempts }

  /// Endpoints that the next try leaves out.
  package var excluding: EndpointSet { limited.union(failed) }

  /// - Parameters:
  ///   - random: 64 random bits.
  ///   - pay: takes one retry from the shared budget; asked last, only when the retry would be made.
  package mutating func next(
    after failure: Failure, now: Instant, deadline: Instant, random: UInt64, pay: () -> Bool
  ) -> Step {
    guard now < deadline else { return .giveUp }
    if failure.isRefused, refusals < Self.maxRefusals {
      refusals += 1
      return .again(after: .zero)
    }
    if failure.replaySafe, !hasReplayed {
      hasReplayed = true
      freshOnly = true
      return .again(after: .zero)
    }
    if failure.noEndpoint { return withoutEndpoint(now, deadline, pay) }
    switch failure.failureClass {
    case .credential, .quota, .rateLimited: return walk(failure, now)
    case .caller where failure.shouldRetry == true: break
    default:
      if failure.failureClass.retry == .never || failure.failureClass.retry == .otherPool { return .giveUp }
    }
    return retry(failure, now, deadline, random, pay)
  }

  private mutating func walk(_ failure: Failure, _ now: Instant) -> Step {
    guard let endpoint = failure.endpoint, !limited.contains(endpoint) else { return .giveUp }
    limited.insert(endpoint)
    if failure.failureClass == .rateLimited, let wait = failure.retryAfter {
      limitedUntil = min(limitedUntil, now + wait)
    }
    return .again(after: .zero)
  }

  private mutating func retry(
    _ failure: Failure, _ now: Instant, _ deadline: Instant, _ random: UInt64, _ pay: () -> Bool
  ) -> Step {
    guard failure.shouldRetry != false, tries < attempts else { return .giveUp }
    let wait = max(failure.retryAfter ?? .zero, backoff(random))
    guard now + wait < deadline, pay() else { return .giveUp }
    tries += 1
    // Another endpoint where there is one; forgotten when the pool has no other.
    if let endpoint = failure.endpoint { failed.insert(endpoint) }
    return .again(after: wait)
  }

  /// First back to those that merely failed, then wait for the first limited key if the call may take so long.
  private mutating func withoutEndpoint(_ now: Instant, _ deadline: Instant, _ pay: () -> Bool) -> Step {
    if !failed.isEmpty {
      failed = EndpointSet()
      return .again(after: .zero)
    }
    guard !limited.isEmpty, limitedUntil < deadline, tries < attempts, pay() else { return .giveUp }
    tries += 1
    let wait = max(.zero, limitedUntil - now)
    limited = EndpointSet()
    limitedUntil = .distantFuture
    return .again(after: wait)
  }

  /// Full jitter (Brooker, "Exponential Backoff And Jitter", 2015): anything from nothing to the doubled ceiling.
  private func backoff(_ random: UInt64) -> Interval {
    let ceiling = min(Self.backoffCeiling, Self.backoffBase.scaled(by: Double(1 << min(tries - 1, 20))))
    return ceiling.scaled(by: Double(random >> 11) * 0x1p-53)
  }
}
