package import SluicePolicy

/// Bounds and times of HTTP/2 connections.
package struct HTTP2Options: Hashable, Sendable {
  /// Most streams used on one connection, whatever the peer allows.
  package var maxStreams = 1_000
  /// Streams while the peer has not said how many (RFC 9113 §6.5.2 asks for no less than a hundred).
  package var defaultStreams = 100
  /// Bytes of one response that may be on their way or held for a reader that is slow.
  package var streamWindow = 262_144
  /// Bytes of all responses that may be on their way. Given back as they arrive, so that one slow reader does not hold
  /// up the others: what is held is bounded by the streams' own windows.
  package var connectionWindow = 16 << 20
  /// With streams open and nothing heard for this long the peer is asked for a sign of life.
  package var pingAfter = Interval.seconds(10)
  /// No answer by then: the path is dead.
  package var pingTimeout = Interval.seconds(5)
  /// CONTINUATION frames behind one HEADERS frame.
  package var maxContinuations = 5
  /// RST_STREAM frames from the peer in `rateWindow`; a peer that refuses what we start needs no more than we start.
  package var maxResets = 2_000
  /// PING, SETTINGS and PRIORITY frames from the peer in `rateWindow`.
  package var maxControlFrames = 1_000
  /// Frames in a row that carry nothing.
  package var maxEmptyFrames = 8
  package var rateWindow = Interval.seconds(30)

  package init() {}
}
