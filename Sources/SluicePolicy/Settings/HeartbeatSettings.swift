/// How often a warm path that nobody uses is proven to work by a call that costs nothing.
public struct HeartbeatSettings: Hashable, Sendable {
  /// The time between the last use of a path and a heartbeat on it, and between two heartbeats.
  public enum Pace: Hashable, Sendable {
    /// None are sent.
    case off
    /// Below the idle time after which the path was found closed or forgotten, as far as that is known.
    case auto
    /// Always the same.
    case every(Interval)
  }

  /// How often.
  public var pace = Pace.auto
  /// `auto` waits no longer than this where nothing is known: below the 350 s after which common NAT gateways and load
  /// balancers forget a silent flow.
  public var longest: Interval = .seconds(300)
  /// `auto` waits no shorter than this, whatever was learned.
  public var shortest: Interval = .seconds(5)

  /// The defaults.
  public init() {}
}
