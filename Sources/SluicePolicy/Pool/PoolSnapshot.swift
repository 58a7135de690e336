/// Everything worth knowing about a pool at one moment, as plain values: for metrics, the dashboard and errors.
public struct PoolSnapshot: Hashable, Sendable {
  /// `PoolSettings.name`.
  public var name: String
  /// Whether it lends, and how far it is on its way out.
  public var state: PoolState
  /// Leases, resources and tickets in short, as in a rejection.
  public var numbers: PoolNumbers
  /// Resources of all origins by state.
  public var slots: SlotCounts
  /// Waiting tickets by class as they came in: critical, high, normal, low.
  public var waiting: WaitingCounts
  /// The longest anybody has been waiting by now.
  public var oldestWait: Interval
  /// Totals since the machine was made.
  public var counters: PoolCounters
  /// By position; removed ones stay until nothing of them is left.
  public var origins: [OriginSnapshot]
  /// By position; removed ones stay until their last lease has ended.
  public var endpoints: [EndpointSnapshot]
  /// When the machine wants to be woken; `nil` if it waits for nothing.
  public var nextDeadline: Instant?
  /// Requests are served by endpoints that would be ejected if there were better ones.
  public var panic: Bool
  /// The region that serves; `nil` with fewer than two.
  public var region: String?
}

/// Open and paused change into each other; both may go on to draining, and any state to closed, which is final.
public enum PoolState: UInt8, CaseIterable, Sendable {
  case open, paused, draining, closed

  /// Name in logs, metrics and documents: lower case.
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
  /// Being opened, no answer yet.
  public var connecting = 0
  /// Open, nothing lent.
  public var idle = 0
  /// Open, at least one slot lent.
  public var leased = 0
  /// Open and idle, being checked before they may be lent.
  public var verifying = 0
  /// Still lent, closed afterwards.
  public var draining = 0
  /// Told to close, not confirmed yet.
  public var closing = 0

  /// All 0.
  public init() {}

  /// Resources that exist in any state, those being opened and closed included.
  public var total: Int { connecting + idle + leased + verifying + draining + closing }
}

/// Waiting tickets by the class they came in with; ageing does not move them.
public struct WaitingCounts: Hashable, Sendable {
  /// Tickets of class `critical`.
  public var critical = 0
  /// Tickets of class `high`.
  public var high = 0
  /// Tickets of class `normal`.
  public var normal = 0
  /// Tickets of class `low`.
  public var low = 0

  /// All 0.
  public init() {}

  /// Everybody who waits; above `QueueSettings.capacity` only after that was made smaller.
  public var total: Int { critical + high + normal + low }

  /// The number for one class.
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
  /// Wishes that got a ticket.
  public var queued: UInt64 = 0
  /// Grants after waiting.
  public var grantedLater: UInt64 = 0
  /// Tickets given up by their callers while waiting.
  public var cancelled: UInt64 = 0
  /// Leases that ended, each counted once.
  public var released: UInt64 = 0
  /// Releases of leases that had already ended.
  public var staleReleases: UInt64 = 0
  /// Events about resources, tickets or endpoints that no longer exist.
  public var staleEvents: UInt64 = 0
  /// Grants of a slot on another loop than the caller's.
  public var borrowed: UInt64 = 0
  /// Grants of a resource that had served before.
  public var reused: UInt64 = 0
  /// Resources told to open.
  public var connectsStarted: UInt64 = 0
  /// Of those, how many became open.
  public var connectsSucceeded: UInt64 = 0
  /// Of those, how many failed or got no answer in time; those closed while opening are in neither number.
  public var connectsFailed: UInt64 = 0
  /// Checks of an idle resource that were asked for.
  public var verifications: UInt64 = 0
  /// Of those, how many found the resource dead or got no answer; it is closed then.
  public var verificationsFailed: UInt64 = 0
  /// Active checks of endpoints that were asked for.
  public var probes: UInt64 = 0
  /// Heartbeats that were asked for.
  public var heartbeats: UInt64 = 0
  /// Of those, how many failed or got no answer; those whose resource we closed meanwhile are not among them.
  public var heartbeatsFailed: UInt64 = 0
  /// Times that an endpoint was taken out for its failures.
  public var ejections: UInt64 = 0
  /// Grants for an endpoint that would be ejected if there were better ones.
  public var panicGrants: UInt64 = 0
  /// Closings that were never confirmed.
  public var forgottenCloses: UInt64 = 0
  /// Wishes refused, at once or after waiting.
  public var rejected = RejectionCounts()
  /// Resources told to close, or found closed by the remote side.
  public var closed = CloseCounts()

