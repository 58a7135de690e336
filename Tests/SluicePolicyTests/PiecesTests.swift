import SluicePolicy
import Testing

@Suite struct BackoffTests {
  @Test func doublesUpToTheMaximumWithoutOverflow() {
    let backoff = Backoff(first: .seconds(1), most: .seconds(60))
    #expect((1...8).map { backoff.ceiling(failures: $0) } == [1, 2, 4, 8, 16, 32, 60, 60].map { Interval.seconds($0) })
    #expect(backoff.ceiling(failures: 100_000) == .seconds(60))
    #expect(Backoff(first: .max, most: .max).ceiling(failures: 3) == .max)
  }

  @Test func jitterIsFullAndNeverTight() {
    let backoff = Backoff(first: .seconds(1), most: .seconds(60))
    var random = SplitMix64(seed: 7)
    let delays = (0..<2000).map { _ in backoff.delay(failures: 4, &random) }
    #expect(delays.allSatisfy { $0 >= .milliseconds(100) && $0 <= .seconds(8) })
    #expect(delays.contains { $0 < .seconds(1) } && delays.contains { $0 > .seconds(7) })
  }
}

@Suite struct WarmPlannerTests {
  private let planner = WarmPlanner(ratio: 1.25, utilization: 0.8, max: 20)

  @Test(
    arguments: [
      // demand, expected, capacity, floor → wanted
      (0, 0, 1, 0, 0), (0, 0, 1, 2, 2), (1, 0, 1, 0, 1), (3, 0, 1, 0, 3), (4, 0, 1, 0, 5), (8, 0, 1, 0, 10),
      (4, 4, 1, 0, 10), (100, 0, 1, 0, 20), (1, 0, 10, 0, 1), (8, 0, 10, 0, 2), (0, 0, 0, 0, 0),
    ])
  func formula(demand: Int, expected: Int, capacity: Int, floor: Int, wanted: Int) {
    #expect(
      planner.wanted(
        demand: demand, expected: Double(expected), capacity: capacity, connecting: 0, open: 0, room: SlotRoom(),
        floor: floor) == wanted)
  }

  /// Resources differ in size: what counts is what they carry, not how many they are.
  @Test(
    arguments: [
      // demand, sizes of those that are there, connecting, size of one more → wanted
      (8, [10], 0, 10, 2), (6, [10], 0, 10, 1), (6, [2], 0, 10, 2), (60, [10], 0, 10, 10), (60, [10, 100], 0, 10, 2),
      (6, [10, 0], 0, 10, 1), (6, [0], 0, 10, 2), (6, [0], 1, 10, 1), (8, [10], 1, 10, 2), (1, [99], 0, 100, 1),
      (1, [2, 2, 2], 0, 2, 1), (3, [1, 1, 1], 0, 1, 3), (4, [1, 1, 1], 0, 1, 5), (2, [Int32.max], 0, .max, 1),
    ] as [(Int, [Int32], Int, Int, Int)])
  func unequalResources(demand: Int, sizes: [Int32], connecting: Int, capacity: Int, wanted: Int) {
    var room = SlotRoom()
    for size in sizes { room.add(size, 1) }
    let planned = planner.wanted(
      demand: demand, expected: 0, capacity: capacity, connecting: connecting, open: sizes.count, room: room,
      floor: 0)
    #expect(planned == wanted)
    for size in sizes { room.add(size, -1) }
    #expect(room == SlotRoom())
  }

  /// However small the part of it that is counted on, a resource carries something.
  @Test func aLowUtilizationStillCountsEachResource() {
    var room = SlotRoom()
    for _ in 0..<3 { room.add(4, 1) }
    #expect(room.usable(0.01) == 3 && room.usable(0.5) == 6 && room.usable(1) == 12)
  }

  @Test func arrivalsAreAveraged() {
    var rate = ArrivalRate()
    var now = Instant(nanoseconds: 0)
    let none = rate.expected(during: .seconds(1), now: now)
    #expect(none == 0)
    for _ in 0..<30 {
      for _ in 0..<50 { rate.count() }
      now = now + .milliseconds(500)
      _ = rate.expected(during: .seconds(1), now: now)
    }
    let expected = rate.expected(during: .milliseconds(100), now: now)
    #expect(expected > 9 && expected < 11)
    now = now + .seconds(10)
    let quiet = rate.expected(during: .seconds(1), now: now)
    #expect(quiet < 1)
  }
}

