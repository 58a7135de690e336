/// A request's head: what routing and framing need, as offsets into the bytes that were parsed.
package struct RequestHead: Sendable {
  package let method: HTTPMethodToken
  /// The request target exactly as received.
  package let target: ByteRange
  /// The target's path, percent-encoding untouched. Empty for an absolute target without a path (it means "/").
  package let path: ByteRange
  /// What follows the first "?", without it.
  package let query: ByteRange?
  package let version: HTTPMinorVersion
  package private(set) var headers: HeaderIndex
  /// `.none`, `.fixed` or `.chunked`.
  package let bodyLength: BodyLength
  /// The client lets the connection live on after this exchange.
  package let keepAlive: Bool
  /// The client waits for `100 Continue` before it sends the body.
  package let expectContinue: Bool
  /// Whom the request is meant for: the authority of an absolute target, else the `Host` field. HTTP/1.0 may have none.
  package let host: ByteRange?

  /// Gives up the index of the fields, so that the next head can use its memory.
  package mutating func takeHeaders() -> HeaderIndex {
    var taken = HeaderIndex()
    swap(&taken, &headers)
    return taken
  }
}
