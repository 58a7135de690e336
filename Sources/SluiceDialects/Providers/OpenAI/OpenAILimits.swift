extension OpenAI {
  static let defaultRequestsPerMinute = 3500

  /// `x-ratelimit-{limit,remaining,reset}-{requests,tokens}`, resets as Go durations. The `_usage_based` variants tell
  /// the same about usage-based limits and fill in where the plain ones are missing.
  static func rateLimits(_ headers: HeaderView) -> RateLimitView {
    var view = RateLimitView()
    var usageBased = RateLimitWindow()
    headers.visit { name, value in
      guard name.count > 12, name.hasPrefixIgnoringCase("x-ratelimit-") else { return }
      let rest = name.suffix(from: 12)
      guard let dash = rest.firstIndex(of: 0x2D) else { return }
      let field = rest[0..<dash]
      let unit = rest.suffix(from: dash + 1)
      if unit.equalsIgnoringCase("requests") {
        set(field, value, &view.requests)
      } else if unit.equalsIgnoringCase("tokens") {
        set(field, value, &view.tokens)
      } else if unit.equalsIgnoringCase("tokens_usage_based") {
        set(field, value, &usageBased)
      }
    }
    if view.tokens.isEmpty { view.tokens = usageBased }
    return view
  }

  private static func set(_ field: ByteSlice, _ value: ByteSlice, _ window: inout RateLimitWindow) {
    if field.equalsIgnoringCase("limit") {
      window.limit = value.decimal
    } else if field.equalsIgnoringCase("remaining") {
      window.remaining = value.decimal
    } else if field.equalsIgnoringCase("reset") {
      window.resetAfter = HintText.goDuration(value)
    }
  }
}
