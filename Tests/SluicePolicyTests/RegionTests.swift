import SluicePolicy
import Testing

/// Which region serves.
@Suite struct RegionTests {
  private let near = "near"
  private let far = "far"

  private func settings(_ regions: [String?], hold: Interval = .seconds(60)) -> PoolSettings {
    let origins = regions.indices.map { OriginSettings(identity: "o\($0)", name: "o\($0)") }
    let endpoints = regions.enumerated().map { index, region in
      EndpointSettings(identity: "e\(index)", name: "e\(index)", origin: index, region: region)
    }
    var settings = PoolSettings(name: "p", origins: origins, endpoints: endpoints)
    settings.balance.regionHold = hold
    settings.balance.strategy = .roundRobin
    settings.health.probeIdle = false
    settings.heartbeat.pace = .off
    return settings
  }

  /// Plays a world in which each origin is so many milliseconds away.
  private func obey(_ bench: inout PoolBench, _ distances: [Int64]) -> [PoolAction] {
    var seen: [PoolAction] = []
    while !bench.actions.isEmpty {
      for action in bench.take() {
        seen.append(action)
        switch action {
        case .connect(let resource, let origin, _, _):
          let index = bench.machine.layout.origins.firstIndex(of: origin) ?? 0
          bench.opened(resource, after: .milliseconds(distances[index]))
        case .close(let resource, _): bench.closed(resource)
        case .verify(let resource, _): bench.verified(resource, alive: true)
        default: break
        }
      }
    }
    return seen
  }

  /// Lets time pass in that world.
  private func live(_ bench: inout PoolBench, _ interval: Interval, _ distances: [Int64]) -> [PoolAction] {
    let end = bench.now + interval
    var seen = obey(&bench, distances)
    while let next = bench.machine.nextDeadline, next <= end {
      bench.now = max(bench.now, next)
      bench.event { $0.deadlineReached(now: $1, into: &$2) }
      seen += obey(&bench, distances)
    }
    bench.now = end
    return seen
  }

  /// The endpoints that serve ten requests, one after the other.
  private func serving(_ bench: inout PoolBench, _ distances: [Int64]) -> Set<Int> {
    var served: Set<Int> = []
    for _ in 0..<10 {
      var grants: [Grant] = []
      switch bench.acquire() {
      case .granted(let grant): grants = [grant]
      case .queued: grants = obey(&bench, distances).grants
      case .rejected(let rejection): Issue.record("\(rejection)")
      }
      for grant in grants {
        served.insert(bench.machine.layout.endpoints.firstIndex(of: grant.endpoint) ?? -1)
        bench.release(grant)
      }
      _ = obey(&bench, distances)
    }
    return served
  }

  @Test func theNearestServesOnceItIsMeasured() {
    var bench = PoolBench(settings([far, near]))
    #expect(bench.snapshot.region == far, "nothing is known: the order of the settings")
    _ = serving(&bench, [90, 10])
    #expect(bench.snapshot.region == near)
    #expect(serving(&bench, [90, 10]) == [1])
    #expect(bench.snapshot.endpoints.map(\.region) == [far, near])
    #expect(bench.snapshot.origins.map(\.connectTime) == [.milliseconds(90), .milliseconds(10)])
  }

  @Test func nothingIsMeasuredBeforeItIsUsed() {
    var bench = PoolBench(settings([far, near]))
    bench.pass(.minutes(30))
    #expect(bench.take().connects.isEmpty)
  }

  @Test func aRegionThatIsOutIsReplacedAtOnceAndComesBackAfterTheHold() {
    var bench = PoolBench(settings([near, far]))
    #expect(serving(&bench, [10, 90]) == [0])
    let ids = bench.machine.layout.endpoints
    bench.event(true) { $0.drainEndpoint(ids[0], now: $1, into: &$2) }
    #expect(bench.snapshot.region == far)
    #expect(serving(&bench, [10, 90]) == [1])
    _ = live(&bench, .minutes(10), [10, 90])
    bench.event(true) { $0.resumeEndpoint(ids[0], now: $1, into: &$2) }
    _ = live(&bench, .milliseconds(59_990), [10, 90])
    #expect(serving(&bench, [10, 90]) == [1], "not yet")
    _ = live(&bench, .milliseconds(10), [10, 90])
    #expect(bench.snapshot.region == near)
    #expect(serving(&bench, [10, 90]) == [0])
  }

