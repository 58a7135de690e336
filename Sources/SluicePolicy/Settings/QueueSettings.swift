/// Where callers wait.
public struct QueueSettings: Hashable, Sendable {
  /// Most waiting tickets. Zero: nobody waits.
  public var capacity = 1000
  /// A ticket that has waited for so long is served with the next higher class; again after each further time.
  public var ageing: Interval = .seconds(10)
  /// Parts of the capacity kept free for each class (critical, high, normal, low), so that a flood of one class
  /// cannot leave another without room. They add up to at most 1.
  public var reserved = ClassShares(critical: 0.1, high: 0.1, normal: 0.1, low: 0.05)

  /// The defaults.
  public init() {}
}

/// One number for each priority class.
public struct ClassShares: Hashable, Sendable {
  /// Part for class `critical`: 0…1.
  public var critical: Double
  /// Part for class `high`: 0…1.
  public var high: Double
  /// Part for class `normal`: 0…1.
  public var normal: Double
  /// Part for class `low`: 0…1.
  public var low: Double

  /// Not checked here; `PoolSettings.validated()` refuses parts outside 0…1 or a sum above 1.
  public init(critical: Double, high: Double, normal: Double, low: Double) {
    self.critical = critical
    self.high = high
    self.normal = normal
    self.low = low
  }

  /// The part for one class.
  public subscript(priority: PriorityClass) -> Double {
    switch priority {
    case .critical: critical
    case .high: high
    case .normal: normal
    case .low: low
    }
  }
}
