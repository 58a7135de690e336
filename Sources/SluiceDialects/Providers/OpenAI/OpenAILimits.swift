extension OpenAI {
  package static let defaultRequestsPerMinute = 3500

  /// `x-ratelimit-{limit,remaining,reset}-{requests,tokens}`, resets as Go durations. The `_usage_based` variants tell
  /// the same about usage-based limits and fill in where the plain ones are missing.
  ///
  /// Runs for every answer, so a name is settled by its length and at most two comparisons.
  package static func rateLimits(_ headers: HeaderView, now: UnixTime) -> RateLimitView {
    var view = RateLimitView()
    var usageBased = RateLimitWindow()
    headers.visit { name, value in
      switch name.count {
      case 24:
        if name.isName("x-ratelimit-limit-tokens") { view.tokens.limit = value.decimal }
        if name.isName("x-ratelimit-reset-tokens") { view.tokens.resetAfter = HintText.goDuration(value) }
      case 26:
        if name.isName("x-ratelimit-limit-requests") { view.requests.limit = value.decimal }
        if name.isName("x-ratelimit-reset-requests") { view.requests.resetAfter = HintText.goDuration(value) }
      case 28:
        if name.isName("x-ratelimit-remaining-tokens") { view.tokens.remaining = value.decimal }
      case 30:
        if name.isName("x-ratelimit-remaining-requests") { view.requests.remaining = value.decimal }
      case 36, 40:
        readUsageBased(name, value, &usageBased)
      default: break
      }
    }
    if view.tokens.isEmpty { view.tokens = usageBased }
    return view
  }

  private static func readUsageBased(_ name: ByteSlice, _ value: ByteSlice, _ window: inout RateLimitWindow) {
    if name.equalsIgnoringCase("x-ratelimit-limit-tokens_usage_based") {
      window.limit = value.decimal
    } else if name.equalsIgnoringCase("x-ratelimit-remaining-tokens_usage_based") {
      window.remaining = value.decimal
    } else if name.equalsIgnoringCase("x-ratelimit-reset-tokens_usage_based") {
      window.resetAfter = HintText.goDuration(value)
    }
  }
}
