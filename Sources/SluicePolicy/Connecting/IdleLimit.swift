/// The idle time after which the remote side closes, learned from what it did.
///
/// One observation proves nothing (the server may have been restarted), so a limit is believed when a second one, at
/// another time, agrees within a quarter. An announced one (`keep-alive: timeout=`) is believed at once. A belief
/// lapses after a day and is learned again: limits do get longer, and a resource that is retired in time never shows.
package struct IdleLimit: Hashable, Sendable {
  private var candidate = Interval.zero
  private var candidateAt = Instant.distantPast
  private var believedAt = Instant.distantPast
  private var limit: Interval?

  private static let lifetime: Interval = .hours(24)
  /// Shorter ones are closings for another reason.
  private static let least: Interval = .milliseconds(500)
  private static let apart: Interval = .seconds(1)

  package init() {}

  package func believed(_ now: Instant) -> Interval? {
    now - believedAt > Self.lifetime ? nil : limit
  }

  /// A resource was closed by the remote side after having been idle for `idle`. Returns whether the belief changed.
  package mutating func observe(_ idle: Interval, now: Instant) -> Bool {
    guard idle >= Self.least else { return false }
    if let limit = believed(now), idle >= limit.scaled(by: 0.75) { return false }
    let agrees = candidate > .zero && idle >= candidate.scaled(by: 0.75) && idle <= candidate.scaled(by: 1.25)
    if agrees, now - candidateAt >= Self.apart {
      believe(Swift.min(candidate, idle), now)
      return true
    }
    if !agrees {
      candidate = idle
      candidateAt = now
    }
    return false
  }

  /// The remote side said so.
  package mutating func announce(_ announced: Interval, now: Instant) -> Bool {
    guard announced > .zero else { return false }
    let changed = believed(now) != announced
    believe(announced, now)
    return changed
  }

  private mutating func believe(_ value: Interval, _ now: Instant) {
    limit = value
    believedAt = now
    candidate = .zero
  }
}
