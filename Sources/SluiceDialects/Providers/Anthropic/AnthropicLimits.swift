extension Anthropic {
  package static let defaultRequestsPerMinute = 1000

  /// `anthropic-ratelimit-{requests,tokens,input-tokens,output-tokens}-{limit,remaining,reset}`, resets as RFC 3339
  /// times. The `unified` family of subscription plans has no limit and remaining figures and is left alone.
  package static func rateLimits(_ headers: HeaderView, now: UnixTime) -> RateLimitView {
    var view = RateLimitView()
    headers.visit { name, value in
      guard name.isName(startingWith: "anthropic-ratelimit-") else { return }
      let rest = name.suffix(from: 20)
      if rest.isName(startingWith: "requests-") {
        set(rest.suffix(from: 9), value, now, &view.requests)
      } else if rest.isName(startingWith: "tokens-") {
        set(rest.suffix(from: 7), value, now, &view.tokens)
      } else if rest.isName(startingWith: "input-tokens-") {
        set(rest.suffix(from: 13), value, now, &view.inputTokens)
      } else if rest.isName(startingWith: "output-tokens-") {
        set(rest.suffix(from: 14), value, now, &view.outputTokens)
      }
    }
    return view
  }

  private static func set(
    _ field: ByteSlice, _ value: ByteSlice, _ now: UnixTime, _ window: inout RateLimitWindow
  ) {
    if field.isName("limit") {
      window.limit = value.decimal
    } else if field.isName("remaining") {
      window.remaining = value.decimal
    } else if field.isName("reset") {
      window.resetAfter = DateText.rfc3339(value)?.interval(since: now)
    }
  }
}
