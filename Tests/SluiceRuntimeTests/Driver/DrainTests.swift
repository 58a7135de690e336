import NIOCore
import NIOEmbedded
import NIOPosix
import SluicePolicy
import SluiceRuntime
import SluiceTesting
import Testing

@Suite struct DrainTests {
  @Test func leasesFinishAndThenEverythingIsClosed() throws {
    let bench = try Bench(.test(max: 2))
    let lease = try bench.mustLease()
    try bench.mustLease().release(.success)
    bench.pool.beginDrain(within: .seconds(10))
    #expect(bench.connector.openCount == 1, "idle resources close at once")
    #expect(bench.pool.isFinished == false)
    switch bench.pool.acquire(bench.request(), waiter: RecordingWaiter()) {
    case .rejected(let rejection): #expect(rejection.reason == .draining)
    case .granted: Issue.record("a draining pool takes nothing new")
    case .queued: Issue.record("a draining pool takes nothing new")
    }
    lease.release(.success)
    #expect(bench.connector.openCount == 0)
    #expect(bench.pool.isFinished)
  }

  @Test func aDrainRunsOutOfPatience() throws {
    let bench = try Bench()
    let lease = try bench.mustLease()
    bench.pool.beginDrain(within: .seconds(10))
    bench.advance(by: .milliseconds(9_999))
    #expect(lease.resource.closeReasons.isEmpty)
    bench.advance(by: .milliseconds(1))
    #expect(lease.resource.closeReasons == [.shutdown])
    lease.release(.success)
    #expect(bench.pool.isFinished)
  }

  @Test func aSecondDrainOnlyShortensTheFirst() throws {
    let bench = try Bench()
    let lease = try bench.mustLease()
    bench.pool.beginDrain(within: .seconds(10))
    bench.pool.beginDrain(within: .seconds(60))
    bench.advance(by: .seconds(3))
    bench.pool.beginDrain(within: .seconds(2))
    bench.advance(by: .seconds(2))
    #expect(lease.resource.closeReasons == [.shutdown])
    lease.release(.success)
  }

  /// Whoever ends a pool may end its event loops next, and a second end must not disturb them.
  @Test func aPoolThatIsOverAsksNothingOfItsLoops() throws {
    let loop = CountingLoop()
    let clock = VirtualClock(following: loop)
    do {
      let pool = try PoolDriver(
        settings: .test(min: 1), loops: [loop], clock: clock, seed: 1, connector: ScriptedConnector())
      loop.inner.run()
      #expect(pool.snapshot().numbers.idle == 1)
      #expect(loop.asked > 0)
      pool.beginDrain(within: .seconds(10))
      loop.inner.run()
      #expect(pool.isFinished)
      let asked = loop.asked
      pool.beginDrain(within: .seconds(10))
      pool.close()
      #expect(loop.asked == asked)
    }
    let asked = loop.asked
    loop.inner.advanceTime(by: .hours(1))
    #expect(loop.asked == asked, "nothing was left behind")
  }

  @Test func drainingWaitsForTheLastLease() async throws {
    let pool = try PoolDriver(
      settings: .unhurried(max: 2), loops: [MultiThreadedEventLoopGroup.singleton.any()], connector: ScriptedConnector()
    )
    let lease = try await pool.lease()
    async let result = pool.drain(within: .hours(1))
    #expect(await eventually { pool.snapshot().state == .draining })
    lease.release(.success)
    #expect(await result == .drained)
    #expect(await pool.drain(within: .hours(1)) == .drained, "a drained pool drains at once")
  }

  @Test func aCancelledDrainClosesByForceAndComesBack() async throws {
    let pool = try PoolDriver(
      settings: .unhurried(), loops: [MultiThreadedEventLoopGroup.singleton.any()], connector: ScriptedConnector())
    let lease = try await pool.lease()
    let drain = Task { await pool.drain(within: .hours(1)) }
    #expect(await eventually { pool.snapshot().state == .draining })
    drain.cancel()
    // The lease is still out, so the pool gives up on it a second later.
    #expect(await drain.value == .closedByForce)
    #expect(lease.resource.closeReasons == [.shutdown])
    lease.release(.success)
    #expect(pool.isFinished)
  }
}
