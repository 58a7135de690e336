/// When an endpoint is taken out, and how it comes back.
public struct HealthSettings: Hashable, Sendable {
  /// Time between active checks of an ejected endpoint, and of one that is idle after having been used.
  public var interval: Interval = .seconds(30)
  /// An active check without an answer after so long has failed.
  public var timeout: Interval = .seconds(5)
  /// Failures in a row that make an endpoint unhealthy.
  public var unhealthyAfter = 3
  /// Successes in a row that make it healthy again.
  public var healthyAfter = 2
  /// First ejection; doubles with each one that follows soon, up to `ejectionMax`.
  public var ejection: Interval = .seconds(10)
  /// Where the doubling of `ejection` ends; at least as long. Up to a tenth of jitter comes on top.
  public var ejectionMax: Interval = .minutes(5)
  /// Most of the pool that may be ejected at once.
  public var ejectionShare = 0.5
  /// After recovery an endpoint's share grows to the full one over this time.
  public var slowStart: Interval = .seconds(30)
  /// Check idle endpoints actively too. Endpoints that were never used are left alone in any case.
  public var probeIdle = true
  /// Cool-down after a rate limit for which the provider named no time; doubles while it goes on.
  public var defaultCooling: Interval = .seconds(1)
  /// Longest cool-down, whatever time the provider named; at least `defaultCooling`.
  public var coolingMax: Interval = .hours(24)

  /// The defaults.
  public init() {}
}
