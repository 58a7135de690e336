import SluicePolicy
import Testing

/// Hours of virtual time with something on the way that forgets silent flows, at the true times: bursts of calls, then
/// half an hour of nothing. Judged from outside: by the world that knows the limit.
struct IdleTests {
  struct Outcome {
    /// First calls after an idle time that met a dead resource or had to wait for a new one, in order.
    var cold: [Int] = []
    /// Paths that died of silence.
    var deaths = 0
    var heartbeats = 0
    var problems: [String] = []
  }

  private static let bursts = 8

  /// One origin, one endpoint. Verification of warm resources is turned off: here heartbeats stand alone.
  private static func run(
    limit: Interval, calls: Int = 1, _ change: (inout PoolSettings) -> Void = { _ in }
  ) -> Outcome {
    var settings = PoolSettings(
      name: "idle", origins: [OriginSettings(identity: "o", name: "o")],
      endpoints: [EndpointSettings(identity: "e", name: "e", origin: 0)])
    settings.connections.warmVerifyInterval = .hours(100)
    settings.connections.maxAge = .max
    settings.health.probeIdle = false
    change(&settings)
    var world = IdleWorld(settings, limit: limit)
    var outcome = Outcome()
    for burst in 0..<bursts {
      if !world.call(calls) { outcome.cold.append(burst) }
      for _ in 0..<5 {
        world.pass(.seconds(2))
        _ = world.call(calls)
      }
      world.pass(.minutes(35))
    }
    outcome.deaths = world.deaths
    outcome.heartbeats = world.heartbeats
    outcome.problems = world.problems
    return outcome
  }

  /// Not cold after the first burst, which opens, and those from which the limit is learned.
  private static func isWarm(_ outcome: Outcome) -> Bool {
    outcome.problems.isEmpty && outcome.cold.allSatisfy { $0 <= 3 } && outcome.deaths <= 8
  }

  @Test(arguments: [6, 15, 60, 120, 200, 350] as [Int64])
  func afterHalfAnHourTheFirstCallFindsALivingPath(limit: Int64) {
    let outcome = Self.run(limit: .seconds(limit))
    #expect(Self.isWarm(outcome), "\(outcome)")
    #expect(outcome.heartbeats < Self.bursts * 36 * 60 / 3, "no storm")
  }

  /// As many calls at once as connections are kept: each of them finds a living one.
  @Test(arguments: [15, 60, 120, 200, 350] as [Int64])
  func asManyCallsAsAreKeptFindLivingPaths(limit: Int64) {
    let outcome = Self.run(limit: .seconds(limit), calls: 4) { $0.connections.min = 4 }
    #expect(outcome.problems.isEmpty && outcome.cold.allSatisfy { $0 <= 3 } && outcome.deaths <= 8 * 4, "\(outcome)")
    #expect(outcome.heartbeats < 4 * Self.bursts * 36 * 60 / 3, "no storm")
  }

  /// What keeps one path is not enough for four.
  @Test func aPolicyThatKeepsOneIsCaught() {
    let outcome = Self.run(limit: .seconds(200), calls: 4) {
      $0.connections.min = 1
      $0.connections.idleTimeout = .max
    }
    #expect(!outcome.cold.allSatisfy { $0 <= 3 }, "\(outcome)")
  }

  /// Policies that are wrong are found out by the same measure.
  @Test func aPolicyThatSleepsOrNeverLearnsIsCaught() {
    #expect(!Self.isWarm(Self.run(limit: .seconds(120)) { $0.heartbeat.pace = .off }))
    #expect(!Self.isWarm(Self.run(limit: .seconds(120)) { $0.heartbeat.pace = .every(.seconds(300)) }))
    #expect(!Self.isWarm(Self.run(limit: .seconds(120)) { $0.heartbeat.shortest = .seconds(150) }))
    #expect(!Self.isWarm(Self.run(limit: .seconds(120)) { $0.connections.keepWarm = .minutes(10) }))
  }

