/// The method of a request. Methods are case-sensitive (RFC 9110 §9.1).
package enum HTTPMethodToken: Hashable, Sendable {
  case get, head, post, put, patch, delete, options, trace
  /// Another valid token; its bytes are in the request.
  case other(ByteRange)

  package var name: StaticString? {
    switch self {
    case .get: "GET"
    case .head: "HEAD"
    case .post: "POST"
    case .put: "PUT"
    case .patch: "PATCH"
    case .delete: "DELETE"
    case .options: "OPTIONS"
    case .trace: "TRACE"
    case .other: nil
    }
  }

  /// The method as text; `bytes` are those that were parsed.
  package func string(in bytes: UnsafeRawBufferPointer) -> String {
    if case .other(let range) = self { return unsafe range.string(in: bytes) }
    return name.map { "\($0)" } ?? ""
  }
}
