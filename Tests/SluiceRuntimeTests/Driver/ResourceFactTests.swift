import NIOCore
import NIOEmbedded
import SluicePolicy
import SluiceRuntime
import SluiceTesting
import Testing

/// What connectors and resources report: early, late, twice, never.
@Suite struct ResourceFactTests {
  typealias Waiter = RecordingWaiter<ScriptedResource>

  @Test func aConnectThatAnswersTwiceLeavesNothingBehind() throws {
    let bench = try Bench(script: [.succeedTwice])
    let lease = try bench.mustLease()
    #expect(lease.resource.number == 0)
    #expect(bench.connector.resources[1].closeReasons == [.cancelled])
    #expect(bench.pool.counters.unwantedResources == 1)
    lease.release(.success)
    // The second one's end was reported under the handle of both.
    #expect(bench.connector.openCount == bench.pool.snapshot().slots.total)
    try bench.mustLease().release(.success)
    #expect(bench.connector.openCount == bench.pool.snapshot().slots.total)
  }

  @Test func aConnectThatIsAnsweredAfterThePoolGaveUpIsClosed() throws {
    let bench = try Bench(script: [.hang], otherwise: .fail(.network))
    let waiter = Waiter()
    #expect(bench.wait(waiter, within: .minutes(1)) != nil)
    // Past the connect timeout, its grace, and the grace for closing what never opened.
    bench.advance(by: .seconds(30))
    bench.connector.answer(0)
    bench.loop.run()
    #expect(bench.connector.resources[0].isClosed)
    #expect(bench.connector.openCount == 0)
  }

  @Test func aConnectThatIsAnsweredDuringItsCloseConfirmsIt() throws {
    let bench = try Bench(script: [.hang])
    let waiter = Waiter()
    #expect(bench.wait(waiter) != nil)
    bench.pool.close()
    #expect(bench.pool.isFinished == false, "the connect is still under way")
    bench.connector.answer(0)
    #expect(bench.connector.resources[0].isClosed)
    #expect(bench.pool.isFinished)
  }

  @Test func aFailedConnectAfterASuccessIsIgnored() throws {
    let bench = try Bench()
    let lease = try bench.mustLease()
    bench.connector.answer(0, with: .failure(PoolConnectError(.network, label: "late")))
    #expect(bench.pool.snapshot().counters.connectsFailed == 0)
    lease.release(.success)
    #expect(bench.pool.snapshot().numbers.idle == 1)
  }

  @Test func aResourceThatDiesIdleIsReplacedOnDemand() throws {
    let bench = try Bench()
    try bench.mustLease().release(.success)
    bench.advance(by: .seconds(3))
    bench.connector.resources[0].die(idleFor: .seconds(3))
    bench.connector.resources[0].die(idleFor: .seconds(3))
    let lease = try bench.mustLease()
    #expect(lease.resource.number == 1)
    #expect(lease.grant.reused == false)
    lease.release(.success)
  }

  @Test func aResourceThatDiesWhileLentIsNotLentAgain() throws {
    let bench = try Bench()
    let lease = try bench.mustLease()
    lease.resource.die()
    lease.release(.success)
    let next = try bench.mustLease()
    #expect(next.resource.number == 1)
    next.release(.success)
  }

  @Test func capacityIsFollowed() throws {
    let bench = try Bench(script: [.succeed(capacity: 2)])
    let first = try bench.mustLease()
    let second = try bench.mustLease()
    #expect(first.resource === second.resource)
    let waiter = Waiter()
    #expect(bench.wait(waiter) != nil)
    first.resource.changeCapacity(to: 3)
    #expect(waiter.grants == 1)
    first.resource.changeCapacity(to: 1)
    first.release(.success)
    second.release(.success)
    let late = Waiter()
    #expect(bench.wait(late) != nil, "one exchange still runs and there is room for one")
    waiter.take()?.release(.success)
    #expect(late.grants == 1)
    late.take()?.release(.success)
  }

  @Test func aDrainingResourceFinishesAndIsReplaced() throws {
    let bench = try Bench(.test(max: 2))
    let lease = try bench.mustLease()
    lease.resource.startDraining()
    let other = try bench.mustLease()
    #expect(other.resource.number == 1)
    let draining = lease.resource
    #expect(draining.isClosed == false)
    lease.release(.success)
    #expect(draining.closeReasons == [.drained])
    other.release(.success)
  }

  @Test func anIdleResourceIsVerifiedBeforeItIsLent() throws {
    var settings = PoolSettings.test()
    settings.connections.verifyAfter = .seconds(1)
    let bench = try Bench(settings)
    try bench.mustLease().release(.success)
    bench.advance(by: .seconds(2))
    let lease = try bench.mustLease()
    #expect(lease.resource.number == 0)
    #expect(lease.resource.verifications == 1)
    lease.release(.success)
    bench.advance(by: .seconds(2))
    bench.connector.resources[0].verification = .dead
    let next = try bench.mustLease()
    #expect(next.resource.number == 1)
    #expect(bench.connector.resources[0].closeReasons == [.verification])
    next.release(.success)
  }

  @Test func aVerificationWithoutAnAnswerEndsByItsDeadline() throws {
    var settings = PoolSettings.test()
    settings.connections.verifyAfter = .seconds(1)
    let bench = try Bench(settings)
    try bench.mustLease().release(.success)
    bench.advance(by: .seconds(2))
    bench.connector.resources[0].verification = .hang
    let waiter = Waiter()
    #expect(bench.wait(waiter) != nil)
    bench.advance(by: .seconds(3))
    let lease = try waiter.mustTake()
    #expect(lease.resource.number == 1)
    lease.release(.success)
  }

  @Test func aResourceThatNeverConfirmsItsEndIsForgotten() throws {
    let bench = try Bench()
    let lease = try bench.mustLease()
    lease.resource.confirmsClose = false
    lease.destroy(.success)
    let waiter = Waiter()
    #expect(bench.wait(waiter, within: .minutes(1)) != nil, "its place is still taken")
    bench.advance(by: .seconds(11))
    #expect(waiter.grants == 1)
    waiter.take()?.release(.success)
  }

  @Test func resourcesAreNotKeptAfterTheyClosed() throws {
    let bench = try Bench()
    let connector = NotKeepingConnector()
    var settings = PoolSettings.test()
    settings.connections.keepWarm = .zero
    let pool = try PoolDriver(
      settings: settings, loops: [bench.loop], clock: bench.clock, seed: 1, connector: connector)
    let waiter = RecordingWaiter<ScriptedResource>()
    #expect(
      {
        if case .queued = pool.acquire(bench.request(), waiter: waiter) { true } else { false }
      }())
    bench.loop.run()
    #expect(connector.lives)
    waiter.take()?.destroy(.success)
    #expect(connector.lives == false)
    pool.close()
  }

  /// Remembers its resource weakly. Confined to the test's thread.
  private final class NotKeepingConnector: ResourceConnector, @unchecked Sendable {
    private weak var resource: ScriptedResource?
    var lives: Bool { resource != nil }

    func connect(
      _ request: ConnectRequest,
      _ done: @escaping @Sendable (Result<Connected<ScriptedResource>, PoolConnectError>) -> Void
    ) {
      let resource = ScriptedResource(number: 0, request: request)
      self.resource = resource
      done(.success(Connected(resource: resource)))
    }
  }
}
