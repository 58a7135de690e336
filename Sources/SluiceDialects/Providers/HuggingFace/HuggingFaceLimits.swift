import SluicePolicy

extension HuggingFace {
  package static let defaultRequestsPerMinute = 300

  /// The IETF draft's form: `ratelimit: "api";r=0;t=55` and `ratelimit-policy: "fixed window";"api";q=500;w=300`.
  package static func rateLimits(_ headers: HeaderView, now: UnixTime) -> RateLimitView {
    var view = RateLimitView()
    view.refill = .window
    headers.visit { name, value in
      if name.isName("ratelimit") {
        view.requests.remaining = parameter(0x72, value)
        // Whole seconds, cut off: one more is safe, and what the SDK waits.
        view.requests.resetAfter = parameter(0x74, value).map { .seconds(Int64(min($0, 86_399)) + 1) }
      } else if name.isName("ratelimit-policy") {
        view.requests.limit = parameter(0x71, value)
      }
    }
    return view
  }

  /// The number behind `;x=`.
  private static func parameter(_ name: UInt8, _ value: ByteSlice) -> Int? {
    var start = 0
    while let semicolon = value.firstIndex(of: 0x3B, from: start) {
      start = semicolon + 1
      let end = value.firstIndex(of: 0x3B, from: start) ?? value.count
      let item = value[start..<end].trimmed
      if item.count > 2, item[0] == name, item[1] == 0x3D { return item.suffix(from: 2).decimal }
    }
    return nil
  }
}
