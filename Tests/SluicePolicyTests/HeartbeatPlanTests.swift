import SluicePolicy
import Testing

@Suite struct HeartbeatPlanTests {
  private let settings = HeartbeatSettings()
  private let start = Instant(nanoseconds: 1_000_000_000_000)

  @Test func withoutKnowledgeItStaysBelowWhatIsUsual() {
    let plan = HeartbeatPlan()
    #expect(plan.interval(settings, idleLimit: nil) == .seconds(300))
    #expect(plan.interval(settings, idleLimit: .seconds(100)) == .seconds(75))
    #expect(plan.interval(settings, idleLimit: .seconds(4)) == .seconds(5), "never below the shortest")
    #expect(plan.interval(settings, idleLimit: .hours(1)) == .seconds(300))
  }

  @Test func aFixedPaceAndNoneAreNotLearned() {
    var plan = HeartbeatPlan()
    _ = plan.died(.seconds(20), now: start, settings)
    var fixed = settings
    fixed.pace = .every(.seconds(90))
    #expect(plan.interval(fixed, idleLimit: .seconds(10)) == .seconds(90))
    fixed.pace = .off
    #expect(plan.interval(fixed, idleLimit: nil) == nil)
  }

  @Test func aDeathHalvesAndSurvivalRaisesSlowly() throws {
    var plan = HeartbeatPlan()
    let taught = plan.died(.seconds(300), now: start, settings)
    #expect(taught)
    #expect(plan.interval(settings, idleLimit: nil) == .seconds(150))
    plan.survived(.seconds(150), now: start, settings)
    #expect(plan.interval(settings, idleLimit: nil) == .milliseconds(168_750))
    try climb(&plan, at: start)
    #expect(plan.interval(settings, idleLimit: nil) == .seconds(300), "one death is forgotten")
  }

  @Test func itNeverFallsBelowTheShortest() {
    var plan = HeartbeatPlan()
    for minute in 0..<20 as Range<Int64> { _ = plan.died(.seconds(1), now: start + .minutes(minute), settings) }
    #expect(plan.interval(settings, idleLimit: nil) == .seconds(5))
  }

  @Test func oneCauseCountsOnceAndShortSilenceNever() {
    var plan = HeartbeatPlan()
    let first = plan.died(.seconds(300), now: start, settings)
    let together = plan.died(.seconds(200), now: start + .milliseconds(900), settings)
    let short = plan.died(.milliseconds(499), now: start + .minutes(1), settings)
    #expect(first && !together && !short)
    #expect(plan.interval(settings, idleLimit: nil) == .seconds(150))
  }

  /// Whatever the limit is: after the second death at it the pace stays below, for a day.
  @Test(arguments: [12, 20, 47, 100, 160, 240, 299] as [Int64])
  func theLimitIsFoundAndKept(limit seconds: Int64) throws {
    let limit = Interval.seconds(seconds)
    var plan = HeartbeatPlan()
    var now = start
    var deaths: [Instant] = []
    while now < start + .hours(20) {
      let interval = try #require(plan.interval(settings, idleLimit: nil))
      now = now + interval
      if interval > limit {
        _ = plan.died(interval, now: now, settings)
        deaths.append(now)
      } else {
        plan.survived(interval, now: now, settings)
      }
    }
    #expect(deaths.count <= 8, "the limit was run into \(deaths.count) times")
    #expect(deaths.allSatisfy { $0 < start + .hours(3) })
    let last = try #require(plan.interval(settings, idleLimit: nil))
    #expect(last <= limit && last >= limit.scaled(by: 0.5), "\(last) for a limit of \(limit)")
  }

  @Test func afterADayTheLimitIsLookedForAgain() throws {
    var plan = HeartbeatPlan()
    for minute in [0, 10] as [Int64] { _ = plan.died(.seconds(100), now: start + .minutes(minute), settings) }
    try climb(&plan, at: start + .hours(23))
    #expect(plan.interval(settings, idleLimit: nil) == .seconds(75))
    try climb(&plan, at: start + .hours(25))
    #expect(plan.interval(settings, idleLimit: nil) == .seconds(300))
  }

  private func climb(_ plan: inout HeartbeatPlan, at now: Instant) throws {
    for _ in 0..<100 {
      plan.survived(try #require(plan.interval(settings, idleLimit: nil)), now: now, settings)
    }
  }

  @Test func aShortSilenceProvesNothingAboutALongOne() {
    var plan = HeartbeatPlan()
    _ = plan.died(.seconds(300), now: start, settings)
    for _ in 0..<100 { plan.survived(.seconds(100), now: start, settings) }
    #expect(plan.interval(settings, idleLimit: nil) == .seconds(150))
  }

  @Test func aLongerSilenceThatIsSurvivedRefutesTheLimit() throws {
    var plan = HeartbeatPlan()
    for minute in [0, 10] as [Int64] { _ = plan.died(.seconds(100), now: start + .minutes(minute), settings) }
    plan.survived(.seconds(101), now: start + .minutes(20), settings)
    try climb(&plan, at: start + .hours(1))
    #expect(plan.interval(settings, idleLimit: nil) == .seconds(300))
  }
}
