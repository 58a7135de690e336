import SluicePolicy
import Testing

@Suite struct PoolLifecycleTests {
  @Test func aPausedPoolGrantsAndOpensNothing() throws {
    var bench = PoolBench()
    try bench.warm(1)
    bench.event { $0.pause(now: $1, into: &$2) }
    let ticket = try bench.queued()
    #expect(bench.take().connects.isEmpty)
    bench.event { $0.resume(now: $1, into: &$2) }
    #expect(bench.take().grantedTickets == [ticket])
  }

  @Test func drainingFinishesWhatItHas() throws {
    var bench = PoolBench(.sample(max: 2))
    try bench.warm(2)
    let lent = try [bench.granted(), bench.granted()]
    let waiting = try bench.queued()
    _ = bench.take()
    bench.event { $0.drain(now: $1, into: &$2) }
    guard case .rejected(let refused) = bench.acquire() else { throw BenchError.unexpected("should be refused") }
    #expect(refused.reason == .draining)
    bench.release(lent[0])
    let served = bench.take()
    #expect(served.grantedTickets == [waiting] && served.closes.isEmpty)
    bench.release(lent[1])
    #expect(bench.take().closes == [lent[1].resource])
    bench.release(served.grants[0])
    #expect(!bench.machine.isDrained)
    for resource in bench.take().closes + [lent[1].resource] { bench.closed(resource) }
    #expect(bench.machine.isDrained)
    #expect(bench.take().events.contains(.drained))
  }

  @Test func drainingAnIdlePoolEndsAtOnce() throws {
    var bench = PoolBench(.sample { $0.connections.min = 1 })
    bench.event { $0.drain(now: $1, into: &$2) }
    bench.obey()
    #expect(bench.machine.isDrained && bench.machine.nextDeadline == nil)
  }

  @Test func closingRejectsAndClosesEverything() throws {
    var bench = PoolBench(.sample(max: 1))
    try bench.warm(1)
    let lent = try bench.granted()
    let ticket = try bench.queued()
    bench.event { $0.close(now: $1, into: &$2) }
    let actions = bench.take()
    #expect(actions.rejectedTickets == [ticket] && actions.rejections[0].reason == .closed)
    #expect(actions.closes == [lent.resource] && actions.closeReasons == [.shutdown])
    bench.closed(lent.resource)
    #expect(!bench.machine.isDrained)
    bench.release(lent)
    #expect(bench.machine.isDrained)
    guard case .rejected(let refused) = bench.acquire() else { throw BenchError.unexpected("should be refused") }
    #expect(refused.reason == .closed)
  }

  @Test func aSmallerPoolShrinksAsResourcesReturn() throws {
    var bench = PoolBench(.sample(max: 4))
    try bench.warm(4)
    let lent = try (0..<3).map { _ in try bench.granted() }
    _ = bench.obey()
    bench.event(true) { $0.resize(min: 0, max: 2, poolMax: 200, now: $1, into: &$2) }
    let first = bench.take()
    #expect(first.closes.count == 1 && first.closeReasons == [.excess])
    bench.closed(first.closes[0])
    for grant in lent { bench.release(grant) }
    bench.obey()
    #expect(bench.snapshot.slots.total == 2)
    bench.event(false) { $0.resize(min: 9, max: 2, poolMax: 200, now: $1, into: &$2) }
    bench.event(true) { $0.resize(min: 3, max: 5, poolMax: 200, now: $1, into: &$2) }
    bench.obey()
    #expect(bench.snapshot.slots.total == 3)
  }

  @Test func endpointsDrainAndResume() throws {
    var bench = PoolBench(.sample(endpoints: 2))
    try bench.warm(2)
    let ids = bench.machine.layout.endpoints
    let lent = try bench.granted(pinned: ids[0])
    let pinned = try bench.queued(within: .seconds(9), excluding: EndpointSet(ids[1]), fresh: true)
    _ = bench.take()
    bench.event { $0.drainEndpoint(ids[0], now: $1, into: &$2) }
    let actions = bench.take()
    #expect(actions.rejectedTickets == [pinned] && actions.rejections[0].reason == .notAllowed)
    for _ in 0..<5 {
      let grant = try bench.granted()
      #expect(grant.endpoint == ids[1])
      bench.release(grant)
    }
    bench.release(lent)
    bench.event { $0.resumeEndpoint(ids[0], now: $1, into: &$2) }
    #expect(try bench.granted(pinned: ids[0]).endpoint == ids[0])
    let unknown = EndpointID(rawValue: 99)
    bench.event(false) { $0.drainEndpoint(unknown, now: $1, into: &$2) }
  }
}

