import SluicePolicy
import Testing

@Suite struct PoolUpkeepTests {
  @Test func unusedForTooLongIsVerifiedBeforeUse() throws {
    var bench = PoolBench(.sample(max: 1))
    try bench.warm(1)
    bench.pass(.milliseconds(1001))
    _ = bench.take()
    let ticket = try bench.queued()
    let resource = try #require(bench.take().verifies.first)
    bench.verified(resource, alive: true)
    #expect(bench.take().grantedTickets == [ticket])
  }

  @Test func aDeadOneIsReplacedWithoutTheCallerNoticing() throws {
    var bench = PoolBench(.sample(max: 1))
    try bench.warm(1)
    bench.pass(.seconds(2))
    let ticket = try bench.queued()
    let resource = try #require(bench.take().verifies.first)
    bench.verified(resource, alive: false)
    let closed = bench.take()
    #expect(closed.closes == [resource] && closed.closeReasons == [.verification])
    bench.closed(resource)
    #expect(bench.obey().grantedTickets == [ticket])
  }

  @Test func aVerificationWithoutAnswerMeansDead() throws {
    var bench = PoolBench(.sample(max: 2))
    try bench.warm(1)
    bench.pass(.seconds(2))
    let ticket = try bench.queued()
    let resource = try #require(bench.take().verifies.first)
    bench.pass(.milliseconds(500))
    #expect(bench.take().closes == [resource])
    bench.verified(resource, alive: true)
    #expect(bench.take().grants.isEmpty)
    bench.pass(.zero)
    #expect(bench.snapshot.counters.staleEvents == 1)
    _ = bench.machine.cancel(ticket, now: bench.now, into: &bench.actions)
  }

  @Test func idleOnesAreClosedDownToTheMinimum() throws {
    var bench = PoolBench(.sample(max: 6) { $0.connections.min = 1 })
    bench.obey()
    try bench.warm(5)
    #expect(bench.snapshot.slots.idle >= 5)
    let closed = bench.live(.seconds(400)).closeReasons
    #expect(bench.snapshot.slots.total == 1)
    #expect(!closed.isEmpty && closed.allSatisfy { $0 == .idle })
  }

  @Test func oneIsKeptWarmAndVerifiedAfterUse() throws {
    var bench = PoolBench(
      .sample {
        $0.connections.keepWarm = .hours(1)
        $0.connections.maxAge = .max
      })
    try bench.warm(3)
    let seen = bench.live(.minutes(59))
    let verified = seen.verifies.count + seen.heartbeats.count
    #expect(bench.snapshot.slots.total == 1)
    // Every 30 s, from the moment it is the only one left; a heartbeat stands for a verification.
    #expect(verified >= 105 && verified <= 120)
    bench.live(.minutes(10))
    #expect(bench.snapshot.slots.total == 0)
  }

  @Test func aDeadWarmOneIsReplaced() throws {
    var bench = PoolBench(.sample { $0.connections.keepWarm = .hours(1) })
    try bench.warm(1)
    bench.pass(.seconds(30))
    let resource = try #require(bench.take().verifies.first)
    bench.verified(resource, alive: false)
    bench.closed(resource)
    let seen = bench.obey()
    #expect(seen.connects.count == 1 && bench.snapshot.slots.idle == 1)
  }

  @Test func oldOnesAreReplacedOnceIdle() throws {
    var bench = PoolBench(.sample { $0.connections.maxAge = .minutes(1) })
    try bench.warm(1)
    let grant = try bench.granted()
    bench.obey()
    bench.pass(.minutes(2))
    #expect(!bench.obey().closes.contains(grant.resource))
    bench.release(grant)
    #expect(bench.take().closeReasons.contains(.age))
  }

  @Test func agesAreSpreadByJitter() {
    var bench = PoolBench(
      .sample(max: 20) {
        $0.connections.min = 20
        $0.connections.concurrentConnects = 20
        $0.connections.maxAge = .minutes(10)
        $0.connections.jitter = 0.2
      })
    bench.obey()
    #expect(!bench.live(.seconds(479)).closeReasons.contains(.age))
    var waves = 0
    for _ in 0..<121 {
      if bench.live(.seconds(1)).closeReasons.contains(.age) { waves += 1 }
    }
    #expect(waves >= 8)
    #expect(bench.snapshot.counters.closed[.age] == 20)
  }

  @Test func retiresBeforeTheLearnedIdleLimit() throws {
    var bench = PoolBench(
      .sample {
        $0.connections.keepWarm = .hours(10)
        $0.heartbeat.pace = .off
      })
    try bench.warm(1)
    for _ in 0..<2 {
      let grant = try bench.granted()
      bench.release(grant)
      bench.live(.seconds(20))
      bench.closed(grant.resource, idleFor: .seconds(20))
      bench.obey()
      bench.pass(.milliseconds(1))
    }
    #expect(bench.snapshot.origins[0].idleLimit == .seconds(20))
    #expect(!bench.live(.seconds(15)).closeReasons.contains(.idleLimit))
    let seen = bench.live(.milliseconds(3100))
    #expect(seen.closeReasons.contains(.idleLimit) && seen.connects.count >= 1)
  }

