package import SluicePolicy

/// What bounds one exchange at one target: its clocks and its tries.
package struct ExchangeSettings: Hashable, Sendable {
  /// All tries in one pool; 1 means no retry.
  package var attempts: Int
  /// From sending until the answer's head. Nothing: no clock of its own; the gateway fills in what it has learned.
  package var firstByte: Interval?
  /// From sending until the first token of a stream; likewise.
  package var firstToken: Interval?
  /// Longest silence inside a stream.
  package var betweenBytes: Interval?
  /// From the request's first byte until the answer's last.
  package var total: Interval
  /// Longest wait for a lease.
  package var acquire: Interval
  /// First step and ceiling of the backoff before a retry.
  package var backoffBase: Interval
  package var backoffCeiling: Interval

  package init(
    attempts: Int = 3, firstByte: Interval? = .seconds(60), firstToken: Interval? = .seconds(120),
    betweenBytes: Interval? = .seconds(30), total: Interval = .seconds(600), acquire: Interval = .seconds(60),
    backoffBase: Interval = .milliseconds(200), backoffCeiling: Interval = .seconds(8)
  ) {
    self.attempts = max(1, attempts)
    self.firstByte = firstByte
    self.firstToken = firstToken
    self.betweenBytes = betweenBytes
    self.total = total
    self.acquire = acquire
    self.backoffBase = backoffBase
    self.backoffCeiling = backoffCeiling
  }
}
