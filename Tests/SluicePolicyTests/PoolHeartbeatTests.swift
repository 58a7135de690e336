import SluicePolicy
import Testing

@Suite struct PoolHeartbeatTests {
  /// Kept warm for an hour; heartbeats every five minutes; nothing else happens by itself.
  private func settings(
    origins: Int = 1, endpoints: Int = 1, _ change: (inout PoolSettings) -> Void = { _ in }
  ) -> PoolSettings {
    .sample(origins: origins, endpoints: endpoints) {
      $0.connections.keepWarm = .hours(1)
      $0.connections.maxAge = .max
      $0.connections.warmVerifyInterval = .hours(10)
      change(&$0)
    }
  }

  private let well = HeartbeatReport(.success(latency: .milliseconds(1)), carried: true)

  @Test func aWarmPathBeatsWhileNobodyUsesIt() throws {
    var bench = PoolBench(settings())
    try bench.warm(1)
    #expect(bench.live(.seconds(299)).heartbeats.isEmpty)
    #expect(bench.live(.seconds(2)).heartbeats.count == 1)
    #expect(bench.live(.minutes(30)).heartbeats.count == 6)
    let snapshot = bench.snapshot
    #expect(snapshot.endpoints[0].heartbeats == 7 && snapshot.endpoints[0].heartbeatsFailed == 0)
    #expect(snapshot.counters.heartbeats == 7)
    #expect(snapshot.origins[0].heartbeatInterval == .seconds(300))
  }

  @Test func nothingBeatsBeforeTheFirstUseUnlessAMinimumIsKept() {
    var lazy = PoolBench(settings())
    #expect(lazy.live(.hours(2)).heartbeats.isEmpty)
    #expect(lazy.snapshot.origins[0].heartbeatInterval == nil)
    var kept = PoolBench(settings { $0.connections.min = 1 })
    #expect(kept.live(.hours(1)).heartbeats.count >= 11)
  }

  @Test func itEndsWithTheTimeToKeepWarm() throws {
    var bench = PoolBench(settings())
    try bench.warm(1)
    bench.live(.minutes(59))
    #expect(bench.live(.hours(3)).heartbeats.count <= 1)
    #expect(bench.snapshot.origins[0].heartbeatInterval == nil)
    try bench.warm(1)
    #expect(bench.live(.seconds(301)).heartbeats.count == 1, "it begins again with the next use")
  }

  @Test func trafficProvesThePath() throws {
    var bench = PoolBench(settings())
    for _ in 0..<20 {
      try bench.warm(1)
      #expect(bench.live(.minutes(2)).heartbeats.isEmpty)
    }
    let grant = try take(&bench)
    #expect(bench.live(.minutes(20)).heartbeats.isEmpty, "something is lent all the time")
    bench.release(grant)
    #expect(bench.live(.seconds(299)).heartbeats.isEmpty)
    #expect(bench.live(.seconds(2)).heartbeats.count == 1)
  }

  private func take(_ bench: inout PoolBench) throws -> Grant {
    switch bench.acquire() {
    case .granted(let grant): return grant
    case .queued: return try #require(bench.obey().grants.first)
    case .rejected(let rejection): throw BenchError.unexpected("\(rejection)")
    }
  }

  @Test func itTravelsOnTheResourceThatIsLentNext() throws {
    var bench = PoolBench(settings { $0.connections.idleTimeout = .max }, loops: 1)
    try bench.warm(3)
    let hottest = try take(&bench)
    bench.release(hottest)
    let beat = bench.live(.milliseconds(300_500)).heartbeats
    #expect(beat == [hottest.resource])
    #expect(try take(&bench).resource == hottest.resource, "what has just answered is lent without a doubt")
  }

  /// What lies idle on the caller's own loop has been silent since its last use, and may be forgotten by now.
  @Test(arguments: [HeartbeatSettings.Pace.every(.seconds(20)), .off])
  func aColdOneAtHomeIsNotPreferredToAKeptOneElsewhere(_ pace: HeartbeatSettings.Pace) throws {
    var bench = PoolBench(
      settings {
        $0.heartbeat.pace = pace
        $0.connections.max = 2
      })
    let first = try take(&bench)
    _ = try bench.queued(loop: 1)
    let second = try #require(bench.obey().grants.first)
    #expect(first.loop == LoopID(0) && second.loop == LoopID(1))
    bench.release(second)
    bench.live(.seconds(1))
    bench.release(first)
    #expect(bench.live(.seconds(65)).heartbeats.allSatisfy { $0 == first.resource })
    _ = try bench.queued(loop: 1)
    let wanted = pace == .off ? second.resource : first.resource
    #expect(bench.take().verifies == [wanted])
  }

  @Test func oneAtATimeAndNotLentMeanwhile() throws {
    var bench = PoolBench(settings())
    try bench.warm(1)
    bench.pass(.seconds(300))
    let beating = try #require(bench.take().heartbeats.first)
    bench.pass(.seconds(5))
    #expect(bench.take().heartbeats.isEmpty)
    let ticket = try bench.queued()
    let opening = bench.take().connects
    #expect(opening.count == 1, "nobody waits for an answer that may not come")
    bench.heartbeat(beating, well)
    #expect(bench.take().grantedTickets == [ticket], "but whoever waits gets what came first")
  }

