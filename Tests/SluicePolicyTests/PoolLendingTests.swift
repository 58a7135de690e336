import SluicePolicy
import Testing

@Suite struct PoolLendingTests {
  @Test func nothingConnectsUntilUsed() throws {
    var bench = PoolBench()
    #expect(bench.take().isEmpty)
    let ticket = try bench.queued()
    let actions = bench.take()
    #expect(actions.connects.count == 1 && actions.connectLoops == [0])
    bench.opened(actions.connects[0])
    let opened = bench.take()
    #expect(opened.grantedTickets == [ticket])
    #expect(opened.grants[0].reused == false && opened.grants[0].resource == actions.connects[0])
  }

  @Test func theMinimumIsSpreadOverTheLoops() {
    var bench = PoolBench(.sample { $0.connections.min = 3 }, loops: 2)
    let actions = bench.take()
    #expect(actions.connectLoops.sorted() == [0, 0, 1])
    for resource in actions.connects { bench.opened(resource) }
    #expect(bench.take().connects.isEmpty)
    #expect(bench.snapshot.slots.idle == 3)
  }

  @Test func aReleasedResourceIsReusedAtOnce() throws {
    var bench = PoolBench()
    try bench.warm(1)
    let first = try bench.granted()
    bench.release(first)
    let second = try bench.granted()
    #expect(second.resource == first.resource && second.reused && second.lease != first.lease)
    #expect(bench.take().isEmpty)
  }

  @Test func aSlotElsewhereIsBorrowedWhileOneOpensHere() throws {
    var bench = PoolBench()
    try bench.warm(1, loop: 0)
    let grant = try bench.granted(loop: 1)
    #expect(grant.loop == LoopID(0))
    let actions = bench.take()
    #expect(actions.connectLoops == [1])
    bench.release(grant)
    bench.obey()
    for resource in actions.connects { bench.opened(resource) }
    #expect(try bench.granted(loop: 1).loop == LoopID(1))
    #expect(bench.snapshot.counters.borrowed == 1)
  }

  @Test func atTheLimitAnySlotElsewhereWillDo() throws {
    var bench = PoolBench(.sample(max: 1))
    try bench.warm(1, loop: 0)
    let grant = try bench.granted(loop: 1)
    #expect(grant.loop == LoopID(0) && bench.take().connects.isEmpty)
    _ = try bench.queued(loop: 1)
    bench.release(grant)
    #expect(bench.take().grants.map(\.loop) == [LoopID(0)])
  }

  @Test func aWaiterTakesWhicheverSlotFreesFirst() throws {
    var bench = PoolBench()
    try bench.warm(1)
    let lent = try bench.granted()
    let ticket = try bench.queued()
    let connect = try #require(bench.take().connects.first)
    bench.release(lent)
    #expect(bench.take().grantedTickets == [ticket])
    // The connect that was started meanwhile is not for anybody in particular.
    bench.opened(connect)
    #expect(bench.take().grants.isEmpty && bench.snapshot.slots.idle == 1)
  }

  @Test func limitsHoldForOriginAndPool() throws {
    var bench = PoolBench(
      .sample(origins: 3, max: 2) {
        $0.connections.poolMax = 4
        $0.balance.strategy = .roundRobin
      })
    for _ in 0..<12 { _ = try bench.queued() }
    let connects = bench.take()
    #expect(connects.connects.count == 4)
    #expect(Set(connects.connectOrigins).allSatisfy { id in connects.connectOrigins.count { $0 == id } <= 2 })
    for resource in connects.connects { bench.opened(resource) }
    let later = bench.take()
    #expect(later.grants.count == 4 && later.connects.isEmpty)
  }

  @Test func onlyAFewConnectsAtOnce() throws {
    var bench = PoolBench(.sample(max: 20) { $0.connections.concurrentConnects = 3 })
    for _ in 0..<10 { _ = try bench.queued() }
    let first = bench.take().connects
    #expect(first.count == 3)
    bench.opened(first[0])
    #expect(bench.take().connects.count == 1)
  }

