internal import NIOCore

/// Makes the kernel ignore every further packet for a socket, so that the peer meets what a dead path looks like: no
/// acknowledgement, no reset, nothing. It is a classic BPF program of one instruction, "accept zero bytes".
enum PacketFilter {
  /// `struct sock_filter` of `linux/filter.h`.
  private struct Instruction {
    var code: UInt16
    var jumpTrue: UInt8 = 0
    var jumpFalse: UInt8 = 0
    var k: UInt32 = 0
  }

  /// `struct sock_fprog`. Unchecked: the pointer is read by the kernel during the call and by nobody else.
  private struct Program: @unchecked Sendable {
    var length: UInt16
    var instructions: UnsafeMutablePointer<Instruction>
  }

  static var isAvailable: Bool {
    #if os(Linux)
    true
    #else
    false
    #endif
  }

  /// Silences a socket; on its event loop.
  static func silence(_ channel: any Channel) -> Bool {
    #if os(Linux)
    guard let options = channel as? any SocketOptionProvider else { return false }
    let returnConstant: UInt16 = 0x06
    let attachFilter: CInt = 26
    let program = UnsafeMutablePointer<Instruction>.allocate(capacity: 1)
    program.initialize(to: Instruction(code: returnConstant))
    defer { program.deallocate() }
    // On the loop the option is set before the call returns, while the program still exists.
    let result = options.unsafeSetSocketOption(
      level: .socket, name: .init(rawValue: attachFilter), value: Program(length: 1, instructions: program))
    var succeeded = false
    result.assumeIsolated().whenSuccess { succeeded = true }
    return succeeded
    #else
    return false
    #endif
  }
}

/// How much of what was sent the peer has not acknowledged yet.
enum Acknowledgements {
  /// The beginning of Linux' `struct tcp_info`, down to the one number of interest.
  private struct Prefix {
    var flags: UInt64 = 0
    var retransmitTimeout: UInt32 = 0
    var acknowledgeTimeout: UInt32 = 0
    var sendSegment: UInt32 = 0
    var receiveSegment: UInt32 = 0
    var unacknowledged: UInt32 = 0
  }

  /// Segments on their way; 0 where the system does not tell.
  static func outstanding(_ channel: any Channel) -> Int {
    #if os(Linux)
    guard let options = channel as? any SocketOptionProvider else { return 0 }
    let tcpInfo: CInt = 11
    let result: EventLoopFuture<Prefix> = options.unsafeGetSocketOption(
      level: .tcp, name: .init(rawValue: tcpInfo))
    var count = 0
    result.assumeIsolated().whenSuccess { count = Int($0.unacknowledged) }
    return count
    #else
    return 0
    #endif
  }
}
