package import SluicePolicy

/// What a provider's headers say about one limit.
package struct RateLimitWindow: Hashable, Sendable {
  package var limit: Int?
  package var remaining: Int?
  /// Time until the limit is full again.
  package var resetAfter: Interval?

  package init(limit: Int? = nil, remaining: Int? = nil, resetAfter: Interval? = nil) {
    self.limit = limit
    self.remaining = remaining
    self.resetAfter = resetAfter
  }

  package var isEmpty: Bool { limit == nil && remaining == nil && resetAfter == nil }

  /// 0…1 of the limit that is left, when both figures are known.
  package var headroom: Double? {
    guard let limit, let remaining, limit > 0 else { return nil }
    return min(1, max(0, Double(remaining) / Double(limit)))
  }
}

/// The rate limits of the account and model an answer belongs to, as far as the provider tells.
package struct RateLimitView: Hashable, Sendable {
  package var requests = RateLimitWindow()
  package var tokens = RateLimitWindow()
  package var inputTokens = RateLimitWindow()
  package var outputTokens = RateLimitWindow()

  package init() {}

  package var isEmpty: Bool { requests.isEmpty && tokens.isEmpty && inputTokens.isEmpty && outputTokens.isEmpty }

  /// The tightest share that is left over all limits.
  package var headroom: Double? {
    [requests.headroom, tokens.headroom, inputTokens.headroom, outputTokens.headroom].compactMap(\.self).min()
  }

  /// The longest reset among the limits that are used up: the truthful wait when a 429 brings no hint of its own.
  package var exhaustedReset: Interval? {
    var longest: Interval?
    for window in [requests, tokens, inputTokens, outputTokens] {
      guard window.remaining == 0, let reset = window.resetAfter else { continue }
      longest = max(longest ?? reset, reset)
    }
    return longest
  }
}
