/// What a look at the bytes received so far gave.
package enum HeadParse<Head: Sendable>: Sendable {
  /// The empty line has not arrived; nothing refusable so far.
  case incomplete
  /// A whole head; its body begins at `consumed`.
  case complete(Head, consumed: Int)
  case invalid(HTTPParseError)
}

/// How the end of a message's body is found (RFC 9112 §6.3).
package enum BodyLength: Hashable, Sendable {
  case none
  /// Exactly this many bytes (`content-length`), which may be zero.
  case fixed(Int)
  case chunked
  /// Responses only: the body ends with the connection.
  case untilClose

  /// No byte of a body follows the head.
  package var isEmpty: Bool { self == .none || self == .fixed(0) }
}

/// HTTP/1.0 or HTTP/1.1: all that is accepted.
package enum HTTPMinorVersion: UInt8, Hashable, Sendable {
  case zero = 0
  case one = 1
}
