/// The buckets of one key.
struct KeyBuckets: Sendable {
  var requests: RateBucket?
  var tokens: RateBucket?
  var outputTokens: RateBucket?

  init(_ limits: SimulatorLimits) {
    func bucket(_ limit: Int?) -> RateBucket? {
      limit.map { RateBucket(perMinute: $0, burst: limits.burst) }
    }
    requests = bucket(limits.requestsPerMinute)
    tokens = bucket(limits.tokensPerMinute)
    outputTokens = bucket(limits.outputTokensPerMinute)
  }

  func isFull(now: Int64) -> Bool {
    [requests, tokens, outputTokens].allSatisfy { ($0?.untilFull(now: now) ?? 0) == 0 }
  }
}

/// What one request takes from the buckets of its key.
struct RateCost: Sendable {
  var tokens: Int
  var outputTokens: Int
}

/// A request that does not fit, and which limit is in the way.
struct RateRefusal: Sendable {
  enum Dimension: String, Sendable { case requests, tokens, outputTokens }
  var dimension: Dimension
  var limit: Int
  var remaining: Int
  var requested: Int
  /// Nanoseconds to wait; `nil` if waiting never helps.
  var wait: Int64?
}

/// The buckets of every key of one provider. A key whose buckets are full carries no information and may be forgotten,
/// which bounds the table without changing any answer.
struct KeyLimits: Sendable {
  private let limits: SimulatorLimits
  private var buckets: [String: KeyBuckets] = [:]
  private static let maxKeys = 4_096

  init(_ limits: SimulatorLimits) {
    self.limits = limits
  }

  var isUnlimited: Bool {
    limits.requestsPerMinute == nil && limits.tokensPerMinute == nil && limits.outputTokensPerMinute == nil
  }

  /// Takes the cost if it fits into every bucket, else nothing.
  mutating func admit(_ key: String, _ cost: RateCost, now: Int64) -> RateRefusal? {
    guard !isUnlimited else { return nil }
    let name = tableName(of: key, now: now)
    var own = buckets[name] ?? KeyBuckets(limits)
    let needs: [(RateRefusal.Dimension, RateBucket?, Int)] = [
      (.requests, own.requests, 1), (.tokens, own.tokens, cost.tokens),
      (.outputTokens, own.outputTokens, cost.outputTokens),
    ]
    for (dimension, bucket, amount) in needs {
      guard let bucket else { continue }
      let verdict = bucket.check(amount, now: now)
      guard verdict != .fits else { continue }
      let wait: Int64? = if case .wait(let time) = verdict { time } else { nil }
      return RateRefusal(
        dimension: dimension, limit: bucket.limit, remaining: bucket.remaining(now: now), requested: amount, wait: wait)
    }
    own.requests?.take(1, now: now)
    own.tokens?.take(cost.tokens, now: now)
    own.outputTokens?.take(cost.outputTokens, now: now)
    buckets[name] = own
    return nil
  }

  /// Corrects an estimate once the answer's length is known.
  mutating func refund(_ key: String, _ unused: RateCost, now: Int64) {
    guard !isUnlimited else { return }
    let name = tableName(of: key, now: now)
    buckets[name]?.tokens?.refund(unused.tokens)
    buckets[name]?.outputTokens?.refund(unused.outputTokens)
  }

  /// The state after this request, for its headers.
  func buckets(of key: String) -> KeyBuckets {
    buckets[key] ?? buckets[""] ?? KeyBuckets(limits)
  }

  /// Keys beyond the bound share the buckets of the empty name.
  private mutating func tableName(of key: String, now: Int64) -> String {
    if buckets[key] != nil || buckets.count < Self.maxKeys { return key }
    buckets = buckets.filter { !$0.value.isFull(now: now) }
    return buckets.count < Self.maxKeys ? key : ""
  }
}
