import SluicePolicy
import SluiceRuntime

/// Stands still until the test moves it, so that on a busy machine nothing runs out before it is its turn. Timers on
/// real event loops that wait for it come back to look again and again, each time after what seems to be left.
final class HeldClock: MonotonicClock {
  private let time = Guarded(Instant(nanoseconds: 1_000_000_000_000))

  func now() -> Instant { time.value }
  func offsets() -> ClockOffsets { ClockOffsets(suspended: 0, wall: 0) }

  func advance(by interval: Interval) {
    time.withLock { $0 = $0 + interval }
  }
}
