public import Logging
public import NIOCore
public import SluicePolicy

/// A pool: lends resources of one type, opens and closes them as its settings say, and makes people wait in order.
///
/// On an event loop use ``acquire(_:waiter:)``; in tasks use ``lease(class:timeout:options:)`` or
/// ``withLease(class:timeout:options:_:)``. A pool that is let go of closes; end it properly with ``drain(within:)`` or
/// under a ``PoolService``.
///
/// The type of resource lives in this façade only: everything that decides or waits is not generic.
public final class PoolDriver<Resource: PoolableResource>: Sendable {
  @usableFromInline package let core: PoolDriverCore

  /// Makes a pool and lets it open what its settings want to have open.
  ///
  /// - Parameters:
  ///   - settings: refused as a whole when they contradict themselves.
  ///   - loops: where resources live; `LoopID`s are positions in this array.
  ///   - clock: what time it is.
  ///   - seed: for jitter and sampling; the same seed and the same events give the same decisions.
  ///   - connector: opens resources.
  ///   - probe: checks endpoints that are out or idle; without one, traffic has to show.
  ///   - observers: told about events after the lock was given back.
  ///   - logger: nothing above debug in normal operation.
  public init<Connector: ResourceConnector<Resource>>(
    settings: PoolSettings, loops: [any EventLoop], clock: any MonotonicClock = .system,
    seed: UInt64 = .random(in: .min ... .max), connector: Connector, probe: (any ResourceProbe)? = nil,
    observers: [any PoolObserver] = [], logger: Logger = Logger(label: "sluice.pool")
  ) throws(PoolSettingsError) {
    let settings = try settings.validated()
    core = PoolDriverCore(
      settings: settings, loops: loops, clock: clock, seed: seed, connector: TypeErasingConnector(connector: connector),
      probe: probe, observers: observers, logger: logger)
    core.start()
  }

  deinit {
    core.close()
  }

  /// The pool's name.
  public var name: String { core.name }

  /// The event loops that resources live on.
  public var loops: [any EventLoop] { core.loops }

  /// The clock that deadlines are measured by.
  public var clock: any MonotonicClock { core.clock }

  /// The handles of endpoints and origins, in the order of the settings in force.
  public var layout: PoolLayout { core.lock.withLock { $0.layout } }

  /// The settings in force.
  public var settings: PoolSettings { core.lock.withLock { $0.settings } }

  /// What the driver counts beside the machine.
  public var counters: DriverCounters { core.lock.withLock { $0.counters } }

  /// The position of a loop among the pool's, if it is one of them.
  public func loopID(of loop: any EventLoop) -> LoopID? {
    core.loops.firstIndex { $0 === loop }.map(LoopID.init)
  }

  // MARK: - On an event loop

  /// Asks for a lease. Must be called on the event loop `request.loop`. Costs no hop and no allocation when it is
  /// granted at once.
  ///
  /// - Parameters:
  ///   - request: what is wanted, and until when.
  ///   - waiter: hears the answer if it does not come at once. Kept until then.
  @inlinable
  public func acquire(_ request: AcquireRequest, waiter: any PoolWaiter<Resource>) -> Acquisition<Resource> {
    switch core.acquire(request, holder: waiter) {
    case .granted(let grant, let resource):
      .granted(Lease(core: core, grant: grant, resource: unsafeDowncast(resource, to: Resource.self)))
    case .queued(let ticket):
      .queued(ticket)
    case .rejected(let rejection):
      .rejected(rejection)
    }
  }

  /// Gives a ticket up. From any thread.
  ///
  /// - Returns: false when the waiter has been answered or its answer is on the way; then it still comes.
  @discardableResult
  @inlinable
  public func cancel(_ ticket: TicketID) -> Bool {
    core.cancel(ticket)
  }

