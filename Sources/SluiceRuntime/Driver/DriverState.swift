import SluicePolicy

/// Everything that one pool's lock guards: the machine that decides, and the tables that turn its handles into
/// resources and people.
///
/// Every change goes through ``PoolDriverCore/perform(_:)``: the event is told to the machine, its actions are turned
/// into ``Effect``s by ``collect(into:)``, the lock is given back, the effects are performed.
struct DriverState: ~Copyable, Sendable {
  var machine: PoolMachine
  var actions = ActionList()
  /// The latest time the machine was told. Threads may read the clock in one order and get the lock in the other; the
  /// machine's time never goes back.
  var now: Instant
  var resources = ResourceTable()
  var tickets = TicketTable()
  var names: IdentityTable
  var settings: PoolSettings
  var layout: PoolLayout
  var counters = DriverCounters()
  var drainSignals: [DrainSignal] = []
  var drainPhase = DrainPhase.none
  /// One-off connections open or being opened beside the pool.
  var directCount = 0
  var directSequence: UInt32 = 0

  /// The earliest moment that the timer was asked for and has not fired at.
  private var armed = Instant.distantFuture
  private var eventSequence: UInt64 = 0
  /// Room for effects, lent to whoever performs and taken back afterwards, so that a busy pool does not allocate.
  private var spare: [Effect] = []

  init(settings: PoolSettings, loops: Int, seed: UInt64, now: Instant) {
    machine = PoolMachine(settings: settings, loops: loops, seed: seed, now: now, into: &actions)
    self.now = now
    self.settings = settings
    layout = machine.layout
    names = IdentityTable()
    names.learn(layout, settings)
  }

  /// Turns what the machine asked for into effects. Leaves `effects` untouched when there is nothing to do.
  mutating func collect(into effects: inout [Effect]) {
    if !actions.isEmpty { collectActions(into: &effects) }
    if case .none = drainPhase, drainSignals.isEmpty { return }
    if machine.isDrained { finishDrain(into: &effects) }
  }

  /// Nothing is left, so nothing is waited for any more, not even by the timer.
  private mutating func finishDrain(into effects: inout [Effect]) {
    if armed < .distantFuture { effects.append(.disarm) }
    effects.append(.drained(drainSignals))
    drainSignals = []
    drainPhase = .none
    armed = .distantFuture
  }

  private mutating func collectActions(into effects: inout [Effect]) {
    if effects.capacity == 0 { swap(&effects, &spare) }
    var index = 0
    while index < actions.count {
      if let effect = resolve(actions[index]) { effects.append(effect) }
      index += 1
    }
    actions.removeAll(keepingCapacity: true)
  }

  /// Takes an emptied list back.
  mutating func recycle(_ effects: inout [Effect]) {
    if effects.capacity > spare.capacity { swap(&effects, &spare) }
  }

  mutating func timerFired() {
    armed = .distantFuture
  }

  /// An effect that makes sure the timer fires by `deadline`, or nil if it will anyway.
  mutating func wish(_ deadline: Instant) -> Effect? {
    guard deadline < armed else { return nil }
    armed = deadline
    return .arm(deadline)
  }

  private mutating func resolve(_ action: PoolAction) -> Effect? {
    switch action {
    case .connect(let resource, let origin, let loop, let deadline):
      return .connect(resource, origin, identity: names.identity(of: origin), loop, deadline: deadline)
    case .close(let id, let reason):
      // A resource that is still being opened is not here yet; it is closed when its connector hands it over.
      return resources.remove(id).map { .close($0.resource, $0.loop, reason) }
    case .verify(let id, let deadline):
      return resources[id].map { .verify($0.resource, id, $0.loop, deadline: deadline) }
    case .probe(let endpoint, let deadline):
      return .probe(endpoint, identity: names.identity(of: endpoint), deadline: deadline)
    case .heartbeat(let id, let endpoint, let scope, let deadline):
      let request = HeartbeatRequest(
        endpoint: endpoint, identity: names.identity(of: endpoint), scope: scope, deadline: deadline)
      return resources[id].map { .heartbeat($0.resource, id, $0.loop, request) }
    case .grant(let ticket, let grant):
      guard let recipient = tickets.remove(ticket) else { preconditionFailure("a grant for a ticket nobody holds") }
      return .grant(recipient, grant, resources.granted(grant.resource))
    case .reject(let ticket, let rejection):
      return tickets.remove(ticket).map { .reject($0, rejection) }
    case .armDeadline(let deadline):
      return wish(deadline)
    case .emit(let event):
      eventSequence += 1
      return .emit(event, sequence: eventSequence)
    }
  }
}
