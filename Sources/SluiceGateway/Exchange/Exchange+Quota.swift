import NIOCore
import SluiceDialects
import SluicePolicy
import SluiceRuntime

/// What answers say about the limits of the account.
extension Exchange {
  /// Looks at the head of an answer.
  func noteQuota(_ now: Instant) {
    guard let head = responseHead, let endpoint = lease?.grant.endpoint else { return }
    let view = responseBytes.withUnsafeReadableBytes {
      target.pool.dialect.rateLimits(HeaderView(head.headers, in: ByteSlice($0)), now: WallClock.now())
    }
    guard !view.isEmpty else { return }
    // A refused request says by itself how long to wait.
    target.pool.driver.quotaHeard(
      endpoint, EndpointQuota(view, heardAt: now), pause: head.status < 400 ? view.pause : nil)
  }
}

extension EndpointQuota {
  init(_ view: RateLimitView, heardAt now: Instant) {
    self.init(heardAt: now)
    requests = QuotaWindow(view.requests, now)
    tokens = QuotaWindow(view.tokens, now)
    inputTokens = QuotaWindow(view.inputTokens, now)
    outputTokens = QuotaWindow(view.outputTokens, now)
  }
}

extension QuotaWindow {
  fileprivate init(_ window: RateLimitWindow, _ now: Instant) {
    self.init(limit: window.limit, remaining: window.remaining, resetsAt: window.resetAfter.map { now + $0 })
  }
}
