package import SluicePolicy

/// Number of one call in a run.
package typealias CallID = Int

/// What happened, in the order in which the machine was told or decided it. Checkers see nothing else.
package enum Fact: Sendable, Equatable {
  // The caller's side.
  case wished(CallID, AcquireRequest)
  case grantedAtOnce(CallID, Grant)
  case queued(CallID, TicketID)
  case refusedAtOnce(CallID, PoolRejection)
  case grantedLater(TicketID, Grant)
  case refusedLater(TicketID, PoolRejection)
  case cancelled(TicketID, accepted: Bool)
  case released(LeaseID, ExchangeReport, accepted: Bool)
  // Resources.
  case connectAsked(ResourceID, OriginID, LoopID)
  case connectSucceeded(ResourceID, capacity: Int)
  case connectFailed(ResourceID)
  case closeAsked(ResourceID, CloseReason)
  case closed(ResourceID)
  case capacityChanged(ResourceID, Int)
  case goingAway(ResourceID)
  case verifyAsked(ResourceID)
  case verified(ResourceID, Bool)
  case heartbeatAsked(ResourceID, EndpointID)
  case heartbeatEnded(ResourceID, HeartbeatEnd)
  case crashed(OriginID)
  case clockJumped
  // The pool.
  case emitted(PoolEvent)
  case configured(PoolSettings, PoolLayout)
  case endpointDrained(EndpointID)
  case endpointResumed(EndpointID)
  case endpointReset(EndpointID)
  /// A provider said how much is left; with a pause, that nothing is.
  case quotaHeard(EndpointID, at: Instant, pause: Interval?)
  case paused
  case resumed
  case drainBegan
  case closeBegan
  case snapshot(PoolSnapshot)
  /// What the machine finds wrong with its own books.
  case inspected([String])
  // Phases.
  case faultsStopped
  case loadStopped
  case settled(PoolSnapshot)
  /// Long after the drain or close began. Left open: what opened after it had been told to close, and was not told again.
  case ended(isDrained: Bool, leftOpen: Int)
}

/// How the remote side took a heartbeat.
package enum HeartbeatEnd: UInt8, Sendable {
  /// It answered as it should.
  case well
  /// It answered that something is wrong; the path is there.
  case complained
  /// Nobody answered, or not in time; the resource is given up.
  case failed
  /// It answered something that cannot be read: the path is there, the resource is given up.
  case unreadable

  var keepsResource: Bool { self == .well || self == .complained }
}

extension Fact {
  /// Decided by the machine in one breath with what it was told before. The answer to a wish is noted first, although
  /// the machine may have decided other things before it.
  var isPartOfDecision: Bool {
    switch self {
    case .emitted, .connectAsked, .closeAsked, .verifyAsked, .heartbeatAsked, .grantedLater, .refusedLater: true
    default: false
    }
  }
}

/// Judges a run by its facts alone. Shares no code with the machine.
package protocol SimulationChecker {
  var name: String { get }
  /// What is wrong, or `nil`.
  mutating func observe(_ fact: Fact, at now: Instant) -> String?
}
