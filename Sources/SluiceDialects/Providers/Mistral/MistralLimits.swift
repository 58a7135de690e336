extension Mistral {
  package static let defaultRequestsPerMinute = 60

  /// Per minute; when the minute ends is not said.
  package static func rateLimits(_ headers: HeaderView, now: UnixTime) -> RateLimitView {
    var view = RateLimitView()
    headers.visit { name, value in
      guard name.isName(startingWith: "x-ratelimit-") else { return }
      let rest = name.suffix(from: 12)
      if rest.isName("limit-req-minute") { view.requests.limit = value.decimal }
      if rest.isName("remaining-req-minute") { view.requests.remaining = value.decimal }
      if rest.isName("limit-tokens-minute") { view.tokens.limit = value.decimal }
      if rest.isName("remaining-tokens-minute") { view.tokens.remaining = value.decimal }
    }
    return view
  }
}
