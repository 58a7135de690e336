import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import SluicePolicy
import SluiceRuntime
import SluiceTesting
import Testing

@Suite struct PoolServiceTests {
  private let connector = ScriptedConnector()

  private func makePool() throws -> PoolDriver<ScriptedResource> {
    try PoolDriver(
      settings: .unhurried(max: 2, min: 1), loops: [MultiThreadedEventLoopGroup.singleton.any()], connector: connector)
  }

  @Test func aGracefulShutdownLetsLeasesFinishAndLeavesNothing() async throws {
    let pool = try makePool()
    let service = PoolService(drainLimit: .hours(1)) { [pool] }
    let group = ServiceGroup(services: [service], gracefulShutdownSignals: [], logger: Logger(label: "test"))
    let lease = try await pool.lease()
    async let run: Void = group.run()
    await group.triggerGracefulShutdown()
    #expect(await eventually { pool.snapshot().state == .draining })
    #expect(lease.resource.isClosed == false)
    lease.release(.success)
    try await run
    #expect(connector.openCount == 0)
    #expect(pool.isFinished)
  }

  @Test func aCancelledServiceClosesAtOnce() async throws {
    let pool = try makePool()
    let service = PoolService(drainLimit: .hours(1)) { [pool] }
    let lease = try await pool.lease()
    let task = Task { try await service.run() }
    task.cancel()
    try await task.value
    #expect(lease.resource.closeReasons == [.shutdown])
    lease.release(.success)
    #expect(connector.openCount == 0)
  }

  @Test func aDirectoryIsDrainedWithItsRetiringPools() async throws {
    let directory = PoolDirectory<ScriptedResource>()
    let connector = connector
    let reconciler = ConfigurationReconciler(directory: directory) { settings in
      try PoolDriver(
        settings: settings, loops: [MultiThreadedEventLoopGroup.singleton.any()], connector: connector)
    }
    try reconciler.apply([.test(name: "old"), .test(name: "kept", min: 1)])
    let lease = try await #require(directory.current["old"]).lease()
    try reconciler.apply([.test(name: "kept", min: 1)])
    let task = Task { try await PoolService(directory: directory, drainLimit: .hours(1)).run() }
    task.cancel()
    try await task.value
    #expect(lease.resource.closeReasons == [.shutdown])
    #expect(directory.current["kept"]?.isFinished == true)
    lease.release(.success)
    #expect(connector.openCount == 0)
  }
}