@Suite struct IdleLimitTests {
  private let start = Instant(nanoseconds: 0)

  @Test func believesTwoThatAgree() {
    var limit = IdleLimit()
    let first = limit.observe(.seconds(60), now: start)
    #expect(!first && limit.believed(start) == nil)
    // The same restart closing another one proves nothing.
    let same = limit.observe(.seconds(61), now: start + .milliseconds(5))
    #expect(!same)
    let second = limit.observe(.seconds(62), now: start + .seconds(70))
    #expect(second && limit.believed(start + .seconds(70)) == .seconds(60))
  }

  @Test func disagreeingOnesStartAnew() {
    var limit = IdleLimit()
    _ = limit.observe(.seconds(60), now: start)
    let other = limit.observe(.seconds(5), now: start + .seconds(10))
    #expect(!other)
    let agreeing = limit.observe(.seconds(5), now: start + .seconds(20))
    #expect(agreeing && limit.believed(start + .seconds(20)) == .seconds(5))
  }

  @Test func aLapsedBeliefIsForgotten() {
    var limit = IdleLimit()
    let announced = limit.announce(.seconds(5), now: start)
    #expect(announced && limit.believed(start) == .seconds(5))
    #expect(limit.believed(start + .hours(25)) == nil)
  }

  @Test func veryShortOnesAreOtherClosings() {
    var limit = IdleLimit()
    for second in 0..<5 { _ = limit.observe(.milliseconds(100), now: start + .seconds(Int64(second * 2))) }
    #expect(limit.believed(start + .seconds(10)) == nil)
  }
}

@Suite struct PeakLatencyTests {
  @Test func risesAtOnceAndFallsSlowly() {
    var latency = PeakLatency()
    let start = Instant(nanoseconds: 0)
    latency.observe(.milliseconds(10), now: start, decay: .seconds(10))
    latency.observe(.milliseconds(100), now: start, decay: .seconds(10))
    #expect(latency.value == 1e8)
    latency.observe(.milliseconds(10), now: start + .seconds(1), decay: .seconds(10))
    #expect(latency.value > 9e7 && latency.value < 1e8)
    latency.observe(.milliseconds(10), now: start + .seconds(100), decay: .seconds(10))
    #expect(latency.value < 2.5e7)
    latency.observe(.zero, now: start + .seconds(200), decay: .seconds(10))
    #expect(latency.value < 2.5e7 && latency.value > 0)
  }

  @Test func quickFailuresDoNotLookQuick() {
    var latency = PeakLatency()
    for _ in 0..<50 { latency.penalise(typical: 1e6, now: Instant(nanoseconds: 0)) }
    #expect(latency.value == 1e7)
  }
}

@Suite struct HealthTrackerTests {
  private let start = Instant(nanoseconds: 1_000_000_000_000)
  private let settings = HealthSettings()

  @Test func failuresInARowDecide() {
    var health = HealthTracker()
    for _ in 0..<10 {
      let verdicts = [
        health.failed(grantedAt: start, settings), health.failed(grantedAt: start, settings),
        health.succeeded(grantedAt: start, now: start, settings),
      ]
      #expect(verdicts == [.unchanged, .unchanged, .unchanged])
    }
    _ = health.failed(grantedAt: start, settings)
    _ = health.failed(grantedAt: start, settings)
    let verdict = health.failed(grantedAt: start, settings)
    #expect(verdict == .shouldEject)
  }

  @Test func answersFromBeforeAnEjectionDoNotCount() {
    var health = HealthTracker()
    health.eject(now: start, settings, jitter: 0)
    let earlier = start - .seconds(1)
    let late = (0..<2).map { _ in health.succeeded(grantedAt: earlier, now: start, settings) }
    #expect(late == [.unchanged, .unchanged] && health.state == .ejected)
    let current = (0..<2).map { _ in health.succeeded(grantedAt: start, now: start, settings) }
    #expect(current == [.unchanged, .recovered])
    #expect(health.state == .healthy)
  }