  @Test func connectsGoAheadOfDemand() throws {
    var bench = PoolBench(.sample(max: 20))
    var grants: [Grant] = []
    for _ in 0..<8 { _ = try bench.queued() }
    grants += bench.obey().grants
    #expect(grants.count == 8)
    // 8 leased × 1.25
    #expect(bench.snapshot.slots.total == 10)
  }

  @Test func theQueueIsBounded() throws {
    var bench = PoolBench(
      .sample(max: 1) {
        $0.queue.capacity = 2
        $0.queue.reserved = ClassShares(critical: 0, high: 0, normal: 0, low: 0)
      })
    _ = try bench.queued()
    _ = try bench.queued()
    guard case .rejected(let rejection) = bench.acquire() else { throw BenchError.unexpected("no rejection") }
    #expect(rejection.reason == .queueFull && rejection.numbers.waiting == 2)
    #expect(bench.snapshot.counters.rejected[.queueFull] == 1)
  }

  @Test func deadlinesEndTheWait() throws {
    var bench = PoolBench(.sample(max: 1))
    let early = try bench.queued(within: .milliseconds(300))
    let late = try bench.queued(within: .seconds(3))
    bench.pass(.milliseconds(299))
    #expect(bench.take().rejectedTickets.isEmpty)
    bench.pass(.milliseconds(1))
    let actions = bench.take()
    #expect(actions.rejectedTickets == [early] && actions.rejections[0].reason == .deadline)
    bench.expectCancel(early, false)
    bench.expectCancel(late, true)
    guard case .rejected(let passed) = bench.acquire(within: .zero) else { throw BenchError.unexpected("granted") }
    #expect(passed.reason == .deadline)
  }

  @Test func nobodyIsServedAfterTheirDeadlineBecauseATimerWasLate() throws {
    var bench = PoolBench(.sample(max: 1))
    try bench.warm(1)
    let lent = try bench.granted()
    let ticket = try bench.queued(within: .seconds(1))
    bench.now = bench.now + .seconds(1)
    bench.release(lent)
    let actions = bench.take()
    #expect(actions.grants.isEmpty && actions.rejectedTickets == [ticket])
  }

  @Test func higherClassesGoFirst() throws {
    var bench = PoolBench(.sample(max: 1))
    try bench.warm(1)
    let lent = try bench.granted()
    let low = try bench.queued(priority: .low)
    let critical = try bench.queued(priority: .critical)
    bench.release(lent)
    var actions = bench.take()
    #expect(actions.grantedTickets == [critical])
    bench.release(actions.grants[0])
    actions = bench.take()
    #expect(actions.grantedTickets == [low])
  }

  @Test func aSecondReleaseIsIgnoredAndCounted() throws {
    var bench = PoolBench()
    try bench.warm(1)
    let grant = try bench.granted()
    bench.expectRelease(grant, true)
    bench.expectRelease(grant, false)
    let next = try bench.granted()
    bench.expectRelease(grant, false)
    #expect(bench.snapshot.numbers.leased == 1 && bench.snapshot.counters.staleReleases == 2)
    bench.release(next)
  }

  @Test func brokenResourcesAreClosedAndReplaced() throws {
    var bench = PoolBench(.sample(max: 1))
    try bench.warm(1)
    let grant = try bench.granted()
    let ticket = try bench.queued()
    bench.release(grant, ExchangeReport(result: .failed(.network), fate: .close(.broken)))
    let actions = bench.take()
    #expect(actions.closes == [grant.resource] && actions.closeReasons == [.broken] && actions.connects.isEmpty)
    bench.closed(grant.resource)
    let connect = try #require(bench.take().connects.first)
    bench.opened(connect)
    #expect(bench.take().grantedTickets == [ticket])
  }

  @Test func multiplexedResourcesLendTheirRoom() throws {
    var bench = PoolBench(.sample(max: 2))
    try bench.warm(1, capacity: 3)
    let grants = try (0..<3).map { _ in try bench.granted() }
    #expect(Set(grants.map(\.resource)).count == 1)
    #expect(bench.snapshot.slots.leased == 1 && bench.snapshot.numbers.leased == 3)
  }

