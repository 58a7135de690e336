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

/// How a limit comes back.
package enum RateLimitRefill: UInt8, Hashable, Sendable {
  /// Bit by bit: the reset is when all of it is back.
  case continuous
  /// All at once, at the reset.
  case window
}

/// The rate limits of the account and model an answer belongs to, as far as the provider tells.
package struct RateLimitView: Hashable, Sendable {
  package var requests = RateLimitWindow()
  package var tokens = RateLimitWindow()
  package var inputTokens = RateLimitWindow()
  package var outputTokens = RateLimitWindow()
  package var refill = RateLimitRefill.continuous

  package init() {}

  /// How long the account had better be left alone, after an answer that succeeded: until something of the limits that
  /// are used up is back. Of those that come back bit by bit that is a tenth, and at least one request: to wait for all of
  /// it would keep callers from room that is there.
  package var pause: Interval? {
    var longest: Interval?
    for window in [requests, tokens, inputTokens, outputTokens] {
      guard window.remaining == 0, let reset = window.resetAfter, reset > .zero else { continue }
      let share = refill == .window ? 1 : max(0.1, 1 / Double(max(1, window.limit ?? 1)))
      longest = max(longest ?? .zero, reset.scaled(by: share))
    }
    return longest
  }

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