  @Test func anAnnouncedIdleLimitAppliesToWhatIsOpen() throws {
    var bench = PoolBench()
    try bench.warm(2)
    let grant = try bench.granted()
    bench.event { $0.idleLimitAnnounced(grant.resource, .seconds(5), now: $1, into: &$2) }
    bench.release(grant)
    bench.pass(.seconds(5))
    #expect(bench.take().closeReasons.allSatisfy { $0 == .idleLimit })
    #expect(bench.snapshot.slots.idle == 0)
  }

  @Test func aClockJumpMakesEverythingIdleProveItself() throws {
    var bench = PoolBench()
    try bench.warm(3)
    let lent = try bench.granted()
    bench.obey()
    bench.pass(.milliseconds(1))
    let idle = bench.snapshot.slots.idle
    bench.event { $0.clockJumped(by: .hours(1), now: $1, into: &$2) }
    let verifies = bench.take().verifies
    #expect(verifies.count == idle && !verifies.contains(lent.resource))
    let ticket = try bench.queued()
    for resource in verifies { bench.verified(resource, alive: false) }
    bench.release(lent)
    #expect(bench.take().grantedTickets == [ticket])
  }

  @Test func aCloseWithoutConfirmationIsForgotten() throws {
    var bench = PoolBench(.sample(max: 1))
    try bench.warm(1)
    let grant = try bench.granted()
    bench.release(grant, ExchangeReport(result: .cancelled, fate: .close(.cancelled)))
    let ticket = try bench.queued()
    #expect(bench.take().connects.isEmpty)
    bench.pass(.seconds(10))
    let connect = try #require(bench.take().connects.first)
    #expect(connect.index == grant.resource.index && connect != grant.resource)
    #expect(bench.snapshot.counters.forgottenCloses == 1)
    bench.closed(grant.resource)
    bench.opened(connect)
    #expect(bench.take().grantedTickets == [ticket])
  }

  @Test func aConnectWithoutAnswerFails() throws {
    var bench = PoolBench(.sample(max: 1))
    _ = try bench.queued(within: .minutes(2))
    let connect = try #require(bench.take().connects.first)
    bench.pass(.milliseconds(5999))
    #expect(bench.take().closes.isEmpty)
    bench.pass(.milliseconds(1))
    let actions = bench.take()
    #expect(actions.closes == [connect] && actions.rejections.isEmpty)
    bench.opened(connect)
    #expect(bench.take().closes == [connect])
    bench.closed(connect)
    bench.pass(.seconds(1))
    #expect(bench.obey().grants.count == 1)
  }
}