  /// The last of the room is not waited for: with eight of ten slots lent the next resource is on its way.
  @Test func theNextResourceOpensBeforeTheRoomIsUsedUp() throws {
    var bench = PoolBench(.sample(max: 2))
    try bench.warm(1, capacity: 10)
    for _ in 0..<7 { _ = try bench.granted() }
    #expect(bench.take().connects.isEmpty)
    _ = try bench.granted()
    #expect(bench.take().connects.count == 1)
    // Neither twice, nor beyond what the origin may have.
    for _ in 0..<2 { _ = try bench.granted() }
    #expect(bench.take().connects.isEmpty)
  }

  /// What a resource carries no longer is missing from that moment on, not from the next wish.
  @Test func whatShrinksIsReplacedAtOnce() throws {
    var bench = PoolBench(.sample(max: 4))
    try bench.warm(1, capacity: 10)
    let grants = try (0..<6).map { _ in try bench.granted() }
    #expect(bench.take().connects.isEmpty)
    let resource = grants[0].resource
    bench.event { $0.capacityChanged(resource, 4, now: $1, into: &$2) }
    // Seven are wanted, three of four counted on; one more brings three.
    let connects = bench.take().connects
    #expect(connects.count == 2)
    // What grows again is not answered with anything.
    bench.event { $0.capacityChanged(resource, 100, now: $1, into: &$2) }
    #expect(bench.take().connects.isEmpty)
  }

  /// One that takes nothing for the moment says nothing of how much the next will take.
  @Test func whatTakesNothingIsReplacedByOneOfTheUsualSize() throws {
    var bench = PoolBench(.sample(max: 8))
    try bench.warm(1, capacity: 10)
    let grants = try (0..<7).map { _ in try bench.granted() }
    bench.event { $0.capacityChanged(grants[0].resource, 0, now: $1, into: &$2) }
    #expect(bench.take().connects.count == 1)
  }

  @Test func roomMayGrowAndShrink() throws {
    var bench = PoolBench(.sample(max: 1))
    try bench.warm(1, capacity: 1)
    let first = try bench.granted()
    let ticket = try bench.queued()
    bench.event { $0.capacityChanged(first.resource, 2, now: $1, into: &$2) }
    let second = try #require(bench.take().grants.first)
    bench.event { $0.capacityChanged(first.resource, 1, now: $1, into: &$2) }
    bench.expectCancel(ticket, false)
    _ = try bench.queued()
    bench.release(first)
    // One is still lent, and there is room for one only.
    #expect(bench.take().grants.isEmpty)
    bench.release(second)
    #expect(bench.take().grants.count == 1)
  }

  @Test func noCapacityMeansNoLease() throws {
    var bench = PoolBench(.sample(max: 1))
    _ = try bench.queued()
    let connect = try #require(bench.take().connects.first)
    bench.opened(connect, capacity: -5)
    #expect(bench.take().grants.isEmpty)
    bench.event { $0.capacityChanged(connect, 1, now: $1, into: &$2) }
    #expect(bench.take().grants.count == 1)
  }

  @Test func aDrainingResourceGetsNothingNew() throws {
    var bench = PoolBench(.sample(max: 2))
    try bench.warm(1, capacity: 2)
    let grant = try bench.granted()
    bench.event { $0.resourceDraining(grant.resource, now: $1, into: &$2) }
    _ = try bench.queued()
    let actions = bench.take()
    #expect(actions.closes.isEmpty && actions.connects.count == 1)
    bench.release(grant)
    #expect(bench.take().closes == [grant.resource])
  }

  @Test func freshOnlyNeverGetsAUsedResource() throws {
    var bench = PoolBench(.sample(max: 2))
    try bench.warm(1)
    let ticket = try bench.queued(fresh: true)
    let connect = try #require(bench.take().connects.first)
    bench.opened(connect)
    let grant = try #require(bench.take().grants.first)
    #expect(grant.resource == connect && !grant.reused)
    bench.expectCancel(ticket, false)
  }

