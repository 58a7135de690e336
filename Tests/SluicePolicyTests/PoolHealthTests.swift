import SluicePolicy
import Testing

@Suite struct PoolHealthTests {
  /// Fails an endpoint `times` times by pinned exchanges.
  private func fail(
    _ bench: inout PoolBench, _ endpoint: EndpointID, _ failure: FailureClass = .server, times: Int = 3
  ) throws {
    for _ in 0..<times { bench.fail(try bench.granted(pinned: endpoint), failure) }
  }

  @Test func failuresEjectAndAProbeBringsBack() throws {
    var bench = PoolBench(.sample(endpoints: 2))
    try bench.warm(2)
    let ids = bench.machine.layout.endpoints
    try fail(&bench, ids[0])
    #expect(bench.snapshot.endpoints[0].state == .unhealthy)
    for _ in 0..<20 {
      let grant = try bench.granted()
      #expect(grant.endpoint == ids[1])
      bench.release(grant)
    }
    _ = bench.take()
    bench.pass(.milliseconds(9999))
    #expect(bench.take().probes.isEmpty)
    bench.pass(.milliseconds(1001))
    #expect(bench.take().probes == [ids[0]])
    bench.event { $0.probeFinished(ids[0], .success(latency: .milliseconds(5)), now: $1, into: &$2) }
    #expect(bench.snapshot.endpoints[0].state == .unhealthy)
    bench.pass(.seconds(1))
    #expect(bench.take().probes == [ids[0]])
    bench.event { $0.probeFinished(ids[0], .success(latency: .milliseconds(5)), now: $1, into: &$2) }
    #expect(bench.snapshot.endpoints[0].state == .degraded)
    bench.pass(.seconds(30))
    #expect(bench.snapshot.endpoints[0].state == .healthy)
  }

  @Test func failedAndUnansweredProbesKeepItOut() throws {
    var bench = PoolBench(.sample(endpoints: 2))
    try bench.warm(1)
    let ids = bench.machine.layout.endpoints
    try fail(&bench, ids[0])
    bench.pass(.seconds(11))
    #expect(bench.take().probes == [ids[0]])
    bench.event { $0.probeFinished(ids[0], .failed(.server), now: $1, into: &$2) }
    // Late: the answer is known already.
    bench.event { $0.probeFinished(ids[0], .success(latency: .zero), now: $1, into: &$2) }
    #expect(bench.snapshot.counters.staleEvents == 1)
    bench.pass(.seconds(30))
    #expect(bench.take().probes == [ids[0]])
    bench.pass(.seconds(6))
    #expect(bench.snapshot.endpoints[0].state == .unhealthy)
    bench.event { $0.probeFinished(ids[0], .success(latency: .zero), now: $1, into: &$2) }
    #expect(bench.snapshot.counters.staleEvents == 2)
  }

  @Test func withoutAProbeTrafficDecides() throws {
    var bench = PoolBench(.sample(endpoints: 2))
    try bench.warm(1)
    let ids = bench.machine.layout.endpoints
    try fail(&bench, ids[0])
    bench.pass(.seconds(11))
    bench.event { $0.probeFinished(ids[0], .unavailable, now: $1, into: &$2) }
    #expect(bench.snapshot.endpoints[0].state == .degraded)
    bench.obey()
    bench.pass(.milliseconds(1))
    _ = try bench.queued(pinned: ids[0])
    let grant = try #require(bench.obey().grants.first)
    bench.fail(grant, .server)
    #expect(bench.snapshot.endpoints[0].state == .unhealthy)
  }

  @Test func atMostHalfIsEjectedAndTheLeastBadServes() throws {
    var bench = PoolBench(.sample(endpoints: 4))
    try bench.warm(1)
    let ids = bench.machine.layout.endpoints
    for id in ids { try fail(&bench, id) }
    let states = bench.snapshot.endpoints.map(\.state)
    #expect(states == [.unhealthy, .unhealthy, .degraded, .degraded])
    #expect(bench.take().events.contains(.panic(true)))
    let grant = try bench.granted()
    #expect(grant.endpoint == ids[2] || grant.endpoint == ids[3])
    #expect(bench.snapshot.panic && bench.take().events.isEmpty)
    // The others are not allowed: even an ejected one is better than nothing.
    var excluded = EndpointSet(ids[2])
    excluded.insert(ids[3])
    bench.release(grant)
    #expect(try bench.granted(excluding: excluded).endpoint != ids[2])
  }