@Suite struct PoolReconfigureTests {
  @Test func identitiesSurviveWhateverTheirPlace() throws {
    var bench = PoolBench(.sample(origins: 2, endpoints: 2))
    try bench.warm(2)
    let before = bench.machine.layout
    var settings = PoolSettings.sample(origins: 2, endpoints: 2)
    settings.origins.reverse()
    for index in settings.endpoints.indices { settings.endpoints[index].origin = 1 - settings.endpoints[index].origin }
    settings.endpoints.reverse()
    settings.endpoints[0].name = "renamed"
    let idle = bench.snapshot.slots.idle
    bench.event { _ = $0.reconfigure(settings, now: $1, into: &$2) }
    #expect(bench.machine.layout.origins == before.origins.reversed())
    #expect(bench.machine.layout.endpoints == before.endpoints.reversed())
    #expect(bench.snapshot.slots.idle == idle && bench.obey().closes.isEmpty)
    #expect(bench.snapshot.endpoints.contains { $0.name == "renamed" })
  }

  @Test func removedOnesDrainAndNewOnesServe() throws {
    var bench = PoolBench(.sample(origins: 1, max: 2))
    try bench.warm(2)
    let before = bench.machine.layout
    let lent = try bench.granted()
    let waiting = try bench.queued(pinned: before.endpoints[0], fresh: true)
    _ = bench.take()
    let other = PoolSettings(
      name: "sample", origins: [OriginSettings(identity: "new", name: "n")],
      endpoints: [EndpointSettings(identity: "new/key", name: "nk", origin: 0)])
    bench.event { _ = $0.reconfigure(other, now: $1, into: &$2) }
    let actions = bench.take()
    #expect(actions.rejectedTickets == [waiting])
    #expect(!actions.closes.contains(lent.resource))
    for resource in actions.closes { bench.closed(resource) }
    let ticket = try bench.queued()
    let served = bench.obey()
    #expect(served.grantedTickets == [ticket])
    #expect(served.grants[0].origin == bench.machine.layout.origins[0])
    #expect(served.grants[0].origin != before.origins[0])
    #expect(bench.snapshot.origins.count == 2)
    bench.release(lent)
    #expect(bench.take().closes == [lent.resource])
    bench.closed(lent.resource)
    #expect(bench.snapshot.origins.count == 1 && bench.snapshot.endpoints.count == 1)
  }

  @Test func invalidSettingsChangeNothing() throws {
    var bench = PoolBench()
    let before = bench.machine.layout
    var settings = PoolSettings.sample()
    settings.connections.max = 0
    bench.event(true) { $0.reconfigure(settings, now: $1, into: &$2) == before }
    #expect(bench.take().events == [.reconfigurationRefused])
    try bench.warm(1)
  }

  @Test func whatDrainsKeepsItsPlaceSoTablesStayBounded() throws {
    var bench = PoolBench(.sample(endpoints: 200, max: 100) { $0.balance.strategy = .roundRobin })
    try bench.warm(100)
    // Of 100 endpoints one lease each is out: their places stay taken.
    let lent = try (1...100).map { _ in try bench.granted() }
    #expect(Set(lent.map(\.endpoint)).count == 100)
    func settings(_ name: String) -> PoolSettings {
      var settings = PoolSettings.sample(endpoints: 200, max: 2)
      for index in settings.endpoints.indices { settings.endpoints[index].identity = "\(name)\(index)" }
      return settings
    }
    // 200 more do not fit beside the 100 that have to stay.
    bench.event { _ = $0.reconfigure(settings("b"), now: $1, into: &$2) }
    #expect(bench.take().events.contains(.reconfigurationRefused))
    for lease in lent { bench.release(lease) }
    _ = bench.take()
    bench.event { _ = $0.reconfigure(settings("b"), now: $1, into: &$2) }
    #expect(!bench.take().events.contains(.reconfigurationRefused))
    #expect(bench.snapshot.endpoints.count == 200)
    // Later handles of the same places are different ones.
    #expect(Set(bench.machine.layout.endpoints).count == 200)
  }
}

@Suite struct PoolRotationTests {
  @Test func manyKeysThatAllRotateTakeThePlacesOfTheOldOnes() throws {
    var bench = PoolBench(.sample(endpoints: 150, max: 2))
    try bench.warm(1)
    for generation in 1...3 {
      var settings = PoolSettings.sample(endpoints: 150, max: 2)
      for index in settings.endpoints.indices { settings.endpoints[index].identity = "\(generation)/\(index)" }
      bench.event { _ = $0.reconfigure(settings, now: $1, into: &$2) }
      #expect(!bench.take().events.contains(.reconfigurationRefused))
      #expect(bench.snapshot.endpoints.count == 150)
      bench.release(try bench.granted())
    }
  }
}

