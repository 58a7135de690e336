package import SluicePolicy

/// A moment of the wall clock in milliseconds since 1970. Only for what providers express as dates; everything that
/// waits or measures uses the monotonic `Instant`.
package struct UnixTime: Comparable, Hashable, Sendable {
  package var milliseconds: Int64

  package init(milliseconds: Int64) { self.milliseconds = milliseconds }

  package static func seconds(_ seconds: Int64) -> UnixTime {
    UnixTime(milliseconds: seconds.multipliedReportingOverflow(by: 1000).overflow ? .max : seconds * 1000)
  }

  package static func < (left: UnixTime, right: UnixTime) -> Bool { left.milliseconds < right.milliseconds }

  /// How long until this moment; nothing is left of a moment that has passed.
  package func interval(since now: UnixTime) -> Interval {
    guard self > now else { return .zero }
    let (difference, overflow) = milliseconds.subtractingReportingOverflow(now.milliseconds)
    return overflow ? .milliseconds(Self.longest) : .milliseconds(min(difference, Self.longest))
  }

  /// About 30 years: keeps a nonsense date from overflowing nanoseconds.
  private static let longest: Int64 = 1_000_000_000_000
}
