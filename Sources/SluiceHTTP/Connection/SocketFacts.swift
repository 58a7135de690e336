import NIOCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What the kernel knows about a connection, asked without waiting.
package struct SocketFacts {
  /// Sent and not acknowledged segments.
  var unacknowledged: UInt32
  /// Retransmission timeouts in a row without progress.
  var retransmits: UInt8
  /// Keep-alive or window probes without an answer.
  var probes: UInt8
  package var isEstablished: Bool
  /// Since anything was heard of the peer: data or an acknowledgement.
  package var lastHeardMilliseconds: UInt32
  var roundTripMicroseconds: UInt32

  /// Nil where there is no TCP (unix sockets, test channels).
  package static func read(_ descriptor: CInt) -> SocketFacts? {
    #if os(Linux)
    var info = tcp_info()
    var length = socklen_t(MemoryLayout<tcp_info>.size)
    guard getsockopt(descriptor, CInt(IPPROTO_TCP), TCP_INFO, &info, &length) == 0 else { return nil }
    return SocketFacts(
      unacknowledged: info.tcpi_unacked, retransmits: info.tcpi_retransmits, probes: info.tcpi_probes,
      isEstablished: info.tcpi_state == 1,  // TCP_ESTABLISHED
      lastHeardMilliseconds: min(info.tcpi_last_ack_recv, info.tcpi_last_data_recv),
      roundTripMicroseconds: info.tcpi_rtt)
    #else
    return nil
    #endif
  }

  /// How the receiving side of a socket stands.
  enum Pending {
    case nothing, bytes, ended
  }

  /// Looks at the receive buffer without taking anything out of it.
  static func pending(_ descriptor: CInt) -> Pending {
    var byte: UInt8 = 0
    let count = recv(descriptor, &byte, 1, CInt(MSG_PEEK) | CInt(MSG_DONTWAIT))
    if count > 0 { return .bytes }
    if count == 0 { return .ended }
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? .nothing : .ended
  }

  /// Makes the kernel send a keep-alive probe now, which is the only way to make an idle peer acknowledge: Linux re-arms
  /// its timer when the time is set (`tcp_sock_set_keepidle`), and the connection has been quiet for longer than that.
  ///
  /// A timer that is set to the very tick that it has already stays where it is (`__mod_timer`), and one that was armed
  /// long before may be late by seconds. So it is moved away first: otherwise a probe that is asked for just when the
  /// kernel's own is due does not go out in time, and a living peer looks gone.
  static func sendProbe(_ descriptor: CInt, quietForMilliseconds quiet: UInt32) {
    setKeepAliveIdle(descriptor, seconds: Int64(quiet) / 1_000 + 2)
    setKeepAliveIdle(descriptor, seconds: 1)
  }

  /// Sets when keep-alive probing begins.
  static func setKeepAliveIdle(_ descriptor: CInt, seconds: Int64) {
    #if os(Linux)
    var value = CInt(clamping: max(1, seconds))
    _ = setsockopt(descriptor, CInt(IPPROTO_TCP), TCP_KEEPIDLE, &value, socklen_t(MemoryLayout<CInt>.size))
    #endif
  }
}