@Suite struct PoolStaleEventTests {
  /// Every event about something unknown, gone, or in another state: counted, and nothing else happens.
  @Test func eventsAboutNothingAreHarmless() throws {
    var bench = PoolBench(.sample(max: 2))
    try bench.warm(1)
    let grant = try bench.granted()
    _ = bench.take()
    let unknown = ResourceID(index: 4_000_000_000, generation: 7)
    let former = ResourceID(index: grant.resource.index, generation: grant.resource.generation &+ 1)
    let before = bench.snapshot
    for resource in [unknown, former] {
      bench.failed(resource)
      bench.closed(resource, idleFor: .seconds(9))
      bench.verified(resource, alive: false)
      bench.event { $0.capacityChanged(resource, 9, now: $1, into: &$2) }
      bench.event { $0.resourceDraining(resource, now: $1, into: &$2) }
      bench.event { $0.idleLimitAnnounced(resource, .seconds(9), now: $1, into: &$2) }
      #expect(bench.take().isEmpty)
      bench.opened(resource)
      #expect(bench.take() == [.close(resource, .cancelled)])
    }
    bench.event { $0.probeFinished(EndpointID(rawValue: 7), .unavailable, now: $1, into: &$2) }
    bench.event { _ = $0.cancel(TicketID(index: 7, generation: 7), now: $1, into: &$2) }
    bench.event { _ = $0.release(LeaseID(index: 7, generation: 7), .unused, now: $1, into: &$2) }
    // In another state than the event expects.
    bench.opened(grant.resource)
    bench.failed(grant.resource)
    bench.verified(grant.resource, alive: false)
    #expect(bench.take().isEmpty)
    var after = bench.snapshot
    #expect(after.counters.staleEvents == 19 && after.counters.staleReleases == 1)
    after.counters = before.counters
    #expect(after == before)
    bench.release(grant)
  }

  @Test func deadlinesMayFireEarlyOrOften() throws {
    var bench = PoolBench(.sample(max: 1))
    _ = try bench.queued(within: .seconds(1))
    for _ in 0..<5 { bench.event { $0.deadlineReached(now: $1, into: &$2) } }
    #expect(bench.take().rejections.isEmpty)
    bench.now = bench.now + .hours(1)
    for _ in 0..<5 { bench.event { $0.deadlineReached(now: $1, into: &$2) } }
    #expect(bench.take().rejections.count == 1)
  }

  @Test func theDriverAlwaysKnowsTheEarliestDeadline() throws {
    var bench = PoolBench(.sample(max: 1))
    _ = try bench.queued(within: .seconds(3))
    #expect(bench.take().deadlines == [bench.now + .seconds(3)])
    _ = try bench.queued(within: .seconds(9))
    #expect(bench.take().deadlines.isEmpty)
    _ = try bench.queued(within: .seconds(1))
    #expect(bench.take().deadlines == [bench.now + .seconds(1)])
    bench.pass(.seconds(1))
    #expect(bench.take().deadlines == [PoolBench.start + .seconds(3)])
  }

  @Test func aResourceThatDiesWhileLentEndsWithItsLease() throws {
    var bench = PoolBench(.sample(max: 1))
    try bench.warm(1)
    let grant = try bench.granted()
    bench.closed(grant.resource)
    #expect(bench.snapshot.numbers.leased == 1 && bench.snapshot.slots.total == 0)
    let ticket = try bench.queued()
    #expect(bench.obey().grantedTickets == [ticket])
    bench.expectRelease(grant, true)
    #expect(bench.snapshot.numbers.leased == 1)
  }
}

@Suite struct JournalTests {
  @Test func theRingKeepsTheLastEntries() throws {
    var bench = PoolBench(.sample { $0.journalEntries = 4 })
    try bench.warm(1)
    for _ in 0..<10 { bench.release(try bench.granted()) }
    let journal = bench.machine.journal
    #expect(journal.count == 4 && journal.written > 20)
    #expect(journal.ordered.map(\.kind) == [.granted, .released, .granted, .released])
    #expect(journal.dump.split(separator: "\n").count == 4)
    #expect(journal.dump.contains("resource 0 for endpoint 0"))
  }

  @Test func itCanBeTurnedOffAndResized() throws {
    var bench = PoolBench(.sample { $0.journalEntries = 0 })
    try bench.warm(1)
    #expect(bench.machine.journal.count == 0 && !bench.machine.journal.isEnabled)
    let larger = PoolSettings.sample { $0.journalEntries = 3 }
    bench.event { _ = $0.reconfigure(larger, now: $1, into: &$2) }
    for _ in 0..<10 { bench.release(try bench.granted()) }
    #expect(bench.machine.journal.count == 3)
    let smaller = PoolSettings.sample { $0.journalEntries = 2 }
    bench.event { _ = $0.reconfigure(smaller, now: $1, into: &$2) }
    #expect(bench.machine.journal.ordered.last?.kind == .reconfigured)
    for _ in 0..<10 { bench.release(try bench.granted()) }
    #expect(bench.machine.journal.count == 2)
  }
}