  /// All 0, as for a machine that has just been made.
  public init() {}
}

/// Rejections by reason.
public struct RejectionCounts: Hashable, Sendable {
  private var counts: [UInt64] = Array(repeating: 0, count: RejectionReason.allCases.count)

  /// All 0.
  public init() {}

  /// Rejections for this reason.
  public subscript(reason: RejectionReason) -> UInt64 { counts[Int(reason.rawValue)] }
  /// Rejections for any reason.
  public var total: UInt64 { counts.reduce(0, +) }

  mutating func count(_ reason: RejectionReason) { counts[Int(reason.rawValue)] += 1 }
}

/// Closed resources by reason.
public struct CloseCounts: Hashable, Sendable {
  private var counts: [UInt64] = Array(repeating: 0, count: CloseReason.allCases.count)

  /// All 0.
  public init() {}

  /// Resources closed for this reason.
  public subscript(reason: CloseReason) -> UInt64 { counts[Int(reason.rawValue)] }
  /// Resources closed for any reason.
  public var total: UInt64 { counts.reduce(0, +) }

  mutating func count(_ reason: CloseReason) { counts[Int(reason.rawValue)] += 1 }
}

/// One origin at one moment.
public struct OriginSnapshot: Hashable, Sendable {
  /// Its handle, the same until it is removed.
  public var id: OriginID
  /// `OriginSettings.name`.
  public var name: String
  /// Its resources by state.
  public var slots: SlotCounts
  /// Slots lent.
  public var leased: Int
  /// No connection is open and the last attempt failed.
  public var disconnected: Bool
  /// Failed connects since the last that succeeded; attempts made side by side count as one.
  public var connectFailures: Int
  /// Opening is put off until then.
  public var retryAt: Instant?
  /// Moving average of the time to open a resource; zero is unknown.
  public var connectTime: Interval
  /// Idle time after which the remote side closes; learned, `nil` while unknown.
  public var idleLimit: Interval?
  /// Resources the planner wants at the moment.
  public var wanted: Int
  /// Silence after which a heartbeat is sent; `nil` while none are: off, not used yet, or not kept warm any more.
  public var heartbeatInterval: Interval?
  /// No longer in the settings; takes no new work and goes once its resources are closed.
  public var removed: Bool
}

/// How far an endpoint can serve. Of several obstacles drained is named before rejected, cooling, disconnected.
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

  /// Name in logs, metrics and documents: lower case.
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

/// One endpoint at one moment.
public struct EndpointSnapshot: Hashable, Sendable {
  /// Its handle, the same until it is removed.
  public var id: EndpointID
  /// Where it connects to; `PoolSnapshot.origins` has an element with this handle.
  public var origin: OriginID
  /// As in the settings; `nil` in pools with fewer than two regions.
  public var region: String?
  /// `EndpointSettings.name`.
  public var name: String
  /// As derived at this moment from settings, health, cool-down and its origin's connects.
  public var state: EndpointState
  /// As in the settings; a backup may be serving now.
  public var role: EndpointRole
  /// As in the settings: 1…1000; slow start does not show here.
  public var weight: Int
  /// Slots lent for it now.
  public var leased: Int
  /// Peak-sensitive average of the time to the first byte; zero is unknown.
  public var latency: Interval
  /// Failures in a row that harm health; a success sets it back to 0, and a return on trial to one below the limit.
  public var consecutiveFailures: Int
  /// Ejected or cooling until then.
  public var outUntil: Instant?
  /// Why its credential was rejected.
  public var rejectedBy: FailureClass?
  /// Since when it is; `nil` while its credential is accepted.
  public var rejectedSince: Instant?
  /// Slots ever lent for it.
  public var grants: UInt64
  /// Exchanges that ended well.
  public var successes: UInt64
  /// Exchanges that failed for any reason other than cancellation.
  public var failures: UInt64
  /// Heartbeats on its behalf that ended well.
  public var heartbeats: UInt64
  /// Heartbeats on its behalf that failed.
  public var heartbeatsFailed: UInt64
  /// Its heartbeats fail, and nothing has ended well since.
  public var heartbeatProblem: HeartbeatProblem?
  /// What its provider last said about its limits, as it is by now; `nil` while nothing was said.
  public var quota: EndpointQuota?
  /// No longer in the settings; goes once its last lease has ended.
  public var removed: Bool
}

/// Why heartbeats fail, and since when.
public struct HeartbeatProblem: Hashable, Sendable {
  /// Of the last one.
  public var failure: FailureClass
  /// The first one in a row.
  public var since: Instant
}
