import SluicePolicy
import Testing

/// What simulated runs found, as small as it gets.
@Suite struct SimulationFindings {
  private let start = Instant(nanoseconds: 0)

  // MARK: Waiting

  @Test func ageingCountsFromWhenItWasDueHoweverLateItIsNoticed() {
    var settings = QueueSettings()
    settings.ageing = .seconds(10)
    var queue = WaitQueue(settings)
    func request(_ priority: PriorityClass, caller: UInt32 = 0) -> AcquireRequest {
      AcquireRequest(
        loop: LoopID(0), priority: priority, caller: CallerID(rawValue: caller), deadline: .distantFuture,
        arrival: start)
    }
    let low = queue.enqueue(request(.low), now: start)
    let lower = queue.enqueue(request(.low, caller: 1), now: start + .seconds(4))
    let normal = queue.enqueue(request(.normal), now: start + .seconds(12))
    // Nothing could be served for a while, so nobody looked.
    queue.age(start + .seconds(23))
    #expect(queue[low].level == 1 && queue[low].leveledAt == start + .seconds(20))
    #expect(queue[lower].level == 2 && queue[lower].leveledAt == start + .seconds(14))
    #expect(queue[normal].level == 1 && queue[normal].leveledAt == start + .seconds(22))
    #expect(queue.violations().isEmpty)
    queue.age(start + .seconds(31))
    #expect(queue[low].level == 0 && queue[lower].level == 1 && queue[normal].level == 1)
    #expect(queue.violations().isEmpty)
  }

  @Test func aTicketWhoseTimeIsOverIsRefusedForThat() throws {
    var bench = PoolBench(.sample(max: 2))
    let ticket = try bench.queued(within: .seconds(1))
    let resource = try #require(bench.take().connects.first)
    // The deadline's timer is late, and something else has everybody looked at.
    bench.now = bench.now + .milliseconds(1001)
    bench.failed(resource)
    let actions = bench.take()
    #expect(actions.rejectedTickets == [ticket] && actions.rejections.map(\.reason) == [.deadline])
  }

  @Test func theLossOfTheLastResourceIsLookedAtByThoseWhoWait() throws {
    var bench = PoolBench(.sample(max: 2) { $0.connections.failFastAfter = 1 })
    try bench.warm(1)
    let grant = try bench.granted()
    _ = try bench.queued()
    for resource in bench.take().connects { bench.failed(resource) }
    #expect(bench.take().rejections.isEmpty)
    bench.release(grant, ExchangeReport(result: .failed(.network), fate: .close(.broken)))
    #expect(bench.take().rejections.map(\.reason) == [.connectFailed])
  }

  // MARK: No room to wait

  @Test func aPoolWithoutAQueueGrowsByWhatItRefuses() throws {
    var bench = PoolBench(.sample(max: 2) { $0.queue.capacity = 0 })
    for _ in 0..<3 {
      guard case .rejected(let rejection) = bench.acquire() else { throw BenchError.unexpected("not refused") }
      #expect(rejection.reason == .queueFull)
    }
    // One wish at a time is worth one connect, however many are refused meanwhile.
    let connects = bench.take().connects
    #expect(connects.count == 1)
    bench.opened(connects[0])
    _ = try bench.granted()
    guard case .rejected = bench.acquire(fresh: true) else { throw BenchError.unexpected("not refused") }
    #expect(bench.take().connects.count == 1)
  }

  @Test func aPausedPoolDoesNotGrowByWhatItRefuses() throws {
    var bench = PoolBench(.sample(max: 2) { $0.queue.capacity = 0 })
    bench.event { $0.pause(now: $1, into: &$2) }
    guard case .rejected = bench.acquire() else { throw BenchError.unexpected("not refused") }
    #expect(bench.take().connects.isEmpty)
  }

  @Test func whereNobodyWaitsAnIdleResourceIsLentUnverified() throws {
    var bench = PoolBench(.sample(max: 1) { $0.queue.capacity = 0 })
    guard case .rejected = bench.acquire() else { throw BenchError.unexpected("not refused") }
    bench.obey()
    bench.pass(.seconds(5))
    let grant = try bench.granted()
    #expect(!grant.reused)
    bench.release(grant)
    bench.pass(.seconds(5))
    // One that must be fresh cannot have it.
    guard case .rejected = bench.acquire(fresh: true) else { throw BenchError.unexpected("not refused") }
  }

