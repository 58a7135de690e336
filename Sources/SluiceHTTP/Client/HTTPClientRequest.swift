package import NIOCore
package import SluiceDialects
package import SluicePolicy

/// A request in words, for callers that are not on the data path.
package struct HTTPClientRequest: Sendable {
  package var method: String
  /// Begins with a slash; the query, if any, behind a question mark.
  package var path: String
  /// Beside `host`, `content-length` and `accept-encoding: identity`, which are added.
  package var headers: [(name: String, value: String)]
  package var body: ByteBuffer?

  package init(
    method: String = "GET", path: String, headers: [(name: String, value: String)] = [], body: ByteBuffer? = nil
  ) {
    self.method = method
    self.path = path
    self.headers = headers
    self.body = body
  }

  /// Refuses what would end a line or a word early.
  package func serialised(host: String, basePath: String) throws(HTTPClientError) -> UpstreamRequest {
    guard path.utf8.first == UInt8(ascii: "/"), Self.isToken(method) else { throw .invalidRequest(.invalidName) }
    let fields: [UInt8]
    do {
      fields = try HeaderWriter.bytes { writer in
        writer.field("host", host)
        for (name, value) in headers { writer.field(named: name, value) }
        if let body { writer.field("content-length", body.readableBytes) }
        writer.field("accept-encoding", "identity" as StaticString)
        writer.endHead()
      }
    } catch {
      throw .invalidRequest(error)
    }
    let target = basePath + path
    guard target.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "#") }) else {
      throw .invalidRequest(.invalidName)
    }
    var head = ByteBuffer()
    head.writeString("\(method) \(target) HTTP/1.1\r\n")
    head.writeBytes(fields)
    return UpstreamRequest(head: head, body: body, isHead: method == "HEAD")
  }

  private static func isToken(_ text: String) -> Bool {
    let special = "!#$%&'*+-.^_`|~".utf8
    return !text.isEmpty && text.utf8.count <= 32
      && text.utf8.allSatisfy {
        ($0 >= 0x30 && $0 <= 0x39) || ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A) || special.contains($0)
      }
  }
}

/// Separate clocks, each with its own name in the error.
package struct HTTPClientTimeouts: Hashable, Sendable {
  /// For a connection of the pool.
  package var acquire = Interval.seconds(30)
  /// From sending to the response's head.
  package var head = Interval.seconds(60)
  /// Between two pieces of the body, while somebody wants them.
  package var between = Interval.seconds(60)
  package var total = Interval.seconds(600)

  package init() {}
}

package enum HTTPClientError: Error, Hashable, Sendable, CustomStringConvertible {
  package enum Clock: String, Hashable, Sendable {
    case head, between, total
  }

  case timeout(Clock)
  case upstream(UpstreamFailure)
  case bodyTooLarge(limit: Int)
  case invalidRequest(HeaderWriteError)
  /// The body was let go of before its end.
  case abandoned

  package var description: String {
    switch self {
    case .timeout(let clock): "no answer in time (\(clock.rawValue))"
    case .upstream(let failure): "the upstream broke: \(failure)"
    case .bodyTooLarge(let limit): "the answer is longer than \(limit) bytes"
    case .invalidRequest(let error): "the request cannot be written: \(error.rawValue)"
    case .abandoned: "the answer was not read to its end"
    }
  }

  /// What it means for the pool.
  package var failureClass: FailureClass {
    switch self {
    case .timeout: .timeout
    case .upstream(let failure): failure.failureClass
    case .bodyTooLarge, .invalidRequest: .caller
    case .abandoned: .cancelled
    }
  }
}
