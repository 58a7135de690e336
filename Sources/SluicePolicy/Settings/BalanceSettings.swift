/// How an endpoint is chosen among those that may serve now.
public enum BalanceStrategy: String, CaseIterable, Sendable {
  case roundRobin = "round_robin"
  case leastConnections = "least_connections"
  case powerOfTwo = "power_of_two"
}

public struct BalanceSettings: Hashable, Sendable {
  public var strategy = BalanceStrategy.powerOfTwo
  /// How fast the latency average forgets a peak.
  public var latencyDecay: Interval = .seconds(10)

  public init() {}
}
