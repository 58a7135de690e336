/// Everything worth knowing about a pool at one moment, as plain values: for metrics, the dashboard and errors.
public struct PoolSnapshot: Hashable, Sendable {
  public var name: String
  public var state: PoolState
  public var numbers: PoolNumbers
  public var slots: SlotCounts
  /// Waiting tickets by class as they came in: critical, high, normal, low.
  public var waiting: WaitingCounts
  /// The longest anybody has been waiting by now.
  public var oldestWait: Interval
  public var counters: PoolCounters
  public var origins: [OriginSnapshot]
  public var endpoints: [EndpointSnapshot]
  public var nextDeadline: Instant?
  /// Requests are served by endpoints that would be ejected if there were better ones.
  public var panic: Bool
}

public enum PoolState: UInt8, CaseIterable, Sendable {
  case open, paused, draining, closed

  public var label: String {
    switch self {
    case .open: "open"
    case .paused: "paused"
    case .draining: "draining"
    case .closed: "closed"
    }
  }
}

/// Resources by state.
public struct SlotCounts: Hashable, Sendable {
  public var connecting = 0
  /// Open, nothing lent.
  public var idle = 0
  /// Open, at least one slot lent.
  public var leased = 0
  public var verifying = 0
  /// Still lent, closed afterwards.
  public var draining = 0
  /// Told to close, not confirmed yet.
  public var closing = 0

  public init() {}

  public var total: Int { connecting + idle + leased + verifying + draining + closing }
}

public struct WaitingCounts: Hashable, Sendable {
  public var critical = 0
  public var high = 0
  public var normal = 0
  public var low = 0

  public init() {}

  public var total: Int { critical + high + normal + low }

  public subscript(priority: PriorityClass) -> Int {
    get {
      switch priority {
      case .critical: critical
      case .high: high
      case .normal: normal
      case .low: low
      }
    }
    set {
      switch priority {
      case .critical: critical = newValue
      case .high: high = newValue
      case .normal: normal = newValue
      case .low: low = newValue
      }
    }
  }
}

/// What happened since the machine was made; they only grow.
public struct PoolCounters: Hashable, Sendable {
  /// Wishes, whatever became of them.
  public var acquired: UInt64 = 0
  /// Grants at once.
  public var grantedAtOnce: UInt64 = 0
  public var queued: UInt64 = 0
  /// Grants after waiting.
  public var grantedLater: UInt64 = 0
  public var cancelled: UInt64 = 0
  public var released: UInt64 = 0
  /// Releases of leases that had already ended.
  public var staleReleases: UInt64 = 0
  /// Events about resources, tickets or endpoints that no longer exist.
  public var staleEvents: UInt64 = 0
  /// Grants of a slot on another loop than the caller's.
  public var borrowed: UInt64 = 0
  /// Grants of a resource that had served before.
  public var reused: UInt64 = 0
  public var connectsStarted: UInt64 = 0
  public var connectsSucceeded: UInt64 = 0
  public var connectsFailed: UInt64 = 0
  public var verifications: UInt64 = 0
  public var verificationsFailed: UInt64 = 0
  public var probes: UInt64 = 0
  public var ejections: UInt64 = 0
  public var panicGrants: UInt64 = 0
  /// Closings that were never confirmed.
  public var forgottenCloses: UInt64 = 0
  public var rejected = RejectionCounts()
  public var closed = CloseCounts()

  public init() {}
}

/// Rejections by reason.
public struct RejectionCounts: Hashable, Sendable {
  private var counts: [UInt64] = Array(repeating: 0, count: RejectionReason.allCases.count)

  public init() {}

  public subscript(reason: RejectionReason) -> UInt64 { counts[Int(reason.rawValue)] }
  public var total: UInt64 { counts.reduce(0, +) }

  mutating func count(_ reason: RejectionReason) { counts[Int(reason.rawValue)] += 1 }
}

/// Closed resources by reason.
public struct CloseCounts: Hashable, Sendable {
  private var counts: [UInt64] = Array(repeating: 0, count: CloseReason.allCases.count)

  public init() {}

  public subscript(reason: CloseReason) -> UInt64 { counts[Int(reason.rawValue)] }
  public var total: UInt64 { counts.reduce(0, +) }

  mutating func count(_ reason: CloseReason) { counts[Int(reason.rawValue)] += 1 }
}

public struct OriginSnapshot: Hashable, Sendable {
  public var id: OriginID
  public var name: String
  public var slots: SlotCounts
  /// Slots lent.
  public var leased: Int
  /// No connection is open and the last attempt failed.
  public var disconnected: Bool
  public var connectFailures: Int
  /// Opening is put off until then.
  public var retryAt: Instant?
  public var connectTime: Interval
  /// Idle time after which the remote side closes; learned, `nil` while unknown.
  public var idleLimit: Interval?
  /// Resources the planner wants at the moment.
  public var wanted: Int
  public var removed: Bool
}

public enum EndpointState: UInt8, CaseIterable, Sendable {
  case healthy
  /// Serving at reduced weight: after recovery, or failing while nothing better may be taken out.
  case degraded
  /// Ejected; returns by probe and slow start.
  case unhealthy
  /// No connection can be opened.
  case disconnected
  /// Waits out a time that the provider asked for.
  case cooling
  /// Its credential was rejected; out until reset or reconfigured.
  case rejected
  /// Taken out by hand or removed from the settings.
  case drained

  public var label: String {
    switch self {
    case .healthy: "healthy"
    case .degraded: "degraded"
    case .unhealthy: "unhealthy"
    case .disconnected: "disconnected"
    case .cooling: "cooling"
    case .rejected: "rejected"
    case .drained: "drained"
    }
  }
}

public struct EndpointSnapshot: Hashable, Sendable {
  public var id: EndpointID
  public var origin: OriginID
  public var name: String
  public var state: EndpointState
  public var role: EndpointRole
  public var weight: Int
  /// Slots lent for it now.
  public var leased: Int
  /// Peak-sensitive average of the time to the first byte; zero is unknown.
  public var latency: Interval
  public var consecutiveFailures: Int
  /// Ejected or cooling until then.
  public var outUntil: Instant?
  /// Why its credential was rejected.
  public var rejectedBy: FailureClass?
  public var grants: UInt64
  public var successes: UInt64
  public var failures: UInt64
  public var removed: Bool
}
