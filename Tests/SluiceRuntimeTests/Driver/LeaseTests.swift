import NIOCore
import NIOEmbedded
import SluicePolicy
import SluiceRuntime
import SluiceTesting
import Testing

@Suite struct LeaseTests {
  @Test func aResourceIsOpenedOnDemandAndReused() throws {
    let bench = try Bench()
    #expect(bench.connector.requests.isEmpty, "nothing is opened before it is needed")
    let first = try bench.mustLease()
    #expect(first.grant.reused == false)
    let resource = first.resource
    first.release(.success)
    let second = try bench.mustLease()
    #expect(second.resource === resource)
    #expect(second.grant.reused)
    second.release(.success)
    #expect(bench.connector.requests.count == 1)
    #expect(bench.pool.snapshot().counters.released == 2)
  }

  @Test func theConnectRequestNamesOriginLoopAndDeadline() throws {
    let bench = try Bench(.test(origin: "https://example.test"))
    let lease = try bench.mustLease()
    let request = lease.resource.request
    #expect(request.originIdentity == "https://example.test")
    #expect(request.origin == bench.pool.layout.origins[0])
    #expect(request.eventLoop === bench.loop)
    #expect(request.timeRemaining == .seconds(5))
    lease.release(.success)
  }

  @Test func aForgottenLeaseGoesBackIsCountedAndItsResourceIsClosed() throws {
    let bench = try Bench()
    do {
      let lease = try bench.mustLease()
      #expect(lease.grant.endpoint == bench.pool.layout.endpoints[0])
    }
    #expect(bench.pool.counters.leakedLeases == 1)
    #expect(bench.connector.resources[0].closeReasons == [.broken])
    let next = try bench.mustLease()
    #expect(next.resource.number == 1, "its slot can be lent again, with another resource")
    next.release(.success)
    #expect(bench.pool.counters.leakedLeases == 1)
  }

  @Test func aDestroyedLeaseClosesItsResource() throws {
    let bench = try Bench()
    let lease = try bench.mustLease()
    let resource = lease.resource
    lease.destroy(.success)
    #expect(resource.closeReasons == [.broken])
    #expect(bench.pool.counters.leakedLeases == 0)
  }

  @Test func destroyingKeepsTheReasonThatTheReportGives() throws {
    let bench = try Bench()
    let lease = try bench.mustLease()
    let resource = lease.resource
    lease.destroy(ExchangeReport(result: .failed(.protocolError), fate: .close(.protocolError)))
    #expect(resource.closeReasons == [.protocolError])
  }

  @Test func aLeaseGivenBackAfterAForcedCloseIsHarmless() throws {
    let bench = try Bench()
    let lease = try bench.mustLease()
    let resource = lease.resource
    bench.pool.close()
    #expect(resource.closeReasons == [.shutdown])
    lease.release(.success)
    #expect(bench.pool.isFinished)
  }

  @Test func aSecondReturnThroughAHandleIsIgnoredAndCounted() throws {
    let bench = try Bench(.test(max: 2))
    let lease = try bench.mustLease()
    let grant = lease.grant
    lease.release(.success)
    bench.pool.core.release(grant, .success, direct: nil)
    #expect(bench.pool.counters.staleReturns == 1)
    #expect(bench.pool.snapshot().counters.released == 1)
    // Nobody else's lease may end by it either.
    let next = try bench.mustLease()
    bench.pool.core.release(grant, .success, direct: nil)
    #expect(bench.pool.snapshot().numbers.leased == 1)
    next.release(.success)
  }

  @Test func aPoolThatIsLetGoOfCloses() throws {
    let loop = EmbeddedEventLoop()
    let connector = ScriptedConnector()
    let clock = VirtualClock(following: loop)
    var pool: PoolDriver<ScriptedResource>? = try PoolDriver(
      settings: .test(min: 1), loops: [loop], clock: clock, seed: 1, connector: connector)
    #expect(pool?.snapshot().numbers.idle == 1)
    pool = nil
    #expect(connector.resources[0].closeReasons == [.shutdown])
  }

  @Test func settingsThatContradictThemselvesAreRefused() {
    var settings = PoolSettings.test()
    settings.endpoints = []
    #expect(throws: PoolSettingsError.self) {
      _ = try Bench(settings)
    }
  }
}
