/// One limit per minute as a generic cell rate algorithm: the state is a single time, "when everything taken so far
/// will have been refilled". A bucket nobody uses needs no work.
package struct RateBucket: Sendable {
  package let limit: Int
  /// Nanoseconds until one unit is refilled.
  private let interval: Int64
  /// How far ahead of now the refill time may lie.
  private let window: Int64
  /// When the bucket is full again.
  private var fullAt: Int64 = 0

  package init(perMinute limit: Int, burst: Double) {
    // Far above any real limit, and far below what the arithmetic could not hold.
    self.limit = min(max(1, limit), 1_000_000_000_000)
    interval = max(1, 60_000_000_000 / Int64(self.limit))
    let share = burst.isFinite ? min(1, max(0, burst)) : 1
    // Room for one unit at least, or nothing would ever pass.
    window = max(interval, Int64(Double(self.limit) * share) * interval)
  }

  package enum Verdict: Sendable, Equatable {
    case fits
    /// Enough will have been refilled after so many nanoseconds.
    case wait(Int64)
    /// More than the bucket can ever hold.
    case never
  }

  /// Whether `amount` can be taken now. Nothing is taken: a request needs room in several buckets at once.
  package func check(_ amount: Int, now: Int64) -> Verdict {
    guard amount > 0 else { return .fits }
    let (cost, overflow) = Int64(amount).multipliedReportingOverflow(by: interval)
    guard !overflow, cost <= window else { return .never }
    let ahead = max(fullAt, now) - now + cost
    return ahead <= window ? .fits : .wait(ahead - window)
  }

  package mutating func take(_ amount: Int, now: Int64) {
    guard amount > 0 else { return }
    fullAt = max(fullAt, now) + Int64(min(amount, limit)) * interval
  }

  /// Gives back what was reserved and not used.
  package mutating func refund(_ amount: Int) {
    guard amount > 0 else { return }
    fullAt -= Int64(min(amount, limit)) * interval
  }

  package func remaining(now: Int64) -> Int {
    Int(max(0, window - max(0, fullAt - now)) / interval)
  }

  /// Nanoseconds until the bucket is full.
  package func untilFull(now: Int64) -> Int64 {
    max(0, fullAt - now)
  }
}
