/// What the driver counts beside the machine. All since the pool was made.
public struct DriverCounters: Hashable, Sendable {
  /// Leases that were dropped instead of given back.
  public var leakedLeases: UInt64 = 0
  /// Leases given back whose slot was no longer theirs (the pool had been closed by force meanwhile).
  public var staleReturns: UInt64 = 0
  /// Resources handed over by a connector twice, or so late that their place had been given to another one.
  public var unwantedResources: UInt64 = 0
  /// Grants that met a task cancelled meanwhile and went straight back.
  public var returnedOnCancel: UInt64 = 0
  /// One-off connections opened beside the pool.
  public var directOpened: UInt64 = 0
  /// Suspensions and clock steps noticed.
  public var clockJumps: UInt64 = 0

  /// All zero.
  public init() {}
}
