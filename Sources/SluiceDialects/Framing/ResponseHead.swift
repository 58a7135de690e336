/// A response's head: what forwarding, framing and metering need, as offsets into the bytes that were parsed.
package struct ResponseHead: Sendable {
  /// 100…599.
  package let status: Int
  package let version: HTTPMinorVersion
  /// The reason phrase, possibly empty.
  package let reason: ByteRange
  package let headers: HeaderIndex
  package let bodyLength: BodyLength
  /// The upstream lets the connection live on, and the body's end is certain.
  package let keepAlive: Bool
  /// `content-type` is that of a stream of events: `text/event-stream`, lines of JSON, AWS's binary messages.
  package let isEventStream: Bool
  /// Seconds of the `keep-alive: timeout=N` hint.
  package let keepAliveTimeout: Int?

  /// Another head follows: 100 Continue, 103 Early Hints and their like.
  package var isInformational: Bool { status < 200 }
}
