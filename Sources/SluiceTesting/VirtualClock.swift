public import NIOCore
public import SluicePolicy
public import SluiceRuntime

/// A clock that a test moves.
///
/// Alone it moves by ``advance(by:)``. Following a testing event loop it shows that loop's time plus whatever it was
/// moved by itself, so that advancing the loop is all a test does and timers and deadlines agree.
public final class VirtualClock: MonotonicClock {
  private struct State: Sendable {
    var moved = Int64(0)
    var suspended = Int64(0)
    var wall = Int64(0)
  }

  private let state = Guarded(State())
  private let loop: (any EventLoop)?

  /// - Parameter loop: an `EmbeddedEventLoop` or `NIOAsyncTestingEventLoop` to follow.
  public init(following loop: (any EventLoop)? = nil) {
    self.loop = loop
  }

  /// The virtual time.
  public func now() -> Instant {
    let followed = loop.map { Int64(clamping: $0.now.uptimeNanoseconds) } ?? 0
    return Instant(nanoseconds: state.value.moved) + Interval(nanoseconds: followed)
  }

  /// How the virtual machine's other clocks stand.
  public func offsets() -> ClockOffsets {
    let state = state.value
    return ClockOffsets(suspended: state.suspended, wall: state.wall)
  }

  /// Lets time pass. A clock that follows a loop is moved by advancing the loop.
  public func advance(by interval: Interval) {
    state.withLock { $0.moved += interval.nanoseconds }
  }

  /// Lets the machine sleep: monotonic time stands still.
  public func suspend(for interval: Interval) {
    state.withLock { $0.suspended += interval.nanoseconds }
  }

  /// Sets the wall clock forward, or back by a negative interval.
  public func stepWallClock(by interval: Interval) {
    state.withLock { $0.wall += interval.nanoseconds }
  }
}