  @Test func whoFailsAgainWhileHeldStartsAnew() {
    var bench = PoolBench(settings([near, far]))
    _ = serving(&bench, [10, 90])
    let ids = bench.machine.layout.endpoints
    bench.event(true) { $0.drainEndpoint(ids[0], now: $1, into: &$2) }
    _ = live(&bench, .minutes(5), [10, 90])
    bench.event(true) { $0.resumeEndpoint(ids[0], now: $1, into: &$2) }
    _ = live(&bench, .seconds(40), [10, 90])
    bench.event(true) { $0.drainEndpoint(ids[0], now: $1, into: &$2) }
    bench.event(true) { $0.resumeEndpoint(ids[0], now: $1, into: &$2) }
    _ = live(&bench, .seconds(40), [10, 90])
    #expect(bench.snapshot.region == far)
    _ = live(&bench, .seconds(20), [10, 90])
    #expect(bench.snapshot.region == near)
  }

  @Test func regionsAboutAsNearDoNotTakeTurns() {
    var bench = PoolBench(settings([far, near]))
    #expect(serving(&bench, [100, 81]) == [0], "less than a fifth nearer")
    _ = live(&bench, .minutes(20), [100, 81])
    #expect(serving(&bench, [100, 81]) == [0])
    var other = PoolBench(settings([far, near]))
    _ = serving(&other, [100, 79])
    #expect(other.snapshot.region == near)
  }

  @Test func withoutNeedTheRegionChangesOnceInAHold() {
    var bench = PoolBench(settings([near, far]))
    _ = serving(&bench, [90, 10])
    #expect(bench.snapshot.region == far)
    let last = bench.machine.layout.endpoints[1]
    bench.event(true) { $0.drainEndpoint(last, now: $1, into: &$2) }
    #expect(bench.snapshot.region == near, "need knows no hold")
    bench.event(true) { $0.resumeEndpoint(last, now: $1, into: &$2) }
    _ = live(&bench, .seconds(59), [90, 10])
    #expect(bench.snapshot.region == near)
  }

  @Test(arguments: [FailureClass.rateLimited, .credential, .server]) func whateverTakesAnEndpointOut(
    _ failure: FailureClass
  ) throws {
    var bench = PoolBench(settings([near, far, near, far]))
    _ = serving(&bench, [10, 90, 10, 90])
    let ids = bench.machine.layout.endpoints
    for _ in 0..<3 {
      for id in [ids[0], ids[2]] {
        guard case .granted(let grant) = bench.acquire(pinned: id) else { continue }
        bench.fail(grant, failure, coolFor: failure == .rateLimited ? .seconds(30) : nil)
        _ = obey(&bench, [10, 90, 10, 90])
      }
    }
    #expect(serving(&bench, [10, 90, 10, 90]) == [1, 3])
  }

  @Test func anOriginThatCannotBeReachedIsOut() throws {
    var bench = PoolBench(settings([near, far]))
    let first = bench.machine.layout.origins[0]
    _ = try bench.queued()
    // Nobody is there: the other region is asked for at once, not after the reconnect's pause.
    for case .connect(let resource, let origin, _, _) in bench.take() where origin == first { bench.failed(resource) }
    #expect(bench.snapshot.region == far)
    #expect(obey(&bench, [10, 90]).grants.first?.origin == bench.machine.layout.origins[1])
  }

  @Test func whoMayNotHaveTheNearestGetsTheNextNearest() throws {
    var bench = PoolBench(settings(["a", "b", "c"]))
    _ = serving(&bench, [10, 90, 40])
    let ids = bench.machine.layout.endpoints
    for _ in 0..<6 {
      var grants: [Grant] = []
      switch bench.acquire(excluding: EndpointSet(ids[0])) {
      case .granted(let grant): grants = [grant]
      default: grants = obey(&bench, [10, 90, 40]).grants
      }
      #expect(grants.first?.endpoint == ids[2])
      for grant in grants { bench.release(grant) }
    }
    #expect(bench.snapshot.region == "a")
  }