  @Test func aPoolOfOneIsNeverEjected() throws {
    var bench = PoolBench()
    try bench.warm(1)
    for _ in 0..<10 { bench.fail(try bench.granted(), .server) }
    #expect(bench.snapshot.endpoints[0].state == .degraded && bench.snapshot.counters.ejections == 0)
    for _ in 0..<2 { bench.release(try bench.granted()) }
    #expect(bench.snapshot.endpoints[0].consecutiveFailures == 0)
    bench.release(try bench.granted())
    #expect(!bench.snapshot.panic)
  }

  @Test(arguments: [FailureClass.caller, .contentPolicy, .contextLength, .cancelled, .rateLimited])
  func whatIsNotItsFaultDoesNotEject(failure: FailureClass) throws {
    var bench = PoolBench(.sample(endpoints: 2))
    try bench.warm(1)
    let ids = bench.machine.layout.endpoints
    for _ in 0..<5 {
      guard case .granted(let grant) = bench.acquire(pinned: ids[0]) else { continue }
      bench.fail(grant, failure)
    }
    #expect(bench.snapshot.counters.ejections == 0)
    #expect(bench.snapshot.endpoints[0].consecutiveFailures == 0)
  }

  @Test func backupsServeOnlyWhenNoPrimaryCan() throws {
    var bench = PoolBench(.sample(endpoints: 2) { $0.endpoints[1].role = .backup })
    try bench.warm(3)
    let ids = bench.machine.layout.endpoints
    for _ in 0..<10 {
      let grant = try bench.granted()
      #expect(grant.endpoint == ids[0])
      bench.release(grant)
    }
    try fail(&bench, ids[0])
    #expect(try bench.granted().endpoint == ids[1])
  }

  @Test func aSaturatedPrimaryIsNotAReasonForTheBackup() throws {
    var bench = PoolBench(
      .sample(endpoints: 2) {
        $0.endpoints[0].maxConcurrent = 1
        $0.endpoints[1].role = .backup
      })
    try bench.warm(1)
    _ = try bench.granted()
    _ = try bench.queued()
  }

  @Test func aRateLimitCoolsForExactlyTheTimeGiven() throws {
    var bench = PoolBench(.sample(endpoints: 2))
    try bench.warm(2)
    let ids = bench.machine.layout.endpoints
    bench.fail(try bench.granted(pinned: ids[0]), .rateLimited, coolFor: .milliseconds(700))
    #expect(bench.snapshot.endpoints[0].state == .cooling)
    for _ in 0..<10 {
      let grant = try bench.granted()
      #expect(grant.endpoint == ids[1])
      bench.release(grant)
    }
    bench.now = bench.now + .milliseconds(699)
    _ = try bench.queued(within: .seconds(5), pinned: ids[0])
    // No timer has fired, but the time is up.
    bench.now = bench.now + .milliseconds(1)
    let grant = try bench.granted()
    #expect(bench.take().grants.count + 1 == 2 && bench.snapshot.endpoints[0].state == .healthy)
    bench.release(grant)
  }

  /// What took the two endpoints out, and what a caller hears who cannot wait for either.
  @Test(
    arguments: [
      (FailureClass.rateLimited, FailureClass.rateLimited, RejectionReason.limited, Interval?.some(.seconds(10))),
      (.rateLimited, .overloaded, .noEndpoint, .seconds(10)), (.overloaded, .overloaded, .noEndpoint, .seconds(10)),
      (.rateLimited, .credential, .limited, .seconds(10)), (.rateLimited, .quota, .limited, .seconds(10)),
      (.overloaded, .quota, .noEndpoint, .seconds(10)), (.quota, .quota, .limited, nil),
      (.quota, .credential, .credential, nil), (.credential, .credential, .credential, nil),
    ])
  func limitsAreToldFromOtherTrouble(
    _ first: FailureClass, _ second: FailureClass, _ reason: RejectionReason, _ wait: Interval?
  ) throws {
    var bench = PoolBench(.sample(endpoints: 2))
    try bench.warm(2)
    let lent = [try bench.granted(), try bench.granted()]
    #expect(lent[0].endpoint != lent[1].endpoint)
    for (grant, failure) in zip(lent, [first, second]) {
      bench.fail(grant, failure, coolFor: grant.endpoint == lent[0].endpoint ? .seconds(10) : .seconds(20))
    }
    guard case .rejected(let refused) = bench.acquire(within: .seconds(2)) else {
      throw BenchError.unexpected("should be refused")
    }
    #expect(refused.reason == reason && refused.retryAfter == wait)
  }