  // MARK: The minimum

  /// The first origin has all the room there is, the second lacks its minimum.
  private func crowded(idleTimeout: Interval) throws -> PoolBench {
    var bench = PoolBench(
      .sample(origins: 2, max: 3) {
        $0.connections.min = 1
        $0.connections.poolMax = 3
        $0.connections.idleTimeout = idleTimeout
        $0.connections.maxAge = .max
        $0.balance.strategy = .roundRobin
      })
    bench.obey()
    let second = bench.machine.layout.endpoints[1]
    bench.event(true) { $0.drainEndpoint(second, now: $1, into: &$2) }
    let grants = try (0..<2).map { _ in try waited(&bench) } + [waited(&bench)]
    for grant in grants { bench.release(grant) }
    bench.event(true) { $0.resumeEndpoint(second, now: $1, into: &$2) }
    #expect(bench.snapshot.origins.map(\.slots.total) == [3, 0])
    return bench
  }

  private func waited(_ bench: inout PoolBench) throws -> Grant {
    switch bench.acquire() {
    case .granted(let grant):
      bench.obey()
      return grant
    case .queued: return try #require(bench.obey().grants.first)
    case .rejected(let rejection): throw BenchError.unexpected("\(rejection)")
    }
  }

  @Test func theMinimumComesBackWhenAnotherOriginMakesRoom() throws {
    var bench = try crowded(idleTimeout: .seconds(10))
    bench.live(.seconds(31))
    #expect(bench.snapshot.origins.map(\.slots.total) == [1, 1])
  }

  @Test func theMinimumComesBackFromWhatIsIdleForEver() throws {
    var bench = try crowded(idleTimeout: .max)
    bench.live(.seconds(61))
    #expect(bench.snapshot.origins.map(\.slots.total) == [2, 1])
  }

  @Test func theMinimumComesBackOneAfterTheOtherIfThatIsTheLimit() throws {
    var bench = PoolBench(
      .sample(max: 2) {
        $0.connections.min = 2
        $0.connections.concurrentConnects = 1
      })
    let first = bench.take().connects
    #expect(first.count == 1)
    bench.opened(first[0])
    let second = bench.take().connects
    #expect(second.count == 1)
    bench.opened(second[0])
    #expect(bench.take().connects.isEmpty)
    // Both go at once: what is closed last still gets its successor when the first one is there.
    bench.closed(first[0])
    bench.closed(second[0])
    let third = bench.take().connects
    #expect(third.count == 1)
    bench.opened(third[0])
    #expect(bench.take().connects.count == 1)
  }