  // MARK: - A full region

  /// Two calls may be under way in each region.
  private func small(_ regions: [String?], hold: Interval = .seconds(60)) -> PoolSettings {
    var settings = settings(regions, hold: hold)
    settings.connections.max = 2
    return settings
  }

  private func place(_ grant: Grant?, _ bench: PoolBench) -> Int? {
    grant.flatMap { bench.machine.layout.endpoints.firstIndex(of: $0.endpoint) }
  }

  /// Everything of the first region is lent.
  private func full(_ settings: PoolSettings, _ distances: [Int64]) -> (PoolBench, [Grant]) {
    var bench = PoolBench(settings)
    _ = serving(&bench, distances)
    var held: [Grant] = []
    for _ in 0..<2 {
      if case .granted(let grant) = bench.acquire() {
        held.append(grant)
      } else {
        held += obey(&bench, distances).grants
      }
      _ = obey(&bench, distances)
    }
    #expect(held.map { place($0, bench) } == [0, 0])
    return (bench, held)
  }

  @Test func aFullRegionSpillsOnceWaitingTakesLongerThanTheWay() throws {
    var (bench, _) = full(small([near, far]), [10, 90])
    _ = try bench.queued()
    #expect(obey(&bench, [10, 90]).grants.isEmpty)
    #expect(live(&bench, .milliseconds(79), [10, 90]).grants.isEmpty, "80 ms farther")
    #expect(live(&bench, .milliseconds(2), [10, 90]).grants.map { place($0, bench) } == [1])
    #expect(bench.snapshot.region == near, "it stays the one that serves")
  }

  @Test func afterThatNobodyWaitsUntilItHasHadRoomForLong() throws {
    var (bench, held) = full(small([near, far], hold: .seconds(10)), [10, 90])
    _ = try bench.queued()
    let first = live(&bench, .milliseconds(100), [10, 90]).grants
    #expect(first.map { place($0, bench) } == [1])
    _ = live(&bench, .seconds(5), [10, 90])
    // At once, or as soon as something is open there.
    var second: [Grant] = []
    if case .granted(let grant) = bench.acquire() {
      second = [grant]
    } else {
      second = live(&bench, .milliseconds(1), [10, 90]).grants
    }
    #expect(second.map { place($0, bench) } == [1])
    // Room comes first, though.
    bench.release(held.removeFirst())
    _ = obey(&bench, [10, 90])
    held.append(try bench.granted())
    #expect(place(held.last, bench) == 0)
    // Long after the last time it is a surprise again.
    for grant in first + second { bench.release(grant) }
    _ = live(&bench, .seconds(11), [10, 90])
    _ = try bench.queued()
    #expect(live(&bench, .milliseconds(70), [10, 90]).grants.isEmpty)
    #expect(live(&bench, .milliseconds(20), [10, 90]).grants.map { place($0, bench) } == [1])
  }

  @Test func whoGetsASlotInTimeStays() throws {
    var (bench, held) = full(small([near, far]), [10, 90])
    _ = try bench.queued()
    _ = live(&bench, .milliseconds(50), [10, 90])
    bench.release(held[0])
    #expect(obey(&bench, [10, 90]).grants.map { place($0, bench) } == [0])
  }

  @Test func anEndpointsOwnLimitFillsARegionToo() throws {
    var limited = settings([near, far])
    limited.endpoints[0].maxConcurrent = 2
    var (bench, _) = full(limited, [10, 90])
    _ = try bench.queued()
    #expect(live(&bench, .milliseconds(100), [10, 90]).grants.map { place($0, bench) } == [1])
  }

