package import NIOCore
package import SluiceDialects

/// One request, serialised by the caller: the connection adds nothing to it.
package struct UpstreamRequest: Sendable {
  /// The complete head with its empty line. Its framing fields have to describe `body` exactly.
  package var head: ByteBuffer
  package var body: ByteBuffer?
  /// Further pieces, when the body does not lie in one buffer.
  package var moreBody: [ByteBuffer]
  /// The method is HEAD, so that the response has no body whatever its head says.
  package var isHead: Bool
  /// False when the head asks with `connection: close` for the connection to end with this exchange.
  package var keepAlive: Bool

  package init(
    head: ByteBuffer, body: ByteBuffer? = nil, moreBody: [ByteBuffer] = [], isHead: Bool = false,
    keepAlive: Bool = true
  ) {
    self.head = head
    self.body = body
    self.moreBody = moreBody
    self.isHead = isHead
    self.keepAlive = keepAlive
  }
}

/// What of a response's body came with one read.
package enum UpstreamBodyPart: Sendable {
  /// Payload only, a slice of what was read.
  case payload(ByteBuffer)
  /// Whole chunks with their framing, exactly as read: the read began and ended between two chunks, and every chunk is
  /// written in the shortest way, without extensions. May be forwarded untouched to a peer that also gets chunks.
  ///
  /// `payload` are the ranges of the chunks' payload, relative to the buffer's reader index. `last`: the buffer ends
  /// with the last chunk, so the forwarder must not write a terminator of its own.
  case raw(ByteBuffer, payload: [ByteRange], last: Bool)

  /// Bytes of payload, without framing.
  package var payloadBytes: Int {
    switch self {
    case .payload(let buffer): buffer.readableBytes
    case .raw(_, let ranges, _): ranges.reduce(0) { $0 + Int($1.count) }
    }
  }

  /// Every piece of payload in order. The pointer is valid inside `body` only.
  package func forEachPayload(_ body: (UnsafeRawBufferPointer) -> Void) {
    switch self {
    case .payload(let buffer): buffer.withUnsafeReadableBytes(body)
    case .raw(let buffer, let ranges, _):
      buffer.withUnsafeReadableBytes { bytes in
        for range in ranges { body(range.slice(bytes)) }
      }
    }
  }
}

/// The other side of an exchange: receives the response on the connection's event loop.
///
/// Order of calls: `upstreamHead`, any number of `upstreamBody`, then `upstreamEnd`; or at any point `upstreamFailed`
/// instead of what is left. Exactly one of the last two ends the exchange, and nothing is called after it, nor after
/// `HTTPConnection.cancel()`. None is called from inside `HTTPConnection.start`. Every callback may call `cancel`,
/// `setReading` and `close`; `upstreamEnd` and `upstreamFailed` may also start the connection's next exchange.
package protocol UpstreamPeer: AnyObject {
  /// The final response's head; its offsets are relative to the reader index of `bytes`, which hold exactly the head.
  /// `reused`: the connection had served before.
  func upstreamHead(_ head: ResponseHead, bytes: ByteBuffer, reused: Bool)
  func upstreamBody(_ part: UpstreamBodyPart)
  /// No more for now: the moment to flush. Not called after the end of the exchange, which is one as well.
  func upstreamReadComplete()
  /// The response is complete. `reusable` false: the connection closes by itself.
  func upstreamEnd(reusable: Bool)
  func upstreamFailed(_ failure: UpstreamFailure)
}