@Suite struct PoolConnectFailureTests {
  @Test func backsOffAndTriesAgain() throws {
    var bench = PoolBench()
    let ticket = try bench.queued()
    bench.failed(try #require(bench.take().connects.first))
    let failed = bench.take()
    #expect(failed.connects.isEmpty && failed.rejections.isEmpty)
    let retryAt = try #require(bench.snapshot.origins[0].retryAt)
    #expect(retryAt > bench.now && retryAt <= bench.now + .seconds(1))
    bench.pass(retryAt - bench.now)
    bench.opened(try #require(bench.take().connects.first))
    #expect(bench.take().grantedTickets == [ticket])
    #expect(bench.snapshot.origins[0].connectFailures == 0)
  }

  @Test func oneOutageIsOneStep() throws {
    var bench = PoolBench(.sample(max: 10))
    for _ in 0..<6 { _ = try bench.queued() }
    let connects = bench.take().connects
    for resource in connects { bench.failed(resource) }
    #expect(connects.count == 6 && bench.snapshot.origins[0].connectFailures == 1)
    bench.pass(.seconds(1))
    // While it fails, one attempt at a time.
    #expect(bench.take().connects.count == 1)
  }

  @Test func waitersAreRejectedOnceItIsHopeless() throws {
    var bench = PoolBench()
    let ticket = try bench.queued()
    var rejected: [PoolAction] = []
    for attempt in 1...3 {
      bench.failed(try #require(bench.take().connects.first))
      rejected = bench.take()
      #expect(rejected.rejectedTickets == (attempt == 3 ? [ticket] : []))
      if attempt < 3, let at = bench.snapshot.origins[0].retryAt { bench.pass(at - bench.now) }
    }
    #expect(rejected.rejections[0].reason == .connectFailed && rejected.rejections[0].cause == .network)
    #expect(rejected.events.contains(.originDisconnected(bench.machine.layout.origins[0])) == false)
    #expect(bench.snapshot.endpoints[0].state == .disconnected)
    guard case .rejected(let next) = bench.acquire() else { throw BenchError.unexpected("should be refused") }
    let retryAt = try #require(bench.snapshot.origins[0].retryAt)
    #expect(next.reason == .connectFailed && next.retryAfter == retryAt - bench.now)
    // After the pause a request is worth an attempt again.
    bench.pass(retryAt - bench.now)
    _ = bench.take()
    let later = bench.acquire()
    guard case .queued(let waiting) = later else { throw BenchError.unexpected("\(later)") }
    let seen = bench.obey()
    #expect(seen.grantedTickets == [waiting] || bench.snapshot.slots.total > 0)
  }

  @Test func aDeadlineBeforeTheNextAttemptIsRejectedAtOnce() throws {
    var bench = PoolBench(.sample { $0.connections.reconnectDelay = .seconds(60) })
    let ticket = try bench.queued(within: .seconds(3))
    bench.failed(try #require(bench.take().connects.first))
    let actions = bench.take()
    #expect(actions.rejectedTickets == [ticket] && actions.rejections[0].reason == .connectFailed)
    #expect(actions.rejections[0].retryAfter ?? .zero > .seconds(3))
  }

  @Test func openResourcesKeepServingAFailingOrigin() throws {
    var bench = PoolBench()
    try bench.warm(1)
    let lent = try bench.granted()
    let ticket = try bench.queued()
    bench.failed(try #require(bench.take().connects.first))
    #expect(bench.snapshot.endpoints[0].state == .healthy)
    bench.release(lent)
    #expect(bench.take().grantedTickets == [ticket])
  }

  @Test func aBackupServesWhileThePrimaryIsDisconnected() throws {
    var bench = PoolBench(.sample(origins: 2) { $0.endpoints[1].role = .backup })
    let ids = bench.machine.layout
    _ = try bench.queued()
    var actions = bench.take()
    #expect(actions.connectOrigins == [ids.origins[0]])
    bench.failed(actions.connects[0])
    actions = bench.take()
    #expect(actions.connectOrigins == [ids.origins[1]])
    bench.opened(actions.connects[0])
    let grant = try #require(bench.take().grants.first)
    #expect(grant.endpoint == ids.endpoints[1])
    bench.release(grant)
    // The primary is tried again in the background and takes over once it is connected.
    bench.pass(.milliseconds(900))
    bench.release(try bench.granted())
    bench.pass(.milliseconds(100))
    bench.obey()
    #expect(try bench.granted().endpoint == ids.endpoints[0])
  }

  @Test func aHungPrimaryAttemptDoesNotHoldUpTheBackup() throws {
    var bench = PoolBench(
      .sample(origins: 2) {
        $0.endpoints[1].role = .backup
        $0.connections.verifyAfter = .seconds(5)
      })
    let ids = bench.machine.layout
    _ = try bench.queued()
    bench.failed(try #require(bench.take().connects.first))
    for grant in bench.obey().grants { bench.release(grant) }
    bench.pass(.seconds(1))
    var hung: [OriginID] = []
    for _ in 0..<3 {
      bench.pass(.milliseconds(10))
      let grant = try bench.granted()
      #expect(grant.endpoint == ids.endpoints[1])
      bench.release(grant)
      hung += bench.take().connectOrigins
    }
    #expect(hung == [ids.origins[0]])
  }

  @Test func theWarmMinimumComesBackAfterAnOutage() {
    var bench = PoolBench(.sample { $0.connections.min = 2 })
    for resource in bench.take().connects { bench.failed(resource) }
    for _ in 0..<5 {
      guard let retryAt = bench.snapshot.origins[0].retryAt else { break }
      bench.pass(retryAt - bench.now)
      for resource in bench.take().connects { bench.failed(resource) }
    }
    #expect(bench.snapshot.origins[0].connectFailures == 6)
    let events = bench.live(.seconds(61)).events
    #expect(bench.snapshot.slots.idle == 2)
    #expect(events.contains(.originReconnected(bench.machine.layout.origins[0])))
  }

  @Test func whatEndsByItselfIsCountedByItsReason() throws {
    var bench = PoolBench(.sample())
    let grants = try (0..<2).map { _ in
      _ = bench.acquire()
      return try #require(bench.obey().grants.last)
    }
    bench.closed(grants[0].resource)
    bench.closed(grants[1].resource, reason: .deadPath)
    #expect(bench.snapshot.counters.closed[.remoteClosed] == 1)
    #expect(bench.snapshot.counters.closed[.deadPath] == 1)
    #expect(CloseReason.deadPath.label == "dead_path")
  }
}
