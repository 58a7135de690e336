import NIOCore
import SluicePolicy
import SluiceRuntime
import SluiceTesting
import Testing

@Suite struct ClockJumpTests {
  @Test func afterASuspensionIdleResourcesAreVerifiedBeforeUse() throws {
    let bench = try Bench()
    try bench.mustLease().release(.success)
    bench.clock.suspend(for: .hours(8))
    bench.connector.resources[0].verification = .dead
    bench.advance(by: .milliseconds(200))
    let lease = try bench.mustLease()
    #expect(lease.resource.number == 1, "what went away during the sleep was not lent")
    #expect(bench.pool.counters.clockJumps == 1)
    #expect(bench.observer.events.contains(.clockJumped(.hours(8))))
    lease.release(.success)
  }

  @Test func aWallClockThatWasSetCountsToo() throws {
    let bench = try Bench()
    try bench.mustLease().release(.success)
    bench.clock.stepWallClock(by: .minutes(-10))
    bench.advance(by: .milliseconds(200))
    try bench.mustLease().release(.success)
    #expect(bench.pool.counters.clockJumps == 1)
    #expect(bench.connector.resources[0].verifications == 1)
  }

  @Test(arguments: [Interval.milliseconds(1), .milliseconds(999)])
  func smallGapsAreNotJumps(_ gap: Interval) throws {
    let bench = try Bench()
    try bench.mustLease().release(.success)
    bench.clock.suspend(for: gap)
    bench.clock.stepWallClock(by: gap)
    bench.advance(by: .milliseconds(200))
    try bench.mustLease().release(.success)
    #expect(bench.pool.counters.clockJumps == 0)
    #expect(bench.connector.resources[0].verifications == 0)
  }

  @Test func manySmallGapsAddUp() throws {
    let bench = try Bench()
    for _ in 0..<4 {
      bench.clock.suspend(for: .milliseconds(300))
      bench.advance(by: .milliseconds(200))
      _ = bench.lease()?.release(.success)
    }
    #expect(bench.pool.counters.clockJumps == 1)
  }

  @Test func timeNeverGoesBackForTheSystemClock() {
    let clock = SystemClock()
    var last = clock.now()
    for _ in 0..<10_000 {
      let now = clock.now()
      #expect(now >= last)
      last = now
    }
    #expect(clock.offsets().suspended >= 0)
  }
}
