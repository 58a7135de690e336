/// Pause before the next attempt: doubles with each failure up to a maximum, with full jitter (M. Brooker,
/// "Exponential Backoff and Jitter", AWS Architecture Blog, 2015), but never less than a tenth of the first delay,
/// so that a refused port is not tried in a tight loop.
package struct Backoff: Hashable, Sendable {
  package var first: Interval
  package var most: Interval

  package init(first: Interval, most: Interval) {
    self.first = first
    self.most = most
  }

  /// The longest pause after `failures` failures in a row (at least 1).
  package func ceiling(failures: Int) -> Interval {
    let shift = Swift.min(Swift.max(failures - 1, 0), 62)
    let (product, overflow) = first.nanoseconds.multipliedReportingOverflow(by: 1 << Int64(shift))
    return overflow ? most : Swift.min(Interval(nanoseconds: product), most)
  }

  package func delay(failures: Int, _ random: inout SplitMix64) -> Interval {
    Swift.max(ceiling(failures: failures).scaled(by: random.unit()), first.scaled(by: 0.1))
  }
}
