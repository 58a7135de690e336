/// Average latency that follows a rise at once and a fall slowly ("peak EWMA", as in Finagle's load balancer), so
/// that an endpoint that turns slow loses load with its first slow answer. Kept in nanoseconds.
///
/// The weight of the past after `t` is `1 / (1 + t/decay)`, the first approximation of `exp(-t/decay)`.
package struct PeakLatency: Hashable, Sendable {
  /// 0 is unknown.
  package private(set) var value = 0.0
  private var updated = Instant.distantPast

  package init() {}

  package mutating func observe(_ latency: Interval, now: Instant, decay: Interval) {
    let sample = Double(latency.nanoseconds)
    guard sample > 0 else { return }
    if value == 0 || sample > value {
      value = sample
    } else {
      let span = Double(decay.nanoseconds)
      let keep = span / (span + Swift.max(0, Double((now - updated).nanoseconds)))
      value = sample + (value - sample) * keep
    }
    updated = now
  }

  /// A failure must not look like a quick answer: doubles, up to ten times what is typical.
  package mutating func penalise(typical: Double, now: Instant) {
    let base = Swift.max(value, typical)
    value = Swift.max(value, Swift.min(base * 2, typical * 10))
    updated = now
  }
}
