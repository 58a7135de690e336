package import SluiceDialects
package import SluicePolicy

/// Bounds on what one client can make the gateway hold or wait for.
package struct GatewayLimits: Hashable, Sendable {
  /// Bounds of request heads and chunk framing.
  package var http = HTTPLimits.standard
  /// Bytes of one request body.
  package var maxRequestBody = 32 << 20
  /// From a request's first byte until its head is complete.
  package var headTimeout = Interval.seconds(10)
  /// How long a body may make no progress.
  package var bodyTimeout = Interval.seconds(60)
  /// Bytes a second that a body has to come with, beyond the first `bodyTimeout`; 0: any.
  package var minBodyRate = 500
  /// Before the first request, and between two.
  package var idleTimeout = Interval.seconds(75)
  /// Bytes of further requests taken from a client whose answer is still under way.
  package var maxPipelinedBytes = 65_536
  /// Bytes of a plain answer held back until it is complete.
  package var maxHeldAnswer = 262_144
  /// Bytes of an unfinished stream event held back until it is complete.
  package var maxHeldEvent = 262_144
  /// Longest silence towards a client while the model thinks; nothing: no comments are sent.
  package var keepaliveComment: Interval? = .seconds(15)
  /// How long the administration side may take to begin an answer.
  package var adminTimeout = Interval.seconds(30)
  /// Request bytes that are read and dropped after an answer that came before the request's end, so that the client
  /// gets to see it, and for how long.
  package var maxLingerBytes = 1 << 20
  package var lingerTimeout = Interval.seconds(2)
  /// Unsent bytes towards one client from which on its upstream is not read.
  package var writeHighWater = 131_072
  package var writeLowWater = 32_768

  package init() {}
}
