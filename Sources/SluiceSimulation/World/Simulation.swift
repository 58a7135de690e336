package import SluicePolicy

/// A deterministic world around one `PoolMachine`: virtual time, callers, remote sides, faults, and effects that are
/// carried out late, in any order, sometimes twice.
///
/// Phases: load with faults → load without faults → no load, where the warm minimum must be back, the queue empty and
/// nothing lent → some load again, and the pool is drained or closed under it. In some runs that comes in the middle
/// of the faults instead. One seed decides everything. The class is confined to the function that runs it.
package final class Simulation {
  package let options: SimulationOptions
  package private(set) var now = Instant(nanoseconds: 1_000_000_000)
  package private(set) var steps = 0
  package private(set) var violation: Violation?

  var machine: PoolMachine
  var settings: PoolSettings
  var layout: PoolLayout
  var faults: FaultRates
  var load: SimulationRandom
  var latency: SimulationRandom
  var chance: SimulationRandom
  var schedule: SimulationRandom
  var events = EventQueue<WorldEvent>()
  var resources: [ResourceID: SimulatedResource] = [:]
  var calls: [SimulatedCall] = []
  var ticketOwners: [TicketID: CallID] = [:]
  /// Endpoints at which everything fails for a while, and origins that are not there for a while.
  var sickUntil: [EndpointID: Instant] = [:]
  var downUntil: [OriginID: Instant] = [:]
  var loadGoesOn = true
  var isPaused = false
  var isEnding = false
  var endpointsMade: Int

  private var actions = ActionList()
  private var checkers: [any SimulationChecker]
  private let onFact: ((Instant, Fact) -> Void)?
  private let tamper: ((Fact) -> [Fact])?

  /// `tamper` falsifies the facts on their way to the checkers: canaries prove with it that each checker can fail.
  package init(
    _ options: SimulationOptions, checkers: [any SimulationChecker] = SimulationCheckers.all(),
    tamper: ((Fact) -> [Fact])? = nil, onFact: ((Instant, Fact) -> Void)? = nil
  ) {
    self.options = options
    self.checkers = checkers
    self.tamper = tamper
    self.onFact = onFact
    settings = options.settings
    faults = options.faults
    load = SimulationRandom(seed: options.seed, stream: .load)
    latency = SimulationRandom(seed: options.seed, stream: .latency)
    chance = SimulationRandom(seed: options.seed, stream: .faults)
    schedule = SimulationRandom(seed: options.seed, stream: .schedule)
    var policy = SimulationRandom(seed: options.seed, stream: .policy)
    endpointsMade = settings.endpoints.count
    machine = PoolMachine(
      settings: settings, loops: options.loops, seed: policy.next(), now: now, into: &actions)
    layout = machine.layout
  }

  /// Runs to the end, to `steps` events, or to the first violation.
  package func run(steps limit: Int = .max) {
    note(.configured(settings, layout))
    carryOut()
    planPhases()
    while violation == nil, steps < limit, let (time, event) = events.pop() {
      now = Swift.max(now, time)
      steps += 1
      if case .end = event { return end() }
      handle(event)
    }
  }

  package var journal: String { machine.journal.dump }

  // MARK: - Telling the machine, carrying out what it wants

  /// One event for the machine. What came of it is noted as `fact` before the decisions that follow from it, and what
  /// it wants done is on its way afterwards.
  @discardableResult
  func tell<Result>(
    _ body: (inout PoolMachine, inout ActionList) -> Result, fact: (Result) -> Fact? = { _ in nil }
  ) -> Result {
    let result = body(&machine, &actions)
    if let fact = fact(result) { note(fact) }
    carryOut()
    return result
  }

  /// Notes decisions in their order, then lets effects happen at moments of their own: any order is allowed.
  private func carryOut() {
    let wanted = actions.array
    actions.removeAll()
    for action in wanted {
      noteDecision(action)
      switch action {
      case .emit: continue
      case .armDeadline(let deadline):
        guard deadline != .distantFuture else { continue }
        events.add(.timer, at: Swift.max(now, deadline) + .microseconds(Int64(schedule.range(0, 2000))))
      default:
        // Mostly soon, now and then so late that others overtake it.
        let slow = schedule.chance(0.05)
        let delay = Interval.microseconds(Int64(schedule.range(0, slow ? 20_000 : 400)))
        events.add(.perform(action), at: now + delay)
      }
    }
  }

  private func noteDecision(_ action: PoolAction) {
    switch action {
    case .connect(let id, let origin, let loop, _): note(.connectAsked(id, origin, loop))
    case .close(let id, let reason): note(.closeAsked(id, reason))
    case .verify(let id, _): note(.verifyAsked(id))
    case .grant(let ticket, let grant): note(.grantedLater(ticket, grant))
    case .reject(let ticket, let rejection): note(.refusedLater(ticket, rejection))
    case .heartbeat(let id, let endpoint, _, _): note(.heartbeatAsked(id, endpoint))
    case .emit(let event): note(.emitted(event))
    case .probe, .armDeadline: break
    }
  }

  func note(_ fact: Fact) {
    onFact?(now, fact)
    for fact in tamper?(fact) ?? [fact] {
      for index in checkers.indices where violation == nil {
        if let problem = checkers[index].observe(fact, at: now) {
          violation = Violation(checker: checkers[index].name, problem: problem, at: now, step: steps)
        }
      }
    }
  }

  func later(_ delay: Interval, _ event: WorldEvent) { events.add(event, at: now + delay) }

  private func handle(_ event: WorldEvent) {
    switch event {
    case .arrival: arrive()
    case .perform(let action): perform(action)
    case .timer: tell { $0.deadlineReached(now: now, into: &$1) }
    case .connectEnds(let id, let end): connectEnds(id, end)
    case .verifyEnds(let id): verifyEnds(id)
    case .probeEnds(let endpoint): probeEnds(endpoint)
    case .heartbeatEnds(let id, let endpoint, let scope): heartbeatEnds(id, endpoint, scope)
    case .exchangeEnds(let call): exchangeEnds(call)
    case .giveUp(let call): giveUp(call)
    case .remoteCloses(let id): remoteCloses(id)
    case .goAway(let id): goAway(id)
    case .capacityChanges(let id): capacityChanges(id)
    case .reportClosed(let id): reportClosed(id)
    case .again(let echo): repeatOnce(echo)
    case .trouble: makeTrouble()
    case .administration: administrate()
    case .resume: resume()
    case .lookAround: lookAround()
    case .faultsStop: stopFaults()
    case .loadStops: stopLoad()
    case .settle: settle()
    case .finish: finish()
    case .end: break
    }
  }
}

/// A broken promise: which checker saw it, when, and what it says.
package struct Violation: Error, Sendable, CustomStringConvertible {
  package var checker: String
  package var problem: String
  package var at: Instant
  package var step: Int

  package var description: String { "\(checker): \(problem) (at \(at) s, step \(step))" }
}
