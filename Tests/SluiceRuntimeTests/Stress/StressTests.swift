import NIOCore
import NIOPosix
import SluicePolicy
import SluiceRuntime
import SluiceTesting
import Testing

/// Many threads against one pool, with bounded work and random faults; afterwards the books must balance.
/// Also built with the thread and address sanitizers, see `Tests/Sanitizers`.
@Suite(.serialized) struct StressTests {
  private static func settings(capacity: Int, queue: Int = 64) -> PoolSettings {
    var settings = PoolSettings(
      name: "stress", origins: [OriginSettings(identity: "o", name: "o")],
      endpoints: [EndpointSettings(identity: "o/k", name: "k", origin: 0)])
    settings.connections.max = capacity
    settings.connections.poolMax = capacity
    settings.connections.reconnectDelay = .milliseconds(1)
    settings.connections.reconnectDelayMax = .milliseconds(1)
    settings.connections.failFastAfter = 1_000
    settings.connections.connectTimeout = .hours(1)
    settings.queue.capacity = queue
    return settings
  }

  @Test func fourLoopsShareThreeResources() async throws {
    try await run(loops: 4, capacity: 3, perLoop: 3_000, faults: .none)
  }

  @Test func fourLoopsWithResourcesThatDie() async throws {
    try await run(loops: 4, capacity: 6, perLoop: 2_000, faults: .deaths)
  }

  @Test func loopsTasksAndAnAdministratorAtOnce() async throws {
    try await run(loops: 4, capacity: 4, perLoop: 1_000, faults: .deaths, tasks: 4, perTask: 200, administrate: true)
  }

  private func run(
    loops count: Int, capacity: Int, perLoop: Int, faults: StressWorker.Faults, tasks: Int = 0, perTask: Int = 0,
    administrate: Bool = false
  ) async throws {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: count)
    let loops = Array(group.makeIterator())
    let connector = ScriptedConnector()
    let settings = Self.settings(capacity: capacity)
    let pool = try PoolDriver(settings: settings, loops: loops, seed: 42, connector: connector)
    let workers = loops.indices.map { index in
      StressWorker(pool: pool, loop: LoopID(index), on: loops[index], rounds: perLoop, faults: faults)
    }
    await withTaskGroup(of: Void.self) { tasksGroup in
      for worker in workers { tasksGroup.addTask { await worker.run() } }
      for seed in 0..<tasks { tasksGroup.addTask { await StressTask(pool, seed: UInt64(seed)).run(rounds: perTask) } }
      if administrate { tasksGroup.addTask { await Self.administrate(pool, settings) } }
    }
    try await check(pool, workers, capacity: capacity, connector)
    try await group.shutdownGracefully()
  }

  private static func administrate(_ pool: PoolDriver<ScriptedResource>, _ settings: PoolSettings) async {
    for round in 0..<50 {
      var changed = settings
      changed.connections.max = 1 + round % settings.connections.max
      _ = try? pool.reconfigure(changed)
      pool.pause()
      _ = pool.snapshot()
      pool.resume()
      await Task.yield()
    }
    _ = try? pool.reconfigure(settings)
  }

  private func check(
    _ pool: PoolDriver<ScriptedResource>, _ workers: [StressWorker], capacity: Int, _ connector: ScriptedConnector
  ) async throws {
    #expect(await pool.drain(within: .hours(1)) == .drained)
    let counters = pool.snapshot().counters
    let totals = workers.map(\.totals).reduce(into: StressTotals()) { $0.add($1) }
    #expect(totals.overlaps == 0, "a resource was lent twice at the same time")
    #expect(totals.strayAnswers == 0, "a waiter was answered on another loop, or twice")
    #expect(totals.finished == workers.reduce(0) { $0 + $1.rounds }, "every wish ended once")
    #expect(counters.grantedAtOnce + counters.queued + counters.rejected.total >= counters.acquired)
    #expect(counters.released == counters.grantedAtOnce + counters.grantedLater)
    #expect(pool.counters.leakedLeases == 0)
    #expect(pool.counters.staleReturns == 0)
    #expect(connector.openCount == 0)
    #expect(pool.snapshot().slots.total == 0)
    #expect(pool.withMachine { $0.invariantViolations(now: pool.clock.now()) }.isEmpty)
  }
}
