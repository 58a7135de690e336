import NIOCore
import NIOEmbedded
import SluicePolicy
import SluiceRuntime
import SluiceTesting
import Testing

@Suite struct DeadlineTimerTests {
  private let loop = EmbeddedEventLoop()
  private let target = Target()
  private let clock: VirtualClock
  private let timer: DeadlineTimer

  init() {
    clock = VirtualClock(following: loop)
    timer = DeadlineTimer(loop: loop, clock: clock)
  }

  private func arm(in interval: Interval) {
    timer.arm(clock.now() + interval, for: target)
  }

  @Test func firesOnceAtItsDeadline() {
    arm(in: .seconds(1))
    loop.advanceTime(by: .milliseconds(999))
    #expect(target.fired == 0)
    loop.advanceTime(by: .milliseconds(1))
    #expect(target.fired == 1)
    loop.advanceTime(by: .hours(1))
    #expect(target.fired == 1)
  }

  @Test func anEarlierDeadlineReplacesTheLaterOne() {
    arm(in: .seconds(10))
    arm(in: .seconds(1))
    loop.advanceTime(by: .seconds(1))
    #expect(target.fired == 1)
    loop.advanceTime(by: .seconds(20))
    #expect(target.fired == 1, "the later one is the owner's to ask for again")
  }

  @Test func aLaterDeadlineLeavesTheTimerAlone() {
    arm(in: .seconds(1))
    arm(in: .seconds(10))
    loop.advanceTime(by: .seconds(1))
    #expect(target.fired == 1)
  }

  @Test func aDeadlineThatHasPassedFiresAtOnce() {
    arm(in: .seconds(-5))
    loop.run()
    #expect(target.fired == 1)
  }

  @Test func aDeadlineThatNeverComesDoesNotOverflow() {
    timer.arm(Instant(nanoseconds: .max - 1), for: target)
    loop.advanceTime(by: .hours(1000))
    #expect(target.fired == 0)
    timer.cancel()
  }

  @Test func cancelForgetsTheDeadlineAndTheTarget() {
    weak var watched: Target?
    do {
      let target = Target()
      watched = target
      timer.arm(clock.now() + .seconds(1), for: target)
    }
    #expect(watched != nil, "an armed timer keeps its target")
    timer.cancel()
    #expect(watched == nil)
    arm(in: .seconds(2))
    loop.advanceTime(by: .seconds(2))
    #expect(target.fired == 1, "it can be armed again")
  }

  /// Used on the test's thread only.
  private final class Target: DeadlineTarget, @unchecked Sendable {
    var fired = 0
    func deadlineCame() { fired += 1 }
  }
}