  /// A place that is taken until its resource is gone gets the next one at once then.
  @Test func theOnlyResourceIsReplacedWhenItIsTooOld() throws {
    var bench = PoolBench(
      .sample(max: 1) {
        $0.connections.min = 1
        $0.connections.maxAge = .seconds(10)
      })
    bench.obey()
    bench.pass(.seconds(10))
    let actions = bench.take()
    #expect(actions.closeReasons == [.age] && actions.connects.isEmpty)
    bench.closed(try #require(actions.closes.first))
    #expect(bench.take().connects.count == 1)
  }

  @Test(arguments: [false, true]) func theMinimumComesBackWithItsEndpoint(byReset: Bool) throws {
    var bench = PoolBench(.sample(max: 2) { $0.connections.min = 1 })
    bench.obey()
    let endpoint = bench.machine.layout.endpoints[0]
    let grant = try bench.granted()
    if byReset {
      bench.release(grant, ExchangeReport(result: .failed(.credential), fate: .close(.broken)))
    } else {
      bench.event(true) { $0.drainEndpoint(endpoint, now: $1, into: &$2) }
      bench.release(grant, ExchangeReport(result: .success, fate: .close(.broken)))
    }
    bench.obey()
    #expect(bench.snapshot.slots.total == 0)
    bench.event(true) {
      byReset ? $0.resetEndpoint(endpoint, now: $1, into: &$2) : $0.resumeEndpoint(endpoint, now: $1, into: &$2)
    }
    #expect(bench.take().connects.count == 1)
  }

  // MARK: Resources

  @Test func aResourceWithoutRoomDoesNotTakeTheOnlyPlace() throws {
    var bench = PoolBench(.sample(max: 1) { $0.connections.connectTimeout = .seconds(2) })
    try bench.warm(1, capacity: 4)
    let grant = try bench.granted()
    bench.event { $0.capacityChanged(grant.resource, 0, now: $1, into: &$2) }
    bench.release(grant)
    bench.event { $0.capacityChanged(grant.resource, 0, now: $1, into: &$2) }
    let ticket = try bench.queued()
    bench.pass(.milliseconds(1999))
    #expect(bench.take().closes.isEmpty)
    bench.pass(.milliseconds(1))
    let actions = bench.take()
    #expect(actions.closes == [grant.resource] && actions.closeReasons == [.recycled])
    bench.closed(grant.resource)
    #expect(bench.obey().grantedTickets == [ticket])
  }

  @Test func aResourceThatLostItsRoomInUseDoesNotKeepTheOnlyPlaceEither() throws {
    var bench = PoolBench(.sample(max: 1) { $0.connections.connectTimeout = .seconds(2) })
    try bench.warm(1, capacity: 4)
    let grant = try bench.granted()
    bench.event { $0.capacityChanged(grant.resource, 0, now: $1, into: &$2) }
    bench.pass(.seconds(5))
    #expect(bench.take().closes.isEmpty)
    bench.release(grant)
    let ticket = try bench.queued()
    bench.pass(.milliseconds(1999))
    #expect(bench.take().closes.isEmpty)
    bench.pass(.milliseconds(1))
    #expect(bench.take().closes == [grant.resource])
    bench.closed(grant.resource)
    #expect(bench.obey().grantedTickets == [ticket])
  }

  /// A slot that comes back unused is the next one to be lent, although nothing is known of it since.
  @Test func aTrustedResourceIsFoundBehindAStaleOne() throws {
    var bench = PoolBench(.sample(max: 2), loops: 1)
    _ = try (bench.queued(), bench.queued())
    let grants = bench.obey().grants
    #expect(grants.count == 2)
    bench.pass(.milliseconds(800))
    bench.release(grants[0])
    bench.pass(.milliseconds(300))
    bench.release(grants[1], .unused)
    #expect(try bench.granted().resource == grants[0].resource)
    _ = try bench.queued()
    #expect(bench.take().verifies == [grants[1].resource])
  }

  /// What is being verified for a fresh wish is not forgotten when something else happens meanwhile.
  @Test func aFreshWishWaitsForTheUnusedResourceThatIsBeingVerified() throws {
    var bench = PoolBench(.sample(max: 2))
    _ = try (bench.queued(), bench.queued())
    let grants = bench.obey().grants
    bench.release(grants[0], .unused)
    bench.release(grants[1])
    bench.pass(.seconds(2))
    let ticket = try bench.queued(fresh: true)
    #expect(bench.take().verifies == [grants[0].resource])
    bench.event { $0.capacityChanged(grants[1].resource, 1, now: $1, into: &$2) }
    #expect(bench.take().closes.isEmpty)
    bench.verified(grants[0].resource, alive: true)
    #expect(bench.take().grantedTickets == [ticket])
  }

  /// However much room a resource has, it is fresh only once.
  @Test func eachFreshWishHasAResourceOfItsOwnOpened() throws {
    var bench = PoolBench(.sample(max: 3))
    try bench.warm(1, capacity: 8)
    _ = try (bench.queued(fresh: true), bench.queued(fresh: true))
    #expect(bench.take().connects.count == 2)
  }

  @Test func aConnectThatSomebodyElseCancelsIsNotTriedAgainAtOnce() throws {
    var bench = PoolBench(.sample(max: 2))
    let ticket = try bench.queued()
    bench.failed(try #require(bench.take().connects.first), .cancelled)
    #expect(bench.take().connects.isEmpty)
    #expect(bench.live(.seconds(2)).grantedTickets == [ticket])
  }

  // MARK: Removal

  @Test func aRemovedEndpointIsNotJudged() throws {
    var bench = PoolBench(.sample(endpoints: 2) { $0.health.unhealthyAfter = 1 })
    try bench.warm(1)
    let removed = bench.machine.layout.endpoints[0]
    let grant = try bench.granted(pinned: removed)
    var settings = PoolSettings.sample(endpoints: 2)
    settings.endpoints.removeFirst()
    bench.event { _ = $0.reconfigure(settings, now: $1, into: &$2) }
    _ = bench.take()
    bench.fail(grant, .server)
    #expect(bench.take().events.isEmpty && bench.snapshot.counters.ejections == 0)
  }
}
