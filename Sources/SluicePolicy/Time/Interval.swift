/// A span of time in nanoseconds. Arithmetic saturates instead of trapping, so that values read from
/// configuration, headers or a jumping clock can be added up without a check at every place.
public struct Interval: Comparable, Hashable, Sendable {
  /// The span's length; may be negative.
  public var nanoseconds: Int64

  /// A span of so many nanoseconds; every value is allowed.
  @inlinable
  public init(nanoseconds: Int64) {
    self.nanoseconds = nanoseconds
  }

  /// Nothing at all; in reports it means "unknown".
  public static let zero = Interval(nanoseconds: 0)
  /// The longest span, about 292 years. Used as "no limit".
  public static let max = Interval(nanoseconds: .max)

  /// `count` nanoseconds.
  @inlinable
  public static func nanoseconds(_ count: Int64) -> Interval { Interval(nanoseconds: count) }
  /// `count` × 1,000 ns; saturates.
  @inlinable
  public static func microseconds(_ count: Int64) -> Interval { scaled(count, 1_000) }
  /// `count` × 1,000,000 ns; saturates.
  @inlinable
  public static func milliseconds(_ count: Int64) -> Interval { scaled(count, 1_000_000) }
  /// `count` × 10^9 ns; saturates.
  @inlinable
  public static func seconds(_ count: Int64) -> Interval { scaled(count, 1_000_000_000) }
  /// `count` × 60 s; saturates.
  @inlinable
  public static func minutes(_ count: Int64) -> Interval { scaled(count, 60_000_000_000) }
  /// `count` × 3600 s; saturates.
  @inlinable
  public static func hours(_ count: Int64) -> Interval { scaled(count, 3_600_000_000_000) }

  @inlinable
  static func scaled(_ count: Int64, _ unit: Int64) -> Interval {
    let (product, overflow) = count.multipliedReportingOverflow(by: unit)
    return Interval(nanoseconds: overflow ? (count < 0 ? .min : .max) : product)
  }

  /// Shorter is less; a negative span is less than `zero`.
  @inlinable
  public static func < (left: Interval, right: Interval) -> Bool { left.nanoseconds < right.nanoseconds }

  /// Saturates at both ends.
  @inlinable
  public static func + (left: Interval, right: Interval) -> Interval {
    let (sum, overflow) = left.nanoseconds.addingReportingOverflow(right.nanoseconds)
    return Interval(nanoseconds: overflow ? (right.nanoseconds < 0 ? .min : .max) : sum)
  }

  /// May be negative; saturates at both ends.
  @inlinable
  public static func - (left: Interval, right: Interval) -> Interval {
    let (difference, overflow) = left.nanoseconds.subtractingReportingOverflow(right.nanoseconds)
    return Interval(nanoseconds: overflow ? (right.nanoseconds < 0 ? .max : .min) : difference)
  }

  /// Adds in place; saturates.
  @inlinable
  public static func += (left: inout Interval, right: Interval) { left = left + right }

  /// The span times `factor`; saturates, and a factor that is not a number gives zero.
  public func scaled(by factor: Double) -> Interval {
    let product = Double(nanoseconds) * factor
    if product.isNaN { return .zero }
    // 2^63 is the first value that does not fit.
    if product >= 9_223_372_036_854_775_808 { return .max }
    if product <= -9_223_372_036_854_775_808 { return Interval(nanoseconds: .min) }
    return Interval(nanoseconds: Int64(product))
  }

  /// The span in seconds.
  public var seconds: Double { Double(nanoseconds) / 1e9 }
}

extension Interval {
  /// Converts from the standard library's type; saturates.
  public init(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    self = Interval.seconds(seconds) + Interval(nanoseconds: attoseconds / 1_000_000_000)
  }

  /// The same span as the standard library's type.
  public var duration: Duration { .nanoseconds(nanoseconds) }
}

extension Interval: CustomStringConvertible {
  /// With the largest unit up to seconds that leaves no leading 0, as in `1.5ms`; `forever` for `max`.
  public var description: String {
    switch nanoseconds {
    case .max: "forever"
    case -999...999: "\(nanoseconds)ns"
    case -999_999...999_999: "\(Double(nanoseconds) / 1e3)us"
    case -999_999_999...999_999_999: "\(Double(nanoseconds) / 1e6)ms"
    default: "\(Double(nanoseconds) / 1e9)s"
    }
  }
}
