/// Limits retries to a share of the requests plus a floor, so that retries cannot multiply an outage. After the
/// retry budgets of Finagle (`RetryBudget`: deposits per request, withdrawals per retry, a reserve per second).
///
/// Two purses, both bounded by what `window` can bring in: deposits of `share` per request, and `floorPerSecond`
/// by the clock, so that a quiet caller can retry too. Counted in thousandths; no time passes but through `now`.
public struct RetryBudget: Hashable, Sendable {
  private let deposit: Int64
  private let floorPerSecond: Int64
  private let depositLimit: Int64
  private let floorLimit: Int64
  private var deposits: Int64
  private var floor: Int64
  private var refilled: Instant

  /// - Parameters:
  ///   - share: retries per request, 0…1 (0.2 is 20 %).
  ///   - floorPerSecond: retries per second that are always possible, 0…1000.
  ///   - window: how much unused budget is kept.
  public init(share: Double = 0.2, floorPerSecond: Int = 1, window: Interval = .seconds(10), now: Instant) {
    let seconds = Swift.max(1, Int64(window.seconds.rounded(.up)))
    self.deposit = Int64((Swift.min(Swift.max(share, 0), 1) * 1000).rounded())
    self.floorPerSecond = Int64(Swift.min(Swift.max(floorPerSecond, 0), 1000)) * 1000
    // Room for the deposits of 1000 requests per second over the window.
    self.depositLimit = deposit * 1000 * Swift.min(seconds, 3600)
    self.floorLimit = self.floorPerSecond * Swift.min(seconds, 3600)
    self.deposits = 0
    self.floor = floorLimit
    self.refilled = now
  }

  /// A first attempt was made.
  public mutating func requestStarted() {
    deposits = Swift.min(deposits + deposit, depositLimit)
  }

  /// Takes one retry out of the budget; `false` means that there is none left.
  public mutating func withdraw(now: Instant) -> Bool {
    refill(now)
    if deposits >= 1000 {
      deposits -= 1000
      return true
    }
    if floor >= 1000 {
      floor -= 1000
      return true
    }
    return false
  }

  /// Whole retries that are possible now.
  public func balance(now: Instant) -> Int {
    var copy = self
    copy.refill(now)
    return Int(copy.deposits / 1000 + copy.floor / 1000)
  }

  private mutating func refill(_ now: Instant) {
    guard floorPerSecond > 0, now > refilled else { return }
    let elapsed = now - refilled
    // An hour fills any floor; the bound keeps the product small.
    let milliseconds = Swift.min(elapsed.nanoseconds / 1_000_000, 3_600_000)
    guard milliseconds > 0 else { return }
    floor = Swift.min(floor + floorPerSecond * milliseconds / 1000, floorLimit)
    refilled = elapsed.nanoseconds / 1_000_000 == milliseconds ? refilled + .milliseconds(milliseconds) : now
  }
}