  @Test func aBusyPathIsLeftAlone() {
    var settings = PoolSettings(
      name: "busy", origins: [OriginSettings(identity: "o", name: "o")],
      endpoints: [EndpointSettings(identity: "e", name: "e", origin: 0)])
    settings.health.probeIdle = false
    var world = IdleWorld(settings, limit: .seconds(350))
    for _ in 0..<2000 {
      world.pass(.seconds(10))
      _ = world.call(1)
    }
    #expect(world.heartbeats == 0 && world.problems.isEmpty)
  }
}

/// One machine whose resources lose their path when they are silent for longer than `limit`. Callers and remote side
/// answer at once; only time passes.
private struct IdleWorld {
  let limit: Interval
  var machine: PoolMachine
  var now = Instant(nanoseconds: 1_000_000_000)
  var actions = ActionList()
  /// Open resources with their last packet.
  var packets: [ResourceID: Instant] = [:]
  var granted: [TicketID: Grant] = [:]
  var deaths = 0
  var heartbeats = 0
  var problems: [String] = []
  private var lastCall = Instant.distantPast
  private let kept: Int

  init(_ settings: PoolSettings, limit: Interval) {
    self.limit = limit
    kept = max(1, settings.connections.min)
    machine = PoolMachine(settings: settings, loops: 1, seed: 7, now: now, into: &actions)
    obey()
  }

  /// Whether calls at once found living resources at once, or after verifications that cost nothing.
  mutating func call(_ count: Int) -> Bool {
    let open = Set(packets.keys)
    let grants = (0..<count).map { _ in begin() }
    return grants.reduce(true) { end($1, open) && $0 }
  }

  private mutating func begin() -> Grant? {
    lastCall = now
    let request = AcquireRequest(loop: LoopID(0), deadline: now + .seconds(5), arrival: now)
    let outcome = machine.acquire(request, now: now, into: &actions)
    obey()
    switch outcome {
    case .granted(let given): return given
    case .queued(let ticket):
      if granted[ticket] == nil { pass(.seconds(1)) }
      if let given = granted.removeValue(forKey: ticket) { return given }
      problems.append("nobody served \(ticket)")
    case .rejected(let why): problems.append("\(why)")
    }
    return nil
  }

  private mutating func end(_ grant: Grant?, _ open: Set<ResourceID>) -> Bool {
    guard let grant else { return false }
    let isWarm = open.contains(grant.resource) && speak(grant.resource)
    let report =
      packets[grant.resource] == nil
      ? ExchangeReport(result: .failed(.network), fate: .close(.broken)) : ExchangeReport(result: .success)
    _ = machine.release(grant.lease, report, now: now, into: &actions)
    obey()
    return isWarm
  }

  mutating func pass(_ span: Interval) {
    let end = now + span
    while let next = machine.nextDeadline, next <= end {
      now = max(now, next)
      machine.deadlineReached(now: now, into: &actions)
      obey()
    }
    now = end
  }

  /// A packet on its way; false if it was forgotten there.
  private mutating func speak(_ id: ResourceID) -> Bool {
    guard let last = packets[id] else { return false }
    if now - last > limit {
      deaths += 1
      packets[id] = nil
      return false
    }
    packets[id] = now
    return true
  }

  private mutating func obey() {
    while !actions.isEmpty {
      let wanted = actions.array
      actions.removeAll()
      for action in wanted { perform(action) }
    }
  }

  private mutating func perform(_ action: PoolAction) {
    switch action {
    case .connect(let id, _, _, _):
      packets[id] = now
      machine.connectSucceeded(id, capacity: 1, connectTime: .milliseconds(50), now: now, into: &actions)
    case .close(let id, _):
      packets[id] = nil
      machine.resourceClosed(id, idleFor: nil, now: now, into: &actions)
    case .verify(let id, _):
      let alive = speak(id)
      machine.verified(id, alive: alive, now: now, into: &actions)
    case .heartbeat(let id, _, _, _):
      heartbeats += 1
      if now - lastCall < .seconds(3), kept == 1 { problems.append("a heartbeat beside traffic") }
      let report = speak(id) ? HeartbeatReport(.success(latency: .milliseconds(20)), carried: true) : .dead
      machine.heartbeatFinished(id, report, now: now, into: &actions)
    case .grant(let ticket, let grant): granted[ticket] = grant
    case .probe, .reject, .armDeadline, .emit: break
    }
  }
}