  @Test func whatIsBeingOpenedIsAwaited() throws {
    var bench = PoolBench(small([near, far]))
    _ = serving(&bench, [10, 90])
    #expect(place(try bench.granted(), bench) == 0)
    _ = bench.take()
    // One more is being opened for this one, and there is room in the other region.
    _ = try bench.queued()
    #expect(bench.take().connectOrigins.allSatisfy { $0 == bench.machine.layout.origins[0] })
    bench.pass(.seconds(2))
    #expect(bench.take().grants.isEmpty)
  }

  @Test func whereNobodyMayWaitItSpillsAtOnce() throws {
    var unqueued = small([near, far])
    unqueued.queue.capacity = 0
    var bench = PoolBench(unqueued)
    for _ in 0..<6 {
      if case .granted(let grant) = bench.acquire() { bench.release(grant) }
      _ = obey(&bench, [10, 90])
    }
    var places: [Int?] = []
    for _ in 0..<6 {
      if case .granted(let grant) = bench.acquire() { places.append(place(grant, bench)) }
      _ = obey(&bench, [10, 90])
    }
    #expect(places.filter { $0 == 0 }.count == 2 && places.contains(1), "\(places)")
  }

  @Test func whoIsPinnedWaits() throws {
    var (bench, _) = full(small([near, far]), [10, 90])
    guard case .queued = bench.acquire(pinned: bench.machine.layout.endpoints[0]) else {
      Issue.record("served")
      return
    }
    #expect(live(&bench, .seconds(2), [10, 90]).grants.isEmpty)
  }

  @Test func withAllRegionsFullEverybodyWaits() throws {
    var (bench, _) = full(small([near, far]), [10, 90])
    for _ in 0..<3 {
      _ = bench.acquire()
      _ = live(&bench, .milliseconds(200), [10, 90])
    }
    #expect(bench.snapshot.waiting.total == 1)
  }

  @Test func backupsServeAfterEveryRegion() {
    var three = settings([near, far, near])
    three.endpoints[2].role = .backup
    var bench = PoolBench(three)
    _ = serving(&bench, [10, 90, 10])
    let ids = bench.machine.layout.endpoints
    bench.event(true) { $0.drainEndpoint(ids[0], now: $1, into: &$2) }
    #expect(serving(&bench, [10, 90, 10]) == [1])
    bench.event(true) { $0.drainEndpoint(ids[1], now: $1, into: &$2) }
    #expect(serving(&bench, [10, 90, 10]) == [2])
  }

  @Test func aPoolOfOneRegionKnowsOfNone() {
    for regions in [[near, near], [nil, nil]] as [[String?]] {
      var bench = PoolBench(settings(regions))
      #expect(serving(&bench, [90, 10]) == [0, 1])
      #expect(bench.snapshot.region == nil && bench.snapshot.endpoints[0].region == nil)
    }
  }

  @Test func aReloadKeepsWhatServesAndWhatIsKnown() {
    var bench = PoolBench(settings([far, near]))
    _ = serving(&bench, [90, 10])
    var more = settings([far, near, "new"])
    more.origins.reverse()
    for index in more.endpoints.indices { more.endpoints[index].origin = 2 - index }
    bench.event { _ = $0.reconfigure(more, now: $1, into: &$2) }
    #expect(bench.snapshot.region == near)
    bench.event { _ = $0.reconfigure(settings([far, far]), now: $1, into: &$2) }
    #expect(bench.snapshot.region == nil)
  }

  @Test func distancesAreMeasuredAgainWhileThePoolIsUsed() {
    var bench = PoolBench(settings([near, far]))
    _ = serving(&bench, [10, 20])
    _ = live(&bench, .minutes(9), [10, 20])
    _ = serving(&bench, [10, 20])
    let seen = live(&bench, .minutes(12), [10, 20])
    #expect(seen.connectOrigins.contains(bench.machine.layout.origins[1]))
  }

  @Test func settingsAreChecked() {
    var wrong = settings([near, far])
    wrong.balance.regionHold = .zero
    wrong.balance.regionMargin = 1
    #expect(wrong.problems().map(\.path) == ["balance.region_hold", "balance.region_margin"])
  }
}
