package import SluicePolicy

/// How long a client may go on sending one body: no pause longer than `pause`, and on the whole no slower than `rate`
/// beyond a first `pause`. A client that sends a byte now and then keeps neither (the "slow POST" of 2010; the rule is
/// that of Apache's `RequestReadTimeout` with `MinRate`).
package struct BodyPace: Sendable {
  private let began: Instant
  private let pause: Interval
  /// Bytes a second; 0: any.
  private let rate: Int

  package init(began: Instant, pause: Interval, rate: Int) {
    self.began = began
    self.pause = pause
    self.rate = rate
  }

  /// When more has to have come.
  ///
  /// - Parameter received: bytes of the body so far.
  package func deadline(received: Int, now: Instant) -> Instant {
    guard rate > 0 else { return now + pause }
    let earned = Interval.seconds(1).scaled(by: Double(received) / Double(rate))
    return min(now + pause, began + pause + earned)
  }
}
