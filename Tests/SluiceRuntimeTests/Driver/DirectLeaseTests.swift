import NIOCore
import NIOPosix
import SluicePolicy
import SluiceRuntime
import SluiceTesting
import Testing

@Suite struct DirectLeaseTests {
  private func settings(direct: Bool, max: Int = 1) -> PoolSettings {
    var settings = PoolSettings.test(max: max)
    settings.fallbackDirect = direct
    return settings
  }

  @Test func aClosedPoolOpensOneOffConnectionsIfItMay() async throws {
    let connector = ScriptedConnector()
    let pool = try PoolDriver(
      settings: settings(direct: true), loops: [MultiThreadedEventLoopGroup.singleton.any()], connector: connector)
    pool.close()
    let lease = try await pool.lease()
    let isDirect = lease.isDirect
    #expect(isDirect)
    #expect(lease.grant.endpoint == pool.layout.endpoints[0])
    let resource = lease.resource
    #expect(resource.isClosed == false)
    lease.release(.success)
    #expect(await eventually { resource.isClosed })
    #expect(pool.counters.directOpened == 1)
  }

  @Test func otherwiseTheRefusalIsTheAnswer() async throws {
    let pool = try PoolDriver(
      settings: settings(direct: false), loops: [MultiThreadedEventLoopGroup.singleton.any()],
      connector: ScriptedConnector())
    pool.close()
    let error = await #expect(throws: PoolError.self) { try await pool.withLease { _ in } }
    #expect(error?.rejection?.reason == .closed)
    #expect(error?.retry == .never)
  }

  @Test func theCallerMayWantTheErrorInstead() async throws {
    let connector = ScriptedConnector()
    let pool = try PoolDriver(
      settings: settings(direct: true), loops: [MultiThreadedEventLoopGroup.singleton.any()], connector: connector)
    pool.close()
    var options = LeaseOptions()
    options.fallback = .never
    await #expect(throws: PoolError.self) { try await pool.withLease(options: options) { _ in } }
    #expect(connector.requests.isEmpty)
  }

  @Test func oneOffConnectionsAreBounded() throws {
    let bench = try Bench(settings(direct: true))
    bench.pool.close()
    let first = RecordingWaiter<ScriptedResource>()
    let second = RecordingWaiter<ScriptedResource>()
    #expect(bench.pool.openDirect(bench.request(), waiter: first) == nil)
    #expect(bench.pool.openDirect(bench.request(), waiter: second)?.reason == .queueFull)
    #expect(first.grants == 1)
    first.take()?.release(.success)
    #expect(bench.connector.openCount == 0)
    #expect(bench.pool.openDirect(bench.request(), waiter: second) == nil)
    second.take()?.release(.success)
  }

  @Test func aConnectorThatSaysNothingIsNotWaitedFor() throws {
    let bench = try Bench(settings(direct: true), otherwise: .hang)
    bench.pool.close()
    let waiter = RecordingWaiter<ScriptedResource>()
    #expect(bench.pool.openDirect(bench.request(), waiter: waiter) == nil)
    bench.advance(by: .seconds(5))
    #expect(waiter.rejections.map(\.reason) == [.deadline])
    bench.connector.answer(0)
    #expect(waiter.grants == 0)
    #expect(bench.connector.resources[0].closeReasons == [.cancelled])
  }

  @Test func aFailedConnectIsReported() throws {
    let bench = try Bench(settings(direct: true), otherwise: .fail(.network))
    bench.pool.close()
    let waiter = RecordingWaiter<ScriptedResource>()
    #expect(bench.pool.openDirect(bench.request(), waiter: waiter) == nil)
    #expect(waiter.rejections.map(\.reason) == [.connectFailed])
    #expect(waiter.rejections.map(\.cause) == [.network])
  }
}