  @Test func aDeadPathIsReplacedAndLearnedFrom() throws {
    var bench = PoolBench(settings())
    try bench.warm(1)
    bench.pass(.seconds(300))
    let dead = try #require(bench.take().heartbeats.first)
    bench.heartbeat(dead, .dead)
    let seen = bench.obey()
    #expect(seen.closes == [dead] && seen.connects.count == 1)
    let origin = bench.snapshot.origins[0]
    #expect(origin.heartbeatInterval == .seconds(150))
    #expect(seen.events.contains(.pathDied(origin.id, after: .seconds(300))))
    #expect(seen.events.contains(.heartbeatFailing(bench.snapshot.endpoints[0].id, .network)))
    #expect(bench.snapshot.endpoints[0].heartbeatProblem?.failure == .network)
    #expect(bench.snapshot.endpoints[0].consecutiveFailures == 0, "no fault of the endpoint's")
    // After a failure it is tried again soon, and all is well.
    let after = bench.live(.seconds(6))
    #expect(after.heartbeats.count == 1)
    #expect(after.events.contains(.heartbeatRecovered(bench.snapshot.endpoints[0].id)))
    #expect(bench.snapshot.endpoints[0].heartbeatProblem == nil)
  }

  @Test func aResourceThatGoesInTheMiddleOfItHasFailed() throws {
    var bench = PoolBench(settings())
    try bench.warm(1)
    bench.pass(.seconds(300))
    let gone = try #require(bench.take().heartbeats.first)
    bench.closed(gone)
    bench.heartbeat(gone, .dead)
    #expect(bench.snapshot.counters.heartbeatsFailed == 1, "told twice, counted once")
    #expect(bench.snapshot.counters.staleEvents == 1)
    #expect(bench.obey().connects.count == 1)
  }

  @Test func withoutAnAnswerTheResourceIsGivenUp() throws {
    var bench = PoolBench(settings())
    try bench.warm(1)
    bench.pass(.seconds(300))
    let silent = try #require(bench.take().heartbeats.first)
    bench.pass(.milliseconds(5999))
    #expect(bench.take().closes.isEmpty)
    bench.pass(.milliseconds(1))
    #expect(bench.take().closes == [silent])
    #expect(bench.snapshot.endpoints[0].heartbeatProblem?.failure == .timeout)
    #expect(bench.snapshot.origins[0].heartbeatInterval == .seconds(300), "slow is not dead")
  }

  @Test func aRejectedCredentialIsMarked() throws {
    var bench = PoolBench(settings(endpoints: 2))
    try bench.warm(2)
    bench.pass(.seconds(301))
    let asked = bench.take()
    let resource = try #require(asked.heartbeats.first)
    let endpoint = try #require(asked.witnesses.first)
    bench.heartbeat(resource, HeartbeatReport(.failed(.credential), carried: true))
    #expect(bench.take().events.contains(.credentialRejected(endpoint, .credential)))
    let states = bench.snapshot.endpoints.filter { $0.id == endpoint }.map(\.state)
    #expect(states == [.rejected])
    #expect(bench.snapshot.slots.idle == 1, "the path is as good as before")
  }

  @Test func credentialsTakeTurns() throws {
    var bench = PoolBench(settings(endpoints: 3))
    try bench.warm(1)
    for endpoint in bench.snapshot.endpoints { bench.release(try bench.granted(pinned: endpoint.id)) }
    let witnesses = bench.live(.minutes(31)).witnesses
    #expect(witnesses.count == 6 && Set(witnesses.prefix(3)).count == 3)
    #expect(Array(witnesses.prefix(3)) == Array(witnesses.suffix(3)))
  }

  @Test func anEndpointThatIsOutIsNotCalledButItsPathIsKept() throws {
    var bench = PoolBench(settings())
    try bench.warm(1)
    bench.fail(try take(&bench), .rateLimited, coolFor: .minutes(20))
    #expect(Set(bench.live(.minutes(19)).scopes) == [.path])
    #expect(bench.live(.minutes(15)).scopes.last == .proof)
  }

  @Test func whatWasProvenLatelyNeedsNoProofElsewhere() throws {
    var bench = PoolBench(
      settings {
        $0.health.probeIdle = true
        $0.health.interval = .seconds(30)
      })
    try bench.warm(1)
    #expect(Set(bench.live(.minutes(20)).scopes) == [.call], "probes prove the credential more often")
  }

  @Test func nothingBeatsWhilePausedOrDraining() throws {
    var bench = PoolBench(settings(origins: 2))
    try bench.warm(2)
    bench.event { $0.pause(now: $1, into: &$2) }
    #expect(bench.live(.minutes(30)).heartbeats.isEmpty)
    bench.event { $0.resume(now: $1, into: &$2) }
    #expect(bench.live(.seconds(31)).heartbeats.count == 2, "soon after the pause")
    try bench.warm(2)
    bench.event { $0.drain(now: $1, into: &$2) }
    #expect(bench.live(.minutes(30)).heartbeats.isEmpty && bench.machine.isDrained)
  }

