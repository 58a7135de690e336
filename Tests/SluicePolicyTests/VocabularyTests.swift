import SluicePolicy
import Testing

@Suite struct VocabularyTests {
  @Test func timeSaturatesInsteadOfTrapping() {
    #expect(Instant(nanoseconds: 5) + .max == .distantFuture)
    #expect(Instant.distantPast - .seconds(1) == .distantPast)
    #expect(Instant.distantFuture - Instant.distantPast == .max)
    #expect(Interval.max + .seconds(1) == .max)
    #expect(Interval.zero - .max - .seconds(9) == Interval(nanoseconds: .min))
    #expect(Interval.hours(.max) == .max)
    #expect(Interval.seconds(.min) == Interval(nanoseconds: .min))
    #expect(Interval.max.scaled(by: 2) == .max)
    #expect(Interval.max.scaled(by: -2) == Interval(nanoseconds: .min))
    #expect(Interval.seconds(1).scaled(by: .nan) == .zero)
    #expect(Interval.seconds(1).scaled(by: 0.25) == .milliseconds(250))
  }

  @Test func intervalsConvert() {
    #expect(Interval(Duration.milliseconds(1500)) == .milliseconds(1500))
    #expect(Interval(Duration.seconds(Int64.max)) == .max)
    #expect(Interval.microseconds(7).duration == .microseconds(7))
    #expect(Interval.milliseconds(1500).seconds == 1.5)
  }

  @Test(arguments: [0, 63, 64, 127, 128, 200, 255])
  func endpointSetsHoldEveryPosition(position: Int) {
    let id = EndpointID(rawValue: UInt16(position) | 0x0300)
    var set = EndpointSet(id)
    #expect(set.contains(id) && set.count == 1 && !set.isEmpty)
    #expect(set.next(from: 0) == position)
    #expect(set.next(from: position + 1) == nil)
    set.remove(id)
    #expect(set.isEmpty && set == EndpointSet())
  }

  @Test func endpointSetsCombine() {
    var left = EndpointSet()
    var right = EndpointSet()
    for position in [1, 70, 255] { left.insert(position: position) }
    for position in [70, 140] { right.insert(position: position) }
    #expect(left.union(right).count == 4)
    #expect(left.intersection(right).description == "{70}")
    #expect(left.subtracting(right).description == "{1,255}")
  }

  @Test func failureClassesKeepTheirLabels() {
    for failure in FailureClass.allCases { #expect(FailureClass(label: failure.label) == failure) }
    #expect(FailureClass.protocolError.label == "protocol")
    #expect(FailureClass(label: "nonsense") == nil)
    let harmful = FailureClass.allCases.filter(\.harmsHealth)
    #expect(harmful == [.overloaded, .server, .network, .timeout, .protocolError])
  }

  @Test func classesAreOrdered() {
    #expect(PriorityClass.allCases.sorted() == [.low, .normal, .high, .critical])
    #expect(PriorityClass(label: "high") == .high)
  }

  @Test func actionListsKeepOrderBeyondTheInlineOnes() {
    var list = ActionList()
    for round in 0..<2 {
      for second in 0..<9 { list.append(.armDeadline(Instant(nanoseconds: Int64(second + round)))) }
      #expect(list.count == 9)
      #expect(list.array.deadlines.map(\.nanoseconds) == (0..<9).map { Int64($0 + round) })
      list.removeAll()
      #expect(list.isEmpty)
    }
  }

  /// Reference values of the published algorithm for seed 1234567.
  @Test func splitMixFollowsItsReference() {
    var generator = SplitMix64(seed: 1_234_567)
    let first = (0..<3).map { _ in generator.next() }
    #expect(first == [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423])
    for bound in [1, 2, 3, 255] {
      let seen = Set((0..<4000).map { _ in generator.index(below: bound) })
      #expect(seen == Set(0..<bound))
    }
    let units = (0..<1000).map { _ in generator.unit() }
    #expect(units.allSatisfy { (0..<1).contains($0) })
  }
}

@Suite struct SettingsTests {
  @Test func defaultsAreValid() throws {
    let settings = PoolSettings(
      name: "a", origins: [OriginSettings(identity: "o", name: "o")],
      endpoints: [EndpointSettings(identity: "e", name: "e", origin: 0)])
    #expect(try settings.validated() == settings)
  }