  /// Opens a one-off connection beside a pool that cannot serve (closed or draining), if its settings say
  /// `fallback: direct`. The lease closes it.
  ///
  /// - Returns: nil when the waiter will be answered on the loop of the request, once; otherwise why not.
  public func openDirect(_ request: AcquireRequest, waiter: any PoolWaiter<Resource>) -> PoolRejection? {
    core.openDirect(request, Recipient(holder: waiter, loop: request.loop))
  }

  // MARK: - Operation

  /// Everything worth knowing at this moment.
  public func snapshot() -> PoolSnapshot { core.snapshot() }

  /// The machine's latest events, oldest first, for a dump after a failure.
  package func withMachine<Answer: Sendable>(_ body: (borrowing PoolMachine) -> Answer) -> Answer {
    core.lock.withLock { body($0.machine) }
  }

  /// Puts other settings in force. Endpoints and origins are the same ones if their identity is; removed ones finish
  /// what they have. All or nothing.
  ///
  /// - Returns: the handles in the order of the new settings.
  /// - Throws: `PoolError.Code.invalidSettings`, when they contradict themselves, or when a closed pool or one with too
  ///   many endpoints still draining cannot take them. Then nothing has changed.
  @discardableResult
  public func reconfigure(_ settings: PoolSettings) throws(PoolError) -> PoolLayout {
    do {
      if let layout = core.reconfigure(try settings.validated()) { return layout }
    } catch {
      throw PoolError(.invalidSettings, culprit: .caller, retry: .never, pool: name, cause: error)
    }
    throw PoolError(.invalidSettings, culprit: .pool, retry: .never, pool: name, label: "refused")
  }

  /// Grants nothing until ``resume()``; callers wait.
  public func pause() { core.perform { $0.machine.pause(now: $0.now, into: &$0.actions) } }

  /// Ends a pause.
  public func resume() { core.perform { $0.machine.resume(now: $0.now, into: &$0.actions) } }

  /// Starts a drain without waiting for it; see ``drain(within:)``.
  public func beginDrain(within limit: Interval) { core.perform { $0.drain(within: limit) } }

  /// Takes nothing new, lets leases finish, closes everything.
  ///
  /// - Parameter limit: how long leases may take. What is still lent then is closed; a second later at the latest this
  ///   returns. A cancelled task does not wait for leases at all.
  public func drain(within limit: Interval) async -> DrainResult { await core.drain(within: limit) }

  /// Drained or closed, with nothing lent and nothing open.
  package var isFinished: Bool { core.lock.withLock { $0.machine.isDrained } }

  /// Closes everything now, lent or not.
  public func close() { core.close() }

  /// Takes an endpoint out: its leases finish, it gets no new ones.
  ///
  /// - Returns: false when there is no such endpoint.
  @discardableResult
  public func drainEndpoint(_ endpoint: EndpointID) -> Bool {
    core.perform { $0.machine.drainEndpoint(endpoint, now: $0.now, into: &$0.actions) }
  }

  /// Lets an endpoint serve again that was taken out by hand.
  ///
  /// - Returns: false when there is no such endpoint.
  @discardableResult
  public func resumeEndpoint(_ endpoint: EndpointID) -> Bool {
    core.perform { $0.machine.resumeEndpoint(endpoint, now: $0.now, into: &$0.actions) }
  }

  /// Tells what an answer said about the limits of the endpoint that gave it.
  ///
  /// - Parameter pause: a limit is used up; the endpoint is left alone for so long.
  package func quotaHeard(_ endpoint: EndpointID, _ quota: EndpointQuota, pause: Interval?) {
    core.perform { $0.machine.quotaHeard(endpoint, quota, pause: pause, now: $0.now, into: &$0.actions) }
  }

  /// Forgets what an endpoint has done wrong: ejection, cooling, a rejected credential.
  ///
  /// - Returns: false when there is no such endpoint.
  @discardableResult
  public func resetEndpoint(_ endpoint: EndpointID) -> Bool {
    core.perform { $0.machine.resetEndpoint(endpoint, now: $0.now, into: &$0.actions) }
  }
}