  @Test func ejectionsThatFollowSoonGrow() {
    var health = HealthTracker()
    var now = start
    var lengths: [Interval] = []
    for _ in 0..<8 {
      health.eject(now: now, settings, jitter: 0)
      lengths.append(health.until - now)
      now = health.until
      health.recover(now)
      now = now + .seconds(1)
    }
    #expect(lengths == [10, 20, 40, 80, 160, 300, 300, 300].map { Interval.seconds($0) })
    now = now + .minutes(6)
    health.eject(now: now, settings, jitter: 0)
    #expect(health.until - now == .seconds(10))
  }

  @Test func slowStartRampsUp() {
    var health = HealthTracker()
    #expect(health.ramp(start, over: .seconds(30)) == 1)
    health.recover(start)
    #expect(health.ramp(start, over: .seconds(30)) == 0.1)
    #expect(health.ramp(start + .seconds(15), over: .seconds(30)) == 0.5)
    #expect(health.ramp(start + .seconds(30), over: .seconds(30)) == 1)
    #expect(health.ramp(start, over: .zero) == 1)
  }

  @Test func onTrialOneFailureIsEnough() {
    var health = HealthTracker()
    health.releaseOnTrial(start, settings)
    let verdict = health.failed(grantedAt: start, settings)
    #expect(verdict == .shouldEject)
  }
}

@Suite struct BalancerTests {
  private let now = Instant(nanoseconds: 1_000_000_000_000)

  private func table(_ count: Int) -> EndpointTable {
    var table = EndpointTable()
    for index in 0..<count {
      let position = table.add(
        EndpointSettings(identity: "e\(index)", name: "e\(index)", origin: 0), origin: 0)
      table.setRank(position, .primary)
    }
    return table
  }

  private func counts(_ strategy: BalanceStrategy, _ table: EndpointTable, rounds: Int = 3000) throws -> [Int] {
    var balancer = Balancer(strategy: strategy, slowStart: .seconds(30), seed: 3)
    let list = try #require(table.candidates())
    var counts = Array(repeating: 0, count: list.count)
    for _ in 0..<rounds { counts[table.member(list.base + balancer.first(of: list, in: table, now: now))] += 1 }
    return counts
  }

  @Test func roundRobinIsExact() throws {
    #expect(try counts(.roundRobin, table(3)) == [1000, 1000, 1000])
  }

  @Test func leastConnectionsTakesTheLeastLoaded() throws {
    var table = table(3)
    table[0].leased = 2
    table[1].leased = 1
    table[2].leased = 2
    #expect(try counts(.leastConnections, table) == [0, 3000, 0])
    table[2].weight = 3
    table[1].leased = 2
    #expect(try counts(.leastConnections, table) == [0, 0, 3000])
  }

