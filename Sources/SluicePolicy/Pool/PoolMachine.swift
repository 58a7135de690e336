/// One pool's decisions: who gets which slot, who waits, what is opened, verified, closed and probed, and which
/// endpoints may serve. Events and the time go in, actions come out; nothing else happens here.
///
/// ```
/// open ⇄ paused          paused: nothing is granted or opened; wishes wait
///   │      │
///   ▼      ▼
/// draining ─▶ closed     draining: nothing new; who waits is still served; resources close as they return
/// ```
/// Any state may go to `closed`, which rejects who waits and closes everything.
///
/// Invariants (see `invariantViolations`):
/// - a ticket ends once: granted, rejected or cancelled; a lease ends once;
/// - slots are lent only up to a resource's capacity at that moment, and never on one that drains or closes;
/// - nobody waits while a slot is free that may serve them (work is conserved);
/// - resources per origin and pool never grow beyond the limits; they shrink to a lowered limit as they return;
/// - an index named in an action stays reserved until the answer came, or until it is overdue and given up.
///
/// Events may come late, twice or never: handles carry generations, and everything that is awaited has a deadline.
/// Why a value and not an actor: it can be copied, replayed and compared, and its owner decides about locking.
///
/// Seams: rate limits and quotas make an endpoint cool or saturated (`EndpointRecord.isSaturated`, `cool`), circuit
/// breakers and outlier detection are further reasons for a `HealthTracker.Verdict`, strategies are cases of
/// `BalanceStrategy`.
public struct PoolMachine: Sendable {
  var settings: PoolSettings
  let loops: Int
  var mode = PoolState.open
  var slots: SlotTable
  var leases = LeaseTable()
  var queue: WaitQueue
  var endpoints = EndpointTable()
  var origins = OriginTable()
  var regions = RegionTable()
  var balancer: Balancer
  var deadlines = DeadlineHeap()
  var random: SplitMix64
  var counters = PoolCounters()
  /// The handles of endpoints and origins in the order of the settings.
  public internal(set) var layout = PoolLayout()
  /// The last events and actions.
  public internal(set) var journal: EventJournal

  /// The deadline that the driver was last told.
  var armed = Instant.distantFuture
  /// Whatever was last trusted before then has to be verified (clock jump).
  var trustFloor = Instant.distantPast
  /// Endpoints serve that should not have to; as last told to observers.
  var isPanicking = false
  /// Origins whose last connect failed.
  var failingOrigins = 0
  var saidDrained = false
  /// Something happened that may leave tickets without a chance.
  var needsReview = false
  /// There is room in the pool that somebody may have been waiting for to keep its minimum.
  var needsRestock = false
  /// When regions are looked at next.
  var regionToken = DeadlineHeap.Token.none
  var regionsDue = Instant.distantFuture
  /// Requests that the pool had seen when all regions were measured.
  var acquiredAtMeasure: UInt64 = 0
  /// Supply spoken for by restricted tickets, per origin; scratch of `provision`.
  var claims: [Int] = []

  /// A connect or probe that is overdue by this much is taken as failed without an answer.
  static let answerGrace: Interval = .seconds(1)

  /// - Parameters:
  ///   - settings: must be valid (`PoolSettings.validated()`).
  ///   - loops: event loops of the host, at least 1.
  ///   - seed: of everything random: jitter and balancing.
  public init(settings: PoolSettings, loops: Int, seed: UInt64, now: Instant, into actions: inout ActionList) {
    precondition(loops > 0 && loops <= 1024, "a pool runs on 1 to 1024 loops")
    precondition(settings.problems().isEmpty, "settings are validated before a machine is made")
    self.settings = settings
    self.loops = loops
    self.slots = SlotTable(loops: loops)
    self.queue = WaitQueue(settings.queue)
    self.random = SplitMix64(seed: seed)
    self.balancer = Balancer(
      strategy: settings.balance.strategy, slowStart: settings.health.slowStart, seed: random.next())
    self.journal = EventJournal(capacity: settings.journalEntries)
    adopt(settings, now, &actions)
    settle(now, &actions)
  }

  /// Draining or closed, and nothing is left: no lease, no ticket, no resource.
  public var isDrained: Bool {
    (mode == .draining || mode == .closed) && leases.count == 0 && queue.isEmpty && slots.totals.all == 0
  }

  /// When `deadlineReached` is due at the latest.
  public var nextDeadline: Instant? {
    deadlines.earliest == .distantFuture ? nil : deadlines.earliest
  }

  /// Open, paused, draining or closed.
  public var state: PoolState { mode }

  /// Idle resources trusted at or after this instant may be lent without verification.
  @inline(__always)
  func trustedSince(_ now: Instant) -> Instant {
    let since = now - settings.connections.verifyAfter
    return since > trustFloor ? since : trustFloor
  }

  /// A loop of this pool, whatever the caller says.
  @inline(__always)
  func home(_ loop: LoopID) -> Int { loop.index < loops ? loop.index : loop.index % loops }

  /// The end of every event: tells the driver when the earliest deadline has moved forward, and observers when
  /// panic begins or ends.
  @inline(__always)
  mutating func arm(_ actions: inout ActionList) {
    if deadlines.earliest < armed {
      armed = deadlines.earliest
      actions.append(.armDeadline(armed))
    }
    if endpoints.isPanicking != isPanicking {
      isPanicking = endpoints.isPanicking
      actions.append(.emit(.panic(isPanicking)))
    }
  }

  /// After anything that may have changed who can be served: what time has brought meanwhile, then serve, supply and
  /// clean up. So nobody is served after their deadline because a timer was late.
  mutating func settle(_ now: Instant, _ actions: inout ActionList) {
    while let due = deadlines.popDue(now) { run(due, now, &actions) }
    if !queue.isEmpty {
      dispatch(now, &actions)
      provision(now, &actions)
      if needsReview { reviewWaiters(now, &actions) }
    }
    needsReview = false
    if needsRestock { restock(now, &actions) }
    if mode == .draining { continueDraining(now, &actions) }
    arm(&actions)
  }

  var numbers: PoolNumbers {
    PoolNumbers(
      leased: leases.count, idle: slots.totals.idle, connecting: slots.totals.connecting, waiting: queue.count,
      max: settings.connections.poolMax)
  }

  mutating func countStale(_ index: UInt32, _ generation: UInt32, _ now: Instant) {
    counters.staleEvents &+= 1
    journal.record(.staleEvent, now, subject: index, detail: generation)
  }
}
