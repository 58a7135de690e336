#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif
public import SluicePolicy

/// Where the runtime reads the time. Pools are told the time; they never ask for it.
public protocol MonotonicClock: Sendable {
  /// Time that only moves forward and stands still while the machine is suspended. Nanoseconds from an arbitrary start.
  func now() -> Instant

  /// How the other clocks stand against ``now()``, to notice that the machine was suspended or paused.
  func offsets() -> ClockOffsets
}

/// The distance of two other clocks from the monotonic one, in nanoseconds. Constant as long as nothing jumps.
public struct ClockOffsets: Hashable, Sendable {
  /// Time since boot including suspension, minus monotonic time: grows by each suspension.
  public var suspended: Int64
  /// Wall time minus time since boot: jumps when the wall clock is set, for example after a paused virtual machine
  /// continues.
  public var wall: Int64

  /// - Parameters:
  ///   - suspended: nanoseconds the time since boot is ahead of monotonic time.
  ///   - wall: nanoseconds the wall clock is ahead of the time since boot.
  public init(suspended: Int64, wall: Int64) {
    self.suspended = suspended
    self.wall = wall
  }
}

/// The machine's own clocks.
public struct SystemClock: MonotonicClock {
  /// There is nothing to set.
  public init() {}

  /// `CLOCK_MONOTONIC`.
  @inlinable
  public func now() -> Instant {
    Instant(nanoseconds: SystemClock.monotonicNanoseconds())
  }

  /// `CLOCK_BOOTTIME` and `CLOCK_REALTIME` against `CLOCK_MONOTONIC`, read one after the other.
  public func offsets() -> ClockOffsets {
    #if canImport(Darwin)
    // CLOCK_MONOTONIC includes suspension there, CLOCK_UPTIME_RAW does not.
    let monotonic = Self.read(CLOCK_UPTIME_RAW)
    let boot = Self.read(CLOCK_MONOTONIC)
    #else
    let monotonic = Self.read(CLOCK_MONOTONIC)
    let boot = Self.read(CLOCK_BOOTTIME)
    #endif
    let wall = Self.read(CLOCK_REALTIME)
    return ClockOffsets(suspended: boot - monotonic, wall: wall - boot)
  }

  @usableFromInline
  static func monotonicNanoseconds() -> Int64 {
    #if canImport(Darwin)
    read(CLOCK_UPTIME_RAW)
    #else
    read(CLOCK_MONOTONIC)
    #endif
  }

  private static func read(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}

extension MonotonicClock where Self == SystemClock {
  /// The machine's own clocks.
  public static var system: SystemClock { SystemClock() }
}

/// Notices that time passed while nothing ran: a suspended laptop, a paused or restored virtual machine.
///
/// Compares the offsets with those of the last jump, so that many small steps add up to one. Slewing by NTP moves all
/// clocks alike and does not show. A false alarm costs one verification of idle resources.
struct ClockJumpDetector: Sendable {
  /// A second asleep is a second in which a peer may have gone away unheard.
  static let suspensionThreshold = Interval.seconds(1)
  /// Wall clocks are stepped for small reasons too; below this it is not worth a verification.
  static let wallThreshold = Interval.seconds(5)

  private var last: ClockOffsets

  init(_ first: ClockOffsets) {
    last = first
  }

  /// The length of the gap, or nil when the clocks kept their distance.
  mutating func observe(_ offsets: ClockOffsets) -> Interval? {
    let suspended = offsets.suspended &- last.suspended
    let wall = offsets.wall &- last.wall
    let jumpedBySuspension = suspended >= Self.suspensionThreshold.nanoseconds
    let jumpedByWall = wall.magnitude >= Self.wallThreshold.nanoseconds.magnitude
    guard jumpedBySuspension || jumpedByWall else { return nil }
    last = offsets
    let wallGap = Int64(clamping: wall.magnitude)
    return Interval(nanoseconds: jumpedBySuspension ? suspended : wallGap)
  }
}
