/// Health of one endpoint by failures in a row.
///
/// ```
/// healthy ─ failures ─▶ ejected ─ checks or traffic succeed ─▶ healthy (slow start)
///    ▲                    ▲
///    │ successes          │ a failure, once there is room among the ejected
///    └───── failing ──────┘   (too many others are ejected: goes on, behind the healthy ones)
/// ```
/// Only results of exchanges that were granted in the present state count, so that a burst of answers from before an
/// ejection neither ends nor repeats it. Ejections that follow each other soon grow longer.
///
/// Seam: error rates, latency and outlier detection plug in here as further reasons to return `.shouldEject`.
package struct HealthTracker: Hashable, Sendable {
  package enum State: UInt8, Sendable {
    case healthy, failing, ejected
  }

  package enum Verdict: Sendable {
    case unchanged
    /// Failed too often; the owner decides between `eject` and `fail`.
    case shouldEject
    case recovered
  }

  package private(set) var state = State.healthy
  package private(set) var failures: UInt16 = 0
  private var successes: UInt16 = 0
  private var ejections: UInt8 = 0
  /// When the present state began.
  package private(set) var since = Instant.distantPast
  /// End of the ejection; then it is checked.
  package private(set) var until = Instant.distantPast
  /// Begin of the slow start.
  package private(set) var rampSince = Instant.distantPast

  package init() {}

  /// Nothing to learn from a success: the common case.
  @inline(__always)
  package var isPristine: Bool { state == .healthy && failures == 0 }

  package mutating func succeeded(grantedAt: Instant, now: Instant, _ settings: HealthSettings) -> Verdict {
    guard grantedAt >= since else { return .unchanged }
    failures = 0
    if state == .healthy { return .unchanged }
    successes &+= 1
    guard successes >= settings.healthyAfter else { return .unchanged }
    recover(now)
    return .recovered
  }

  package mutating func failed(grantedAt: Instant, _ settings: HealthSettings) -> Verdict {
    guard grantedAt >= since else { return .unchanged }
    successes = 0
    failures = failures == .max ? .max : failures + 1
    if state == .ejected { return .unchanged }
    return Int(failures) >= settings.unhealthyAfter ? .shouldEject : .unchanged
  }

  /// Takes it out; `jitter` (0…1) lengthens the time by up to a tenth.
  package mutating func eject(now: Instant, _ settings: HealthSettings, jitter: Double) {
    if now - rampSince > settings.ejectionMax { ejections = 0 }
    let shift = Int64(Swift.min(ejections, 20))
    let (product, overflow) = settings.ejection.nanoseconds.multipliedReportingOverflow(by: 1 << shift)
    let base = overflow ? settings.ejectionMax : Swift.min(Interval(nanoseconds: product), settings.ejectionMax)
    ejections = ejections == .max ? .max : ejections + 1
    state = .ejected
    since = now
    successes = 0
    until = now + base + base.scaled(by: 0.1 * jitter)
  }

  /// It should be out, but too many others are.
  package mutating func fail(now: Instant) {
    guard state != .failing else { return }
    state = .failing
    since = now
    successes = 0
  }

  /// The check after the ejection failed: next one then.
  package mutating func postpone(until next: Instant) {
    until = next
    successes = 0
  }

  package mutating func checkAgain(at next: Instant) { until = next }

  package mutating func recover(_ now: Instant) {
    state = .healthy
    failures = 0
    successes = 0
    since = now
    rampSince = now
  }

  /// There is no way to check: traffic decides, and the first failure sends it back.
  package mutating func releaseOnTrial(_ now: Instant, _ settings: HealthSettings) {
    recover(now)
    failures = UInt16(clamping: Swift.max(0, settings.unhealthyAfter - 1))
  }

  /// Share of the load it should get: grows from a tenth to 1 over the slow start.
  @inline(__always)
  package func ramp(_ now: Instant, over slowStart: Interval) -> Double {
    if rampSince == .distantPast { return 1 }
    let elapsed = now - rampSince
    if elapsed >= slowStart { return 1 }
    return Swift.max(0.1, elapsed.seconds / slowStart.seconds)
  }
}