  @Test func equalLoadIsSpread() throws {
    for count in try counts(.leastConnections, table(4)) { #expect(count == 750) }
    for count in try counts(.powerOfTwo, table(4)) { #expect(count > 600 && count < 900) }
  }

  @Test func powerOfTwoAvoidsTheWorst() throws {
    var table = table(3)
    table[1].latency.observe(.seconds(1), now: now, decay: .seconds(10))
    table[0].latency.observe(.milliseconds(10), now: now, decay: .seconds(10))
    table[2].latency.observe(.milliseconds(10), now: now, decay: .seconds(10))
    #expect(try counts(.powerOfTwo, table)[1] == 0)
    table[0].leased = 200
    table[2].leased = 200
    #expect(try counts(.powerOfTwo, table)[1] > 1500)
  }

  @Test func affinityKeepsTogetherWithinReason() throws {
    var table = table(5)
    var balancer = Balancer(strategy: .powerOfTwo, slowStart: .seconds(30), seed: 3)
    var homes = Set<Int>()
    for affinity in 1...40 as ClosedRange<UInt64> {
      let list = try #require(table.candidates())
      let chosen = Set(
        (0..<50).map { _ in
          table.member(list.base + balancer.first(of: list, in: table, affinity: affinity, now: now))
        })
      #expect(chosen.count == 1)
      homes.formUnion(chosen)
    }
    #expect(homes.count == 5)
    // A home with more than twice the load is left alone.
    let list = try #require(table.candidates())
    let home = table.member(list.base + balancer.first(of: list, in: table, affinity: 7, now: now))
    table[home].leased = 2
    let other = table.member(list.base + balancer.first(of: list, in: table, affinity: 7, now: now))
    #expect(other != home)
    // Another one leaving does not move it.
    table[home].leased = 0
    table.setRank((home + 1) % 5, .out)
    let fewer = try #require(table.candidates())
    let again = table.member(fewer.base + balancer.first(of: fewer, in: table, affinity: 7, now: now))
    #expect(again == home)
  }

  @Test func ranksGoBeforeBalance() throws {
    var table = table(3)
    table.setRank(0, .backup)
    table.setRank(1, .ejected)
    table.setRank(2, .out)
    #expect(table.candidates()?.rank == .backup)
    table.setRank(0, .out)
    #expect(table.candidates()?.rank == .ejected)
    table.setRank(1, .out)
    #expect(table.candidates()?.count == nil)
    #expect(table.violations().isEmpty)
  }
}

@Suite struct SlotTableTests {
  private let start = Instant(nanoseconds: 1_000_000_000_000)

  private func table(idle: Int, loops: Int = 1) -> SlotTable {
    var table = SlotTable(loops: loops)
    table.ensureOrigin(0)
    for step in 0..<idle {
      let index = table.add(origin: 0, loop: step % loops, now: start)
      table.opened(index, capacity: 1, expiresAt: .distantFuture, spread: 0, now: start)
    }
    return table
  }

  @Test func lastInFirstOut() {
    var table = table(idle: 3)
    #expect(table.ready(0, loop: 0, trustedSince: start) == 2)
    table.lease(2)
    table.lease(1)
    table.unlease(2, used: true, now: start)
    table.unlease(1, used: true, now: start)
    #expect(table.ready(0, loop: 0, trustedSince: start) == 1)
    #expect(table.violations().isEmpty)
  }

  @Test func aTurnTouchesEveryIdleResource() {
    var table = table(idle: 5)
    var used: [Int: Int] = [:]
    for _ in 0..<(Int(SlotTable.turnEvery) * 12) {
      guard let ready = table.ready(0, loop: 0, trustedSince: start) else { return }
      let index = table.turned(ready, trustedSince: start)
      used[index, default: 0] += 1
      table.lease(index)
      table.unlease(index, used: true, now: start)
      #expect(table.violations().isEmpty)
    }
    #expect(used.keys.sorted() == [0, 1, 2, 3, 4])
  }

  /// The idle timeout must find the surplus although a turn touches everything.
  @Test func aTurnLeavesTheDepthOfTheStackVisible() {
    var table = table(idle: 4)
    var now = start
    for _ in 0..<(Int(SlotTable.turnEvery) * 12) {
      now = now + .milliseconds(1)
      guard let ready = table.ready(0, loop: 0, trustedSince: start) else { return }
      let index = table.turned(ready, trustedSince: start)
      table.lease(index)
      table.unlease(index, used: true, now: now)
    }
    let unneeded = table.indices.filter { table[$0].wantedAt == start }
    #expect(unneeded.count == 3)
  }

  @Test func theDepthIsVisibleWithTwoInUseToo() {
    var table = table(idle: 4)
    var now = start
    for _ in 0..<(Int(SlotTable.turnEvery) * 12) {
      now = now + .milliseconds(1)
      var taken: [Int] = []
      for _ in 0..<2 {
        guard let ready = table.ready(0, loop: 0, trustedSince: start) else { return }
        taken.append(table.turned(ready, trustedSince: start))
        table.lease(taken[taken.count - 1])
      }
      for index in taken { table.unlease(index, used: true, now: now) }
    }
    #expect(table.indices.filter { table[$0].wantedAt == start }.count == 2)
    #expect(table.violations().isEmpty)
  }

  @Test func aTurnNamesAColdOneThatMustBeVerified() {
    var table = table(idle: 2)
    let later = start + .seconds(5)
    table.lease(1)
    table.unlease(1, used: true, now: later)
    for _ in 0..<SlotTable.turnEvery {
      let chosen = table.turned(1, trustedSince: later)
      #expect(chosen == 1)
    }
    let cold = table.takeTurnCandidate()
    #expect(cold == 0 && table.turnCandidate == nil)
    table.startVerifying(0, turn: true)
    table.verified(0, now: later)
    #expect(table.ready(0, loop: 0, trustedSince: later) == 0)
    #expect(table.violations().isEmpty)
  }

  @Test func aTurnComesRarelyWhereManyAreIdle() {
    let count = 3 * Int(SlotTable.turnEvery)
    var table = table(idle: count)
    var turns: [Int] = []
    for take in 1...2 * count {
      guard let ready = table.ready(0, loop: 0, trustedSince: start) else { return }
      let index = table.turned(ready, trustedSince: start)
      if index != ready { turns.append(take) }
      table.lease(index)
      table.unlease(index, used: true, now: start)
    }
    #expect(turns == [count, 2 * count])
  }

  @Test func idleOnesAreSortedByTrustHoweverTheyComeBack() {
    var table = table(idle: 4)
    for index in [3, 2, 1, 0] { table.lease(index) }
    table.unlease(0, used: true, now: start + .seconds(1))
    table.unlease(1, used: true, now: start + .seconds(3))
    table.unlease(2, used: false, now: start + .seconds(4))
    #expect(table.ready(0, loop: 0, trustedSince: start + .seconds(2)) == 1)
    #expect(table.ready(0, loop: 0, trustedSince: start + .seconds(4)) == nil)
    table.unlease(3, used: true, now: start + .seconds(2))
    table.lease(1)
    // Between the others, and one more behind them all once it has room again.
    table.unlease(1, used: false, now: start + .seconds(5))
    table.setCapacity(2, 0)
    table.setCapacity(2, 1)
    #expect(table.violations().isEmpty)
    var order: [Int] = []
    while let next = table.ready(0, loop: 0, trustedSince: start) {
      order.append(next)
      table.lease(next)
    }
    #expect(order == [1, 3, 0, 2])
  }

  @Test func roomFollowsCapacity() {
    var table = table(idle: 1)
    table.setCapacity(0, 2)
    table.lease(0)
    #expect(table[0].state == .shared)
    table.lease(0)
    #expect(table[0].state == .full)
    table.setCapacity(0, 3)
    #expect(table[0].state == .shared)
    table.setCapacity(0, 1)
    #expect(table[0].state == .full && table.ready(0, loop: 0, trustedSince: start) == nil)
    table.unlease(0, used: true, now: start)
    #expect(table[0].state == .full)
    table.unlease(0, used: true, now: start)
    #expect(table[0].state == .idle)
    table.setCapacity(0, 0)
    #expect(table[0].state == .full)
    #expect(table.violations().isEmpty)
  }

  @Test func handlesOfFormerHoldersDoNotResolve() {
    var table = table(idle: 1)
    let id = table.id(0)
    table.remove(0)
    #expect(table.resolve(id) == nil)
    let again = table.add(origin: 0, loop: 0, now: start)
    #expect(again == 0 && table.resolve(id) == nil && table.resolve(table.id(0)) == 0)
    #expect(table.resolve(ResourceID(index: 77, generation: 0)) == nil)
  }

  @Test func newOnesGoToTheEmptiestLoop() {
    var table = table(idle: 0, loops: 3)
    for _ in 0..<6 {
      let loop = table.emptiestLoop(0)
      _ = table.add(origin: 0, loop: loop, now: start)
    }
    #expect((0..<3).map { table.count(0, loop: $0) } == [2, 2, 2])
  }

  @Test func leasesEndOnce() {
    var leases = LeaseTable()
    let id = leases.add(endpoint: 3, resource: ResourceID(index: 1, generation: 2), now: start)
    let first = leases.end(id)
    #expect(first?.endpoint == 3)
    let second = leases.end(id)
    #expect(second == nil)
    let other = leases.add(endpoint: 4, resource: ResourceID(index: 1, generation: 2), now: start)
    #expect(other.index == id.index && other != id)
    let stale = leases.end(id)
    #expect(stale == nil && leases.count == 1)
  }
}

@Suite struct PlacesTests {
  @Test func handlesComeBackOnlyAfterManyOthers() {
    var places = Places()
    var seen = Set<Int>()
    for _ in 0..<60_000 {
      let (position, turn) = places.take()
      #expect(seen.insert(position | Int(turn) << 8).inserted)
      places.free(position)
    }
    #expect(places.used == 0)
  }
}
