internal import NIOCore

/// How a socket ends.
enum SocketEnd {
  /// `struct linger` of `sys/socket.h`.
  private struct Linger {
    var isOn: CInt
    var seconds: CInt
  }

  /// With a linger time of zero the kernel closes by RST.
  static func setReset(_ channel: any Channel) {
    guard let options = channel as? any SocketOptionProvider else { return }
    _ = options.unsafeSetSocketOption(level: .socket, name: .so_linger, value: Linger(isOn: 1, seconds: 0))
  }
}

/// A fault that strikes a connection in which nothing happens. One at a time; whatever happens calls it off.
final class Rest: TimerTarget {
  enum End { case close, drop, linger }

  private let core: SimulatorCore
  private let channel: any Channel
  /// The kernel ignores the peer from now on.
  var onSilence: () -> Void = {}
  private var end = End.close
  private var timer: SimulatorTimers.Token?
  private var dropDelays = 0

  private static let maxDropDelays = 20
  private static let dropDelayNanoseconds: Int64 = 5_000_000
  private static let silenceNanoseconds: Int64 = 600_000_000_000
  private static let lingerNanoseconds: Int64 = 10_000_000_000

  init(_ core: SimulatorCore, channel: any Channel) {
    self.core = core
    self.channel = channel
  }

  func begin(_ end: End, after nanoseconds: Int64) {
    cancel()
    self.end = end
    dropDelays = 0
    timer = core.timers.schedule(at: core.now + nanoseconds, self)
  }

  /// Lets the client read what was sent although it is still sending.
  func linger() {
    channel.close(mode: .output, promise: nil)
    begin(.linger, after: Self.lingerNanoseconds)
  }

  func cancel() {
    if let timer { core.timers.cancel(timer) }
    timer = nil
  }

  func timerFired() {
    timer = nil
    if end == .drop { drop() } else { channel.close(promise: nil) }
  }

  private func drop() {
    // A filter that swallows acknowledgements would also keep the rest of a long answer from going out.
    if Acknowledgements.outstanding(channel) > 0, dropDelays < Self.maxDropDelays {
      dropDelays += 1
      timer = core.timers.schedule(at: core.now + Self.dropDelayNanoseconds, self)
      return
    }
    onSilence()
    if PacketFilter.silence(channel) { core.stats.connectionDropped() }
    // The end of the client's connection will not be seen either, so this one has to end by itself some day.
    begin(.linger, after: Self.silenceNanoseconds)
  }
}