  @Test func freshOnlyMakesRoomAtTheLimit() throws {
    var bench = PoolBench(.sample(max: 1))
    try bench.warm(1)
    let ticket = try bench.queued(fresh: true)
    #expect(bench.obey().closeReasons.isEmpty)
    let lent = try bench.granted()
    bench.release(lent)
    let seen = bench.obey()
    #expect(seen.closeReasons == [.recycled])
    #expect(seen.grantedTickets == [ticket])
  }

  @Test func freshOnlyVerifiesAnUnusedOneThatIsOld() throws {
    var bench = PoolBench(
      .sample(max: 1) {
        $0.connections.min = 1
        $0.connections.keepWarm = .hours(1)
      })
    bench.obey()
    bench.pass(.seconds(5))
    let ticket = try bench.queued(fresh: true)
    let resource = try #require(bench.take().verifies.first)
    bench.verified(resource, alive: true)
    #expect(bench.take().grantedTickets == [ticket])
  }

  @Test func exclusionsAndPins() throws {
    var bench = PoolBench(.sample(endpoints: 3))
    try bench.warm(1)
    let ids = bench.machine.layout.endpoints
    var excluded = EndpointSet(ids[0])
    excluded.insert(ids[2])
    for _ in 0..<10 {
      let grant = try bench.granted(excluding: excluded)
      #expect(grant.endpoint == ids[1])
      bench.release(grant)
      let pinned = try bench.granted(pinned: ids[2])
      #expect(pinned.endpoint == ids[2])
      bench.release(pinned)
    }
    excluded.insert(ids[1])
    guard case .rejected(let rejection) = bench.acquire(excluding: excluded) else {
      throw BenchError.unexpected("not rejected")
    }
    #expect(rejection.reason == .notAllowed && rejection.retryAfter == nil)
  }

  /// A restricted ticket must not keep others from what it cannot use, nor be forgotten.
  @Test func restrictedTicketsWaitForTheirOwn() throws {
    var bench = PoolBench(.sample(origins: 2, max: 1))
    let ids = bench.machine.layout.endpoints
    let connects = try (0..<2).map { index -> ResourceID in
      _ = try bench.queued(pinned: ids[index])
      return try #require(bench.take().connects.first)
    }
    connects.forEach { bench.opened($0) }
    let grants = bench.take().grants
    #expect(Set(grants.map(\.endpoint)) == Set(ids))
    let pinned = try bench.queued(within: .seconds(1), pinned: ids[0])
    let anybody = try bench.queued()
    let second = try #require(grants.first { $0.endpoint == ids[1] })
    bench.release(second)
    #expect(bench.take().grantedTickets == [anybody])
    let first = try #require(grants.first { $0.endpoint == ids[0] })
    bench.release(first)
    #expect(bench.take().grantedTickets == [pinned])
  }

  @Test func anEndpointsOwnLimitHolds() throws {
    var bench = PoolBench(.sample(endpoints: 2) { $0.endpoints[0].maxConcurrent = 1 })
    try bench.warm(4)
    let ids = bench.machine.layout.endpoints
    let grants = try (0..<4).map { _ in try bench.granted() }
    #expect(grants.count { $0.endpoint == ids[0] } <= 1)
    let ticket = try bench.queued(pinned: ids[0])
    for grant in grants where grant.endpoint == ids[1] { bench.release(grant) }
    let lentToFirst = grants.contains { $0.endpoint == ids[0] }
    #expect(bench.take().grantedTickets == (lentToFirst ? [] : [ticket]))
  }

  @Test func roomIsMadeForAnOriginThatHasNone() throws {
    var bench = PoolBench(.sample(origins: 2, max: 2) { $0.connections.poolMax = 2 })
    let ids = bench.machine.layout.endpoints
    for _ in 0..<2 { _ = try bench.queued(pinned: ids[0]) }
    for grant in bench.obey().grants { bench.release(grant) }
    let ticket = try bench.queued(pinned: ids[1])
    let seen = bench.obey()
    #expect(seen.closeReasons == [.excess] && seen.grantedTickets == [ticket])
  }
}
