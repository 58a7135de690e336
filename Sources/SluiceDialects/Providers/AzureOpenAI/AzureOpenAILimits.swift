import SluicePolicy

extension AzureOpenAI {
  package static let defaultRequestsPerMinute = 300

  /// OpenAI's names, but the resets are whole seconds; 0 and -1 mean that nobody knows.
  package static func rateLimits(_ headers: HeaderView, now: UnixTime) -> RateLimitView {
    var view = RateLimitView()
    headers.visit { name, value in
      guard name.isName(startingWith: "x-ratelimit-") else { return }
      let rest = name.suffix(from: 12)
      if rest.isName("limit-requests") { view.requests.limit = value.decimal }
      if rest.isName("remaining-requests") { view.requests.remaining = value.decimal }
      if rest.isName("reset-requests") { view.requests.resetAfter = seconds(value) }
      if rest.isName("limit-tokens") { view.tokens.limit = value.decimal }
      if rest.isName("remaining-tokens") { view.tokens.remaining = value.decimal }
      if rest.isName("reset-tokens") { view.tokens.resetAfter = seconds(value) }
    }
    return view
  }

  private static func seconds(_ value: ByteSlice) -> Interval? {
    guard let seconds = HintText.seconds(value), seconds > .zero else { return nil }
    return seconds
  }
}
