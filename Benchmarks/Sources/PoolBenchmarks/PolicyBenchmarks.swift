import SluicePolicy

/// The machine alone: no lock, no thread.
enum PolicyBenchmarks {
  static let now = Instant(nanoseconds: 1_000_000_000)

  static func machine(endpoints: Int = 4, connections: Int = 16, queue: Int = 20_000) -> (PoolMachine, [ResourceID]) {
    var settings = PoolSettings(
      name: "bench", origins: [OriginSettings(identity: "o", name: "o")],
      endpoints: (0..<endpoints).map { EndpointSettings(identity: "e\($0)", name: "e\($0)", origin: 0) })
    settings.connections.min = connections
    settings.connections.max = connections
    settings.connections.concurrentConnects = connections
    settings.queue.capacity = queue
    settings.journalEntries = 256
    var actions = ActionList()
    var machine = PoolMachine(settings: settings, loops: 1, seed: 1, now: now, into: &actions)
    var opened: [ResourceID] = []
    for _ in 0..<connections * 4 {
      let wanted = actions.array
      actions.removeAll()
      for case .connect(let id, _, _, _) in wanted {
        opened.append(id)
        machine.connectSucceeded(id, capacity: 1, connectTime: .milliseconds(1), now: now, into: &actions)
      }
    }
    actions.removeAll()
    return (machine, opened)
  }

  static func run(_ measurements: inout Measurements) {
    uncontended(&measurements)
    handOff(&measurements)
    cancel(&measurements)
    manyWaiters(&measurements)
  }

  private static func request(_ priority: PriorityClass = .normal) -> AcquireRequest {
    AcquireRequest(loop: LoopID(0), priority: priority, deadline: now + .seconds(60), arrival: now)
  }

  private static func uncontended(_ measurements: inout Measurements) {
    var (machine, _) = machine()
    var actions = ActionList()
    let report = ExchangeReport(result: .success, latency: .milliseconds(1), total: .milliseconds(2))
    measurements.measure("policy: acquire + release", operations: 200_000) {
      for _ in 0..<200_000 {
        if case .granted(let grant) = machine.acquire(request(), now: now, into: &actions) {
          _ = machine.release(grant.lease, report, now: now, into: &actions)
        }
        if !actions.isEmpty { actions.removeAll() }
      }
    }
  }

  private static func handOff(_ measurements: inout Measurements) {
    var (machine, _) = machine(connections: 1)
    var actions = ActionList()
    let report = ExchangeReport(result: .success, latency: .milliseconds(1), total: .milliseconds(2))
    guard case .granted(var held) = machine.acquire(request(), now: now, into: &actions) else { return }
    measurements.measure("policy: queue, release, hand over", operations: 100_000) {
      for _ in 0..<100_000 {
        _ = machine.acquire(request(), now: now, into: &actions)
        actions.removeAll()
        _ = machine.release(held.lease, report, now: now, into: &actions)
        actions.forEach { if case .grant(_, let grant) = $0 { held = grant } }
        actions.removeAll()
      }
    }
  }

  private static func cancel(_ measurements: inout Measurements) {
    var (machine, _) = machine(connections: 1)
    var actions = ActionList()
    _ = machine.acquire(request(), now: now, into: &actions)
    measurements.measure("policy: queue + cancel", operations: 100_000) {
      for _ in 0..<100_000 {
        if case .queued(let ticket) = machine.acquire(request(), now: now, into: &actions) {
          _ = machine.cancel(ticket, now: now, into: &actions)
        }
        actions.removeAll()
      }
    }
  }

  private static func manyWaiters(_ measurements: inout Measurements) {
    var (machine, _) = machine(connections: 1)
    var actions = ActionList()
    let report = ExchangeReport(result: .success, latency: .milliseconds(1), total: .milliseconds(2))
    guard case .granted(var held) = machine.acquire(request(), now: now, into: &actions) else { return }
    for index in 0..<10_000 {
      _ = machine.acquire(request(PriorityClass.allCases[index % 4]), now: now, into: &actions)
      actions.removeAll()
    }
    measurements.measure("policy: hand over among 10,000 waiters", operations: 20_000) {
      for _ in 0..<20_000 {
        _ = machine.release(held.lease, report, now: now, into: &actions)
        actions.forEach { if case .grant(_, let grant) = $0 { held = grant } }
        actions.removeAll()
        _ = machine.acquire(request(), now: now, into: &actions)
        actions.removeAll()
      }
    }
  }
}
