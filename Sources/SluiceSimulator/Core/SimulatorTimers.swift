#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif
internal import NIOCore

/// Something that waits for a time; it has at most one wait at a time.
protocol TimerTarget: AnyObject, NIOScheduledCallbackHandler {
  func timerFired()
}

extension TimerTarget {
  func handleScheduledCallback(eventLoop: some EventLoop) {
    timerFired()
  }
}

/// The simulator's clock and timers: the event loop's own, or ones that move only when told to. Confined to the loop.
final class SimulatorTimers {
  enum Token {
    case live(NIOScheduledCallback)
    case manual(UInt64)
  }

  private struct Wait {
    var due: Int64
    var id: UInt64
    var target: any TimerTarget
  }

  private let loop: any EventLoop
  /// Unix seconds at the start of manual time; `nil` is real time.
  private let manualStart: Int64?
  private var manualNow: Int64 = 0
  private var waits: [Wait] = []
  private var lastID: UInt64 = 0

  init(_ clock: SimulatorClock, loop: any EventLoop) {
    self.loop = loop
    manualStart = if case .manual(let start) = clock { start } else { nil }
  }

  /// Monotonic nanoseconds.
  var now: Int64 {
    manualStart == nil ? Int64(NIODeadline.now().uptimeNanoseconds) : manualNow
  }

  var unixSeconds: Int64 {
    if let manualStart { return manualStart + manualNow / 1_000_000_000 }
    return Int64(time(nil))
  }

  func schedule(at due: Int64, _ target: some TimerTarget) -> Token {
    guard manualStart == nil else {
      lastID += 1
      waits.append(Wait(due: due, id: lastID, target: target))
      return .manual(lastID)
    }
    let deadline = NIODeadline.uptimeNanoseconds(UInt64(max(0, due)))
    do {
      return .live(try loop.assumeIsolated().scheduleCallback(at: deadline, handler: target))
    } catch {
      // Only a loop that is shutting down refuses; then nobody waits any more.
      return .manual(0)
    }
  }

  func cancel(_ token: Token) {
    switch token {
    case .live(let callback): callback.cancel()
    case .manual(let id): waits.removeAll { $0.id == id }
    }
  }

  /// Waits that have not ended, with manual time.
  var waiting: Int { waits.count }

  /// Moves manual time and ends the waits that become due, in order.
  func advance(by nanoseconds: Int64) {
    let (sum, overflow) = manualNow.addingReportingOverflow(max(0, nanoseconds))
    let target = overflow ? .max : sum
    while let next = waits.indices.min(by: { (waits[$0].due, waits[$0].id) < (waits[$1].due, waits[$1].id) }),
      waits[next].due <= target
    {
      let wait = waits.remove(at: next)
      manualNow = max(manualNow, wait.due)
      wait.target.timerFired()
    }
    manualNow = target
  }

  func cancelAll() {
    waits.removeAll()
  }
}
