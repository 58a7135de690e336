public import NIOCore
public import SluicePolicy

/// Opens resources for a pool.
public protocol ResourceConnector<Resource>: Sendable {
  /// What it opens.
  associatedtype Resource: PoolableResource

  /// Opens one resource. Called on `request.eventLoop`; must not block.
  ///
  /// - Parameters:
  ///   - request: what for, where and until when. The connector gives up by the deadline, whatever it waits for.
  ///   - done: called once, from any thread. A resource handed over after the pool lost interest is closed by the pool.
  func connect(
    _ request: ConnectRequest,
    _ done: @escaping @Sendable (Result<Connected<Resource>, PoolConnectError>) -> Void
  )
}

/// What a connector is asked for.
public struct ConnectRequest: Sendable {
  /// The handle the resource will be known by.
  public let resource: ResourceID
  /// Where to.
  public let origin: OriginID
  /// The origin's identity as the pool's settings have it.
  public let originIdentity: String
  /// The resource's home: whatever it does happens here.
  public let eventLoop: any EventLoop
  /// The index of ``eventLoop`` among the pool's loops.
  public let loop: LoopID
  /// One deadline over everything: resolving, connecting, securing, greeting. In the time of ``clock``.
  public let deadline: Instant
  /// What ``deadline`` is measured by.
  public let clock: any MonotonicClock
  /// For the resource, to report facts about itself.
  public let events: ResourceEvents

  /// A request, as a pool or a test makes it.
  public init(
    resource: ResourceID, origin: OriginID, originIdentity: String, eventLoop: any EventLoop, loop: LoopID,
    deadline: Instant, clock: any MonotonicClock, events: ResourceEvents
  ) {
    self.resource = resource
    self.origin = origin
    self.originIdentity = originIdentity
    self.eventLoop = eventLoop
    self.loop = loop
    self.deadline = deadline
    self.clock = clock
    self.events = events
  }

  /// What is left until the deadline; zero when it has passed.
  public var timeRemaining: Interval {
    max(.zero, deadline - clock.now())
  }

  /// The deadline in the time of the event loop, for its timers.
  public var loopDeadline: NIODeadline {
    eventLoop.now + .nanoseconds(timeRemaining.nanoseconds)
  }
}

/// A resource that was opened and how many exchanges it takes at a time.
public struct Connected<Resource: PoolableResource>: Sendable {
  /// The resource, ready for use.
  public let resource: Resource
  /// Exchanges at a time: 1 for HTTP/1.1, the stream limit for HTTP/2, the window of a multiplexed socket.
  public let capacity: Int

  /// - Parameters:
  ///   - resource: the resource, ready for use.
  ///   - capacity: exchanges at a time, at least 1.
  public init(resource: Resource, capacity: Int = 1) {
    self.resource = resource
    self.capacity = capacity
  }
}

/// Why a resource could not be opened.
public struct PoolConnectError: Error, Sendable, CustomStringConvertible {
  /// Decides what the pool does about it: ``FailureClass/network``, ``FailureClass/timeout``, …
  public let failure: FailureClass
  /// Short and from a closed set, fit for a metric: `dns`, `refused`, `tls`, …
  public let label: String
  /// What was thrown, if anything was.
  public let cause: (any Error)?

  /// - Parameters:
  ///   - failure: the class that decides what the pool does about it.
  ///   - label: short and from a closed set.
  ///   - cause: what was thrown, if anything was.
  public init(_ failure: FailureClass, label: String, cause: (any Error)? = nil) {
    self.failure = failure
    self.label = label
    self.cause = cause
  }

  /// One line for logs.
  public var description: String {
    cause.map { "cannot connect (\(label)): \($0)" } ?? "cannot connect (\(label))"
  }
}

/// Asks an endpoint whether it is well, by means that cost nothing.
public protocol ResourceProbe: Sendable {
  /// Probes one endpoint. Called on one of the pool's event loops; must not block.
  ///
  /// - Parameters:
  ///   - endpoint: the endpoint's handle.
  ///   - identity: the endpoint's identity as the pool's settings have it.
  ///   - deadline: when the answer has lost its value, in the pool's clock.
  ///   - done: called once, from any thread.
  func probe(
    _ endpoint: EndpointID, identity: String, deadline: Instant, _ done: @escaping @Sendable (ProbeResult) -> Void)

  /// Proves that a warm resource which nobody uses still reaches its remote side, if need be by a free call on it.
  /// Called on the resource's event loop; must not block. The resource is lent to nobody meanwhile. Unless it is
  /// implemented, the resource verifies itself.
  ///
  /// - Parameters:
  ///   - request: on whose behalf, how much is to be proven, and until when.
  ///   - resource: the one that the pool keeps warm.
  ///   - done: called once, from any thread. What the pool is told to close is closed by the pool.
  func heartbeat(
    _ request: HeartbeatRequest, on resource: any PoolableResource,
    _ done: @escaping @Sendable (HeartbeatReport) -> Void)
}

extension ResourceProbe {
  /// Has the resource verify itself.
  public func heartbeat(
    _ request: HeartbeatRequest, on resource: any PoolableResource,
    _ done: @escaping @Sendable (HeartbeatReport) -> Void
  ) {
    resource.verify(deadline: request.deadline) { done($0 ? .alive : .dead) }
  }
}

/// What a heartbeat is for.
public struct HeartbeatRequest: Sendable {
  /// On whose behalf.
  public let endpoint: EndpointID
  /// The endpoint's identity as the pool's settings have it.
  public let identity: String
  /// How much is to be proven.
  public let scope: HeartbeatScope
  /// When the answer has lost its value, in the pool's clock.
  public let deadline: Instant

  /// A request, as a pool or a test makes it.
  public init(endpoint: EndpointID, identity: String, scope: HeartbeatScope, deadline: Instant) {
    self.endpoint = endpoint
    self.identity = identity
    self.scope = scope
    self.deadline = deadline
  }
}
