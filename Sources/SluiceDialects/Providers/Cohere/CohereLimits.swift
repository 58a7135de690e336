package import SluicePolicy

extension Cohere {
  /// Chat with a production key.
  package static let defaultRequestsPerMinute = 500

  /// Longer waits are not meant by this header, whatever it says.
  private static let longestReset: Interval = .seconds(60)

  /// `x-ratelimit-reset`: a moment in Unix seconds.
  package static func wait(_ headers: HeaderView, now: UnixTime) -> Interval? {
    var wait: Interval?
    headers.visit { name, value in
      guard name.isName("x-ratelimit-reset"), let seconds = value.trimmed.decimal else { return }
      wait = min(UnixTime.seconds(Int64(seconds)).interval(since: now), longestReset)
    }
    return wait
  }
}
