import Logging
package import NIOCore
public import SluicePolicy
import Synchronization

/// The monitor of one pool: one lock over one machine, and the hands that do what it decides.
///
/// Not generic, on purpose: a cross-module generic driver that is not specialised costs thirty times as much per
/// request. Types come back in the thin façade, ``PoolDriver`` and ``Lease``.
///
/// Every event, from callers, resources, connectors, probes and the timer, takes the same way:
/// read the clock; lock; tell the machine; collect its actions as effects; unlock; perform the effects.
/// Effects may come back in with further events at any depth and on any thread, since nothing is held meanwhile.
///
/// Life: open → draining (nothing new, leases finish) → closed (all resources told to close). `shutDown` is reached
/// from any of them and is where the façade's end leads.
@usableFromInline
package final class PoolDriverCore: Sendable {
  package let name: String
  package let clock: any MonotonicClock
  private let isSystemClock: Bool
  package let loops: [any EventLoop]
  let lanes: [LoopLane]
  let timer: DeadlineTimer
  let connector: any UntypedConnector
  let probe: (any ResourceProbe)?
  let observers: [any PoolObserver]
  let logger: Logger
  let lock: Lock<DriverState>
  let jumpDetector: Lock<ClockJumpDetector>
  /// Spreads callers that are on no loop.
  let nextLoop = Atomic<UInt>(0)
  /// When the clocks are compared next; nanoseconds. Read by every event, so it is not under a lock.
  let nextClockCheck: Atomic<Int64>

  /// A suspension that falls between two comparisons of the clocks can go unnoticed for this long.
  static let clockCheckInterval = Interval.milliseconds(100)

  init(
    settings: PoolSettings, loops: [any EventLoop], clock: any MonotonicClock, seed: UInt64,
    connector: any UntypedConnector, probe: (any ResourceProbe)?, observers: [any PoolObserver], logger: Logger
  ) {
    precondition(!loops.isEmpty && loops.count <= Int(UInt16.max), "between 1 and 65535 event loops")
    let now = clock.now()
    name = settings.name
    self.clock = clock
    isSystemClock = clock is SystemClock
    self.loops = loops
    lanes = loops.map(LoopLane.init)
    timer = DeadlineTimer(loop: loops[0], clock: clock)
    self.connector = connector
    self.probe = probe
    self.observers = observers
    self.logger = logger
    lock = Lock(DriverState(settings: settings, loops: loops.count, seed: seed, now: now))
    jumpDetector = Lock(ClockJumpDetector(clock.offsets()))
    nextClockCheck = Atomic((now + Self.clockCheckInterval).nanoseconds)
  }

  /// Performs what the machine wanted when it was made.
  func start() {
    perform { _ in }
  }

  /// Tells the machine something and does what it decides.
  @inline(__always)
  func perform<Answer: Sendable>(_ event: (inout DriverState) -> Answer) -> Answer {
    var effects: [Effect] = []
    let answer = decide(event, into: &effects)
    if !effects.isEmpty { run(&effects) }
    return answer
  }

  /// The part of `perform` that happens under the lock.
  @inline(__always)
  func decide<Answer: Sendable>(_ event: (inout DriverState) -> Answer, into effects: inout [Effect]) -> Answer {
    let now = readClock()
    return lock.withLock { state in
      if now > state.now { state.now = now }
      let answer = event(&state)
      state.collect(into: &effects)
      return answer
    }
  }

  /// The time, after having made sure that the machine knows about a jump before it decides anything.
  @inline(__always)
  private func readClock() -> Instant {
    // The usual clock without the way through the protocol.
    let now = isSystemClock ? SystemClock().now() : clock.now()
    if now.nanoseconds >= nextClockCheck.load(ordering: .relaxed) { compareClocks(now) }
    return now
  }

  @inline(never)
  private func compareClocks(_ now: Instant) {
    nextClockCheck.store((now + Self.clockCheckInterval).nanoseconds, ordering: .relaxed)
    let offsets = clock.offsets()
    guard let gap = jumpDetector.withLock({ $0.observe(offsets) }) else { return }
    perform { state in
      state.counters.clockJumps += 1
      state.machine.clockJumped(by: gap, now: state.now, into: &state.actions)
    }
  }
}

// MARK: - Callers

extension PoolDriverCore {
  /// What became of a wish, before types.
  @usableFromInline
  enum Outcome: Sendable {
    case granted(Grant, any PoolableResource)
    case queued(TicketID)
    case rejected(PoolRejection)
  }

  /// For waiters on the loop `request.loop`, which is where the caller is.
  @usableFromInline
  func acquire(_ request: AcquireRequest, holder: any PoolTicketHolder) -> Outcome {
    let lane = lanes[request.loop.index]
    lane.loop.assertInEventLoop()
    var effects: [Effect] = []
    let outcome = decide({ $0.acquire(request, holder) }, into: &effects)
    // Answers for this loop wait until the caller has seen its ticket.
    if !effects.isEmpty { lane.holdingBack { run(&effects) } }
    return outcome
  }

  /// False when the ticket's answer is on its way or was given.
  @usableFromInline
  func cancel(_ ticket: TicketID) -> Bool {
    perform { state in
      guard state.machine.cancel(ticket, now: state.now, into: &state.actions) else { return false }
      _ = state.tickets.remove(ticket)
      return true
    }
  }

  @usableFromInline
  package func release(_ grant: Grant, _ report: ExchangeReport, direct: DirectLease?) {
    if let direct {
      finish(direct)
      return
    }
    perform { state in
      let current = state.machine.release(grant.lease, report, now: state.now, into: &state.actions)
      if !current { state.counters.staleReturns += 1 }
    }
  }

  /// A lease was dropped. Nobody knows what state its resource is in, so that one is not used again.
  @usableFromInline
  package func leaseForgotten(_ grant: Grant, direct: DirectLease?) {
    lock.withLock { $0.counters.leakedLeases += 1 }
    logger.debug("lease forgotten", metadata: ["pool": "\(name)", "endpoint": "\(grant.endpoint)"])
    release(grant, ExchangeReport(result: .unused, fate: .close(.broken)), direct: direct)
  }
}

extension DriverState {
  @inline(__always)
  mutating func acquire(_ request: AcquireRequest, _ holder: any PoolTicketHolder) -> PoolDriverCore.Outcome {
    switch machine.acquire(request, now: now, into: &actions) {
    case .granted(let grant):
      return .granted(grant, resources.granted(grant.resource))
    case .queued(let ticket):
      tickets.insert(Recipient(holder: holder, loop: request.loop), for: ticket)
      return .queued(ticket)
    case .rejected(let rejection):
      return .rejected(rejection)
    }
  }
}

// MARK: - The timer

extension PoolDriverCore: DeadlineTarget {
  package func deadlineCame() {
    let abandoned = perform { state in
      state.timerFired()
      state.machine.deadlineReached(now: state.now, into: &state.actions)
      return state.drainDeadlineReached()
    }
    for signal in abandoned { signal.fire(.closedByForce) }
  }
}