  @Test func aLaterCoolDownForAnotherReasonIsNoLimit() throws {
    var bench = PoolBench()
    try bench.warm(2)
    let lent = [try bench.granted(), try bench.granted()]
    bench.fail(lent[0], .rateLimited, coolFor: .seconds(10))
    bench.fail(lent[1], .overloaded, coolFor: .seconds(20))
    guard case .rejected(let refused) = bench.acquire(within: .seconds(2)) else {
      throw BenchError.unexpected("should be refused")
    }
    #expect(refused.reason == .noEndpoint && refused.retryAfter == .seconds(20))
  }

  @Test func whoCannotWaitForCoolingIsToldWhen() throws {
    var bench = PoolBench()
    try bench.warm(1)
    let lent = try bench.granted()
    let patient = try bench.queued(within: .seconds(20))
    let hasty = try bench.queued(within: .seconds(5))
    bench.fail(lent, .rateLimited, coolFor: .seconds(10))
    let actions = bench.take()
    #expect(actions.rejectedTickets == [hasty])
    #expect(actions.rejections[0].reason == .limited && actions.rejections[0].retryAfter == .seconds(10))
    guard case .rejected(let refused) = bench.acquire(within: .seconds(2)) else {
      throw BenchError.unexpected("should be refused")
    }
    #expect(refused.retryAfter == .seconds(10))
    bench.pass(.seconds(10))
    #expect(bench.obey().grantedTickets == [patient])
  }

  @Test func withoutAHintCoolingDoubles() throws {
    var bench = PoolBench()
    try bench.warm(1)
    var lengths: [Interval] = []
    for _ in 0..<4 {
      let grant: Grant
      switch bench.acquire() {
      case .granted(let now): grant = now
      default: grant = try #require(bench.obey().grants.first)
      }
      bench.fail(grant, .rateLimited)
      lengths.append(try #require(bench.snapshot.endpoints[0].outUntil) - bench.now)
      bench.pass(lengths[lengths.count - 1])
    }
    #expect(lengths == [1, 2, 4, 8].map { Interval.seconds($0) })
  }

  @Test func aModelsOwnLimitLeavesTheEndpointAlone() throws {
    var bench = PoolBench()
    try bench.warm(1)
    for failure in [FailureClass.rateLimited, .credential, .quota] {
      let grant = try bench.granted()
      bench.release(
        grant, ExchangeReport(result: .failed(failure), scope: .model, coolFor: .seconds(30)))
    }
    #expect(bench.snapshot.endpoints[0].state == .healthy)
  }

  @Test func aRejectedCredentialIsOutUntilReset() throws {
    var bench = PoolBench(.sample(endpoints: 2))
    try bench.warm(2)
    let ids = bench.machine.layout.endpoints
    #expect(bench.snapshot.endpoints[0].rejectedSince == nil)
    bench.fail(try bench.granted(pinned: ids[0]), .credential)
    let since = bench.now
    bench.now = bench.now + .milliseconds(1)
    #expect(bench.snapshot.endpoints[0].state == .rejected)
    #expect(bench.snapshot.endpoints[0].rejectedSince == since)
    bench.fail(try bench.granted(), .quota)
    guard case .rejected(let refused) = bench.acquire() else { throw BenchError.unexpected("should be refused") }
    #expect(refused.reason == .credential && refused.cause == .credential)
    bench.event { $0.resetEndpoint(ids[1], now: $1, into: &$2) }
    #expect(try bench.granted().endpoint == ids[1])
    let settings = PoolSettings.sample(endpoints: 2)
    bench.event { _ = $0.reconfigure(settings, now: $1, into: &$2) }
    #expect(bench.snapshot.endpoints[0].state == .healthy && bench.snapshot.endpoints[0].rejectedSince == nil)
  }

  @Test func idleEndpointsAreProbedOnlyOnceUsed() throws {
    var bench = PoolBench(
      .sample(endpoints: 2) {
        $0.health.probeIdle = true
        $0.connections.keepWarm = .minutes(10)
      })
    bench.pass(.minutes(5))
    #expect(bench.take().isEmpty)
    let ids = bench.machine.layout.endpoints
    _ = try bench.queued(pinned: ids[1])
    for grant in bench.obey().grants { bench.release(grant) }
    let probes = bench.live(.minutes(30)).probes
    #expect(Set(probes) == [ids[1]])
    #expect(probes.count >= 18 && probes.count <= 21)
  }
}