  typealias Change = @Sendable (inout PoolSettings) -> Void

  private static let mistakes: [(String, Change)] = [
    mistake("origins") { $0.origins = [] },
    mistake("endpoints") { $0.endpoints = [] },
    mistake("endpoints") { $0.endpoints.append($0.endpoints[0]) },
    mistake("endpoints[0].origin") { $0.endpoints[0].origin = 7 },
    mistake("endpoints[0].origin") { $0.endpoints[0].origin = -1 },
    mistake("endpoints[0].weight") { $0.endpoints[0].weight = 0 },
    mistake("endpoints[0].concurrent") { $0.endpoints[0].maxConcurrent = 0 },
    mistake("connections.max") { $0.connections.max = 0 },
    mistake("connections.min") { $0.connections.min = 9 },
    mistake("connections.min") { $0.connections.min = -1 },
    mistake("connections.min") { ($0.connections.min, $0.connections.poolMax) = (2, 1) },
    mistake("connections.jitter") { $0.connections.jitter = .nan },
    mistake("connections.reconnect_delay") { $0.connections.reconnectDelay = .zero },
    mistake("connections.reconnect_delay_max") { $0.connections.reconnectDelayMax = .milliseconds(1) },
    mistake("queue.capacity") { $0.queue.capacity = -1 },
    mistake("queue.reserved") { $0.queue.reserved.low = 0.9 },
    mistake("health.ejection_share") { $0.health.ejectionShare = 0.6 },
    mistake("journal_entries") { $0.journalEntries = 1_000_000 },
  ]

  private static func mistake(_ path: String, _ change: @escaping Change) -> (String, Change) { (path, change) }

  @Test(arguments: mistakes.indices)
  func problemsAreNamed(index: Int) {
    let (path, change) = Self.mistakes[index]
    let settings = PoolSettings.sample { change(&$0) }
    #expect(settings.problems().contains { $0.path == path })
    #expect(throws: PoolSettingsError.self) { try settings.validated() }
  }

  @Test func tooManyEndpointsAreRefused() {
    let settings = PoolSettings.sample(endpoints: 257)
    #expect(settings.problems().contains { $0.path == "endpoints" })
    #expect(PoolSettings.sample(endpoints: 256).problems().isEmpty)
  }
}

@Suite struct RetryBudgetTests {
  let start = Instant(nanoseconds: 0)

  private func take(_ budget: inout RetryBudget, _ now: Instant) -> Bool { budget.withdraw(now: now) }

  @Test func depositsAreAShareOfRequests() {
    var budget = RetryBudget(share: 0.2, floorPerSecond: 0, now: start)
    #expect(take(&budget, start) == false)
    for _ in 0..<10 { budget.requestStarted() }
    #expect(budget.balance(now: start) == 2)
    #expect([take(&budget, start), take(&budget, start), take(&budget, start)] == [true, true, false])
  }

  @Test func theFloorRefillsWithTime() {
    var budget = RetryBudget(share: 0, floorPerSecond: 2, window: .seconds(2), now: start)
    var taken = 0
    while budget.withdraw(now: start) { taken += 1 }
    #expect(taken == 4)
    #expect(take(&budget, start + .milliseconds(499)) == false)
    #expect(take(&budget, start + .milliseconds(500)) == true)
    #expect(budget.balance(now: start + .hours(1000)) == 4)
    #expect(budget.balance(now: .distantFuture) == 4)
  }

  @Test func nothingIsSavedWithoutBound() {
    var budget = RetryBudget(share: 1, floorPerSecond: 0, window: .seconds(1), now: start)
    for _ in 0..<5000 { budget.requestStarted() }
    #expect(budget.balance(now: start) == 1000)
  }
}
