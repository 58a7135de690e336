public import SluicePolicy

/// Something expensive to open that a pool keeps and lends: a connection, a socket, a process.
///
/// The pool calls a resource on the event loop it was opened for, never while it holds its lock. A resource reports
/// facts about itself through the ``ResourceEvents`` it was opened with. Run the conformance suite of `SluiceTesting`
/// against your connector: it checks what is written here.
public protocol PoolableResource: AnyObject, Sendable {
  /// Closes the resource. May be called again and after it closed by itself; it reports
  /// ``ResourceEvents/closed(idleFor:reason:)`` once in its life, however it came to an end.
  func close(reason: CloseReason)

  /// Finds out whether the resource is still usable, cheaply: peek at the socket, ping the peer.
  ///
  /// - Parameters:
  ///   - deadline: when the answer has lost its value, in the clock of the ``ConnectRequest``.
  ///   - done: called once, by the deadline, from any thread; a resource that is closed answers false.
  func verify(deadline: Instant, _ done: @escaping @Sendable (Bool) -> Void)
}

/// How a resource tells its pool what happened to it. Copies may be kept and used from any thread; what comes late or
/// twice is ignored.
public struct ResourceEvents: Sendable {
  private let resource: ResourceID
  private let sink: any ResourceEventSink

  /// - Parameters:
  ///   - resource: whom the facts are about.
  ///   - sink: who wants to know: a pool, or a recording double in a test.
  public init(resource: ResourceID, sink: any ResourceEventSink) {
    self.resource = resource
    self.sink = sink
  }

  /// The resource is gone.
  ///
  /// - Parameters:
  ///   - idleFor: how long it had been unused when the *peer* closed it, from which the pool learns to retire such
  ///     resources before; nil when it was in use, closed by us, or it is not known.
  ///   - reason: what the pool counts, unless it asked for the closing itself.
  public func closed(idleFor: Interval?, reason: CloseReason = .remoteClosed) {
    sink.resourceClosed(resource, idleFor: idleFor, reason: reason)
  }

  /// The resource now has room for `capacity` exchanges at a time; 0 for none at the moment.
  public func capacityChanged(_ capacity: Int) {
    sink.resourceCapacityChanged(resource, to: capacity)
  }

  /// The peer has said how long it keeps an unused resource (`keep-alive: timeout=N`).
  public func idleLimitAnnounced(_ limit: Interval) {
    sink.resourceIdleLimitAnnounced(resource, limit)
  }

  /// The peer takes no new exchanges on this resource and finishes those that run (GOAWAY, a closing frame).
  public func draining() {
    sink.resourceDraining(resource)
  }
}

/// Receives what resources report about themselves.
public protocol ResourceEventSink: AnyObject, Sendable {
  /// The resource is gone; see ``ResourceEvents/closed(idleFor:reason:)``.
  func resourceClosed(_ resource: ResourceID, idleFor: Interval?, reason: CloseReason)
  /// The resource has room for another number of exchanges.
  func resourceCapacityChanged(_ resource: ResourceID, to capacity: Int)
  /// The peer has said how long it keeps an unused resource.
  func resourceIdleLimitAnnounced(_ resource: ResourceID, _ limit: Interval)
  /// The resource takes no new exchanges.
  func resourceDraining(_ resource: ResourceID)
}