  @Test func aDrainDoesNotWaitForAHeartbeat() throws {
    var bench = PoolBench(settings())
    try bench.warm(1)
    bench.pass(.seconds(300))
    let beating = try #require(bench.take().heartbeats.first)
    bench.event { $0.drain(now: $1, into: &$2) }
    #expect(bench.take().closes == [beating])
    bench.heartbeat(beating, well)
    bench.closed(beating)
    #expect(bench.machine.isDrained)
  }

  /// A machine that was stopped for an hour does not make up for everything in the moment it wakes.
  @Test func noStormAfterAPauseOfTheHost() throws {
    var bench = PoolBench(settings(origins: 20) { $0.connections.keepWarm = .hours(10) })
    for _ in 0..<4 { try bench.warm(20) }
    let kept = bench.snapshot.origins.count { $0.heartbeatInterval != nil }
    bench.now = bench.now + .hours(1)
    bench.event { $0.deadlineReached(now: $1, into: &$2) }
    #expect(bench.obey().heartbeats.isEmpty)
    var most = 0
    var sum = 0
    #expect(kept >= 10)
    for _ in 0..<40 {
      let count = bench.live(.seconds(1)).heartbeats.count
      most = max(most, count)
      sum += count
    }
    #expect(sum == kept && most <= 6, "\(sum) of \(kept), \(most) in one second")
  }

  @Test func theRemoteSidesIdleLimitIsStayedBelow() throws {
    var bench = PoolBench(settings())
    try bench.warm(1)
    let grant = try take(&bench)
    bench.event { $0.idleLimitAnnounced(grant.resource, .seconds(60), now: $1, into: &$2) }
    bench.release(grant)
    let seen = bench.live(.minutes(15))
    #expect(seen.closeReasons.isEmpty, "it never comes near its limit")
    #expect(seen.heartbeats.count >= 18 && Set(seen.heartbeats) == [grant.resource])
  }

  /// Where a heartbeat carries nothing (no free call), the remote side's idle time goes on.
  @Test func aPathWithoutACallStillRetires() throws {
    var bench = PoolBench(settings())
    try bench.warm(1)
    let grant = try take(&bench)
    bench.event { $0.idleLimitAnnounced(grant.resource, .seconds(60), now: $1, into: &$2) }
    bench.release(grant)
    bench.pass(.seconds(46))
    bench.heartbeat(try #require(bench.take().heartbeats.first), .alive)
    bench.pass(.seconds(9))
    #expect(bench.take().closeReasons.contains(.idleLimit))
  }

  @Test func aDeadOneFoundByVerificationTeachesToo() throws {
    var bench = PoolBench(settings { $0.connections.warmVerifyInterval = .seconds(30) })
    try bench.warm(1)
    bench.pass(.seconds(30))
    bench.verified(try #require(bench.take().verifies.first), alive: false)
    #expect(bench.snapshot.origins[0].heartbeatInterval == .seconds(15))
  }

  @Test func soDoesACallThatMeetsNobody() throws {
    let broken = ExchangeReport(result: .failed(.network), fate: .close(.broken))
    var bench = PoolBench(settings())
    try bench.warm(1)
    bench.live(.seconds(100))
    bench.release(try take(&bench), broken)
    #expect(bench.snapshot.origins[0].heartbeatInterval == .seconds(50))
    var jumped = PoolBench(settings())
    try jumped.warm(1)
    jumped.live(.seconds(100))
    jumped.event { $0.clockJumped(by: .hours(8), now: $1, into: &$2) }
    jumped.obey()
    jumped.release(try take(&jumped), broken)
    #expect(jumped.snapshot.origins[0].heartbeatInterval == .seconds(300), "the host slept, not the path")
  }

  @Test func otherSettingsApplyAtOnce() throws {
    var bench = PoolBench(settings())
    try bench.warm(1)
    bench.live(.seconds(60))
    var changed = settings()
    changed.heartbeat.pace = .every(.seconds(20))
    bench.event { _ = $0.reconfigure(changed, now: $1, into: &$2) }
    #expect(bench.live(.seconds(61)).heartbeats.count >= 3)
    changed.heartbeat.pace = .off
    bench.event { _ = $0.reconfigure(changed, now: $1, into: &$2) }
    #expect(bench.live(.minutes(30)).heartbeats.isEmpty)
    #expect(bench.snapshot.origins[0].heartbeatInterval == nil)
    changed.heartbeat.pace = .auto
    bench.event { _ = $0.reconfigure(changed, now: $1, into: &$2) }
    #expect(bench.live(.minutes(10)).heartbeats.count >= 1)
  }

  @Test func withoutKeepingWarmThereAreNone() throws {
    var bench = PoolBench(settings { $0.connections.keepWarm = .zero })
    try bench.warm(1)
    #expect(bench.live(.hours(1)).heartbeats.isEmpty)
  }
}
