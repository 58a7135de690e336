/// A point on a monotonic clock, in nanoseconds since that clock's own start. Whoever calls a machine brings the
/// instant along; nothing in this module reads a clock.
public struct Instant: Comparable, Hashable, Sendable {
  /// Since the start of the clock that it was read from; instants of different clocks do not compare.
  public var nanoseconds: Int64

  /// A point so many nanoseconds after the clock's start; negative ones lie before it.
  @inlinable
  public init(nanoseconds: Int64) {
    self.nanoseconds = nanoseconds
  }

  /// Never reached. Used as "no deadline".
  public static let distantFuture = Instant(nanoseconds: .max)
  /// Before everything. Used as "not yet".
  public static let distantPast = Instant(nanoseconds: .min)

  /// Earlier is less.
  @inlinable
  public static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }

  /// Saturates: a deadline of `now + .max` is the distant future.
  @inlinable
  public static func + (instant: Instant, interval: Interval) -> Instant {
    let sum = Interval(nanoseconds: instant.nanoseconds) + interval
    return Instant(nanoseconds: sum.nanoseconds)
  }

  /// Saturates at the distant past and future.
  @inlinable
  public static func - (instant: Instant, interval: Interval) -> Instant {
    let difference = Interval(nanoseconds: instant.nanoseconds) - interval
    return Instant(nanoseconds: difference.nanoseconds)
  }

  /// The span between them, negative if `later` is the earlier one; saturates.
  @inlinable
  public static func - (later: Instant, earlier: Instant) -> Interval {
    Interval(nanoseconds: later.nanoseconds) - Interval(nanoseconds: earlier.nanoseconds)
  }
}

extension Instant: CustomStringConvertible {
  /// Seconds since the clock's start; `never` and `long ago` for the two ends.
  public var description: String {
    switch nanoseconds {
    case .max: "never"
    case .min: "long ago"
    default: "\(Double(nanoseconds) / 1e9)"
    }
  }
}
