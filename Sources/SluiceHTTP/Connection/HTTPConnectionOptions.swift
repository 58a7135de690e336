package import SluiceDialects
package import SluicePolicy

/// How connections are kept. All bounds and times of this target in one place.
package struct HTTPConnectionOptions: Hashable, Sendable {
  /// Bounds of response heads and chunk framing.
  package var limits = HTTPLimits.standard
  /// Informational responses (1xx) skipped per exchange.
  package var maxInformational = 8
  /// Unused this long before the kernel asks whether the peer is there.
  package var keepAliveIdle = Interval.seconds(30)
  package var keepAliveInterval = Interval.seconds(5)
  package var keepAliveCount = 3
  /// Sent bytes that stay unacknowledged this long end the connection in the kernel, whatever it is doing.
  package var userTimeout = Interval.seconds(30)
  /// SO_RCVBUF. When the upstream closes, NIO reads the kernel's buffer to its end whatever the demand: this is what
  /// bounds it. Also bounds throughput to this much per round trip.
  package var receiveBufferBytes = 262_144
  /// A connection that was never used is as doubtful as a reused one when it waited this long.
  package var staleAfter = Interval.seconds(1)
  /// `verify` believes a peer that was heard of this recently; otherwise it sends a keep-alive probe and waits for the
  /// acknowledgement.
  package var trustHeardWithin = Interval.seconds(10)
  package var http2 = HTTP2Options()

  package init() {}
}
