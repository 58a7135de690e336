/// How an endpoint is chosen among those that may serve now.
public enum BalanceStrategy: String, CaseIterable, Sendable {
  case roundRobin = "round_robin"
  case leastConnections = "least_connections"
  case powerOfTwo = "power_of_two"
}

/// How load is spread over the endpoints of one pool.
public struct BalanceSettings: Hashable, Sendable {
  /// Rule for choosing among endpoints of the same rank (role, health).
  public var strategy = BalanceStrategy.powerOfTwo
  /// How fast the latency average forgets a peak.
  public var latencyDecay: Interval = .seconds(10)
  /// A region that was out serves again after it has been well for so long, and the serving region changes at most once
  /// in such a time while it is well itself. Counts with endpoints in two regions or more.
  public var regionHold: Interval = .minutes(1)
  /// Part by which another region has to be nearer, 0…1.
  public var regionMargin = 0.2

  /// The defaults.
  public init() {}
}
