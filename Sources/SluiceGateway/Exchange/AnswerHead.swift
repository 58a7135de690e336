import NIOCore
import SluiceDialects
import SluicePolicy

/// How the end of an answer is shown to the client.
enum AnswerFraming: Hashable {
  case none
  case length(Int)
  case chunked
  /// HTTP/1.0 clients: the end of the connection.
  case untilClose

  func append(to out: inout [UInt8]) {
    switch self {
    case .none, .untilClose: break
    case .length(let count):
      out.append("content-length: ")
      out.append(decimal: count)
      out.append("\r\n")
    case .chunked: out.append("transfer-encoding: chunked\r\n")
    }
  }
}

/// What the gateway itself says in the head of an answer.
struct AnswerNotes {
  var id: RequestID
  var pool: String?
  var endpoint: String?
  var attempts: Int
  var phases: PhaseClock?
  var framing: AnswerFraming
  var closes: Bool
  /// Fields of the request that did not travel.
  var dropped: [String] = []

  func append(to out: inout [UInt8]) {
    framing.append(to: &out)
    out.append("x-sluice-request-id: ")
    id.append(to: &out)
    if let pool {
      out.append("\r\nx-sluice-pool: ")
      out.append(contentsOf: pool.utf8)
    }
    if let endpoint {
      out.append("\r\nx-sluice-endpoint: ")
      out.append(contentsOf: endpoint.utf8)
    }
    out.append("\r\nx-sluice-attempts: ")
    out.append(decimal: attempts)
    if !dropped.isEmpty {
      out.append("\r\nx-sluice-dropped: ")
      out.append(contentsOf: HeaderText.visible(dropped.joined(separator: ",")).utf8)
    }
    if let phases {
      out.append("\r\nserver-timing: ")
      ServerTiming.append(phases, to: &out)
    }
    out.append(closes ? "\r\nconnection: close\r\n\r\n" : "\r\n\r\n")
  }
}

/// Writes heads of answers.
enum AnswerHead {
  /// A provider's head, without what belongs to its own connection or to the gateway.
  ///
  /// - Parameters:
  ///   - advice: replaces the provider's own word on when to retry.
  ///   - contentType: replaces the provider's own.
  static func append(
    _ head: ResponseHead, from buffer: ByteBuffer, advice: GatewayError? = nil, contentType: StaticString? = nil,
    notes: AnswerNotes, to out: inout [UInt8]
  ) {
    buffer.withUnsafeReadableBytes { bytes in
      let source = ByteSlice(bytes)
      out.append("HTTP/1.1 ")
      out.append(decimal: head.status)
      out.append(0x20)
      out.append(contentsOf: head.reason.slice(bytes))
      out.append("\r\n")
      FieldCopier.append(head.headers, from: bytes, to: &out) { field in
        if let advice, Self.isAdvice(field.known, replacedBy: advice) { return false }
        if contentType != nil, field.known == .contentType { return false }
        return HeaderFilter.travelsDown(field, in: source)
      }
    }
    if let contentType {
      out.append("content-type: ")
      out.append(contentType)
      out.append("\r\n")
    }
    if let advice { GatewayErrorBody.appendRetryHeaders(advice, to: &out) }
    notes.append(to: &out)
  }

  private static func isAdvice(_ known: KnownHeader, replacedBy advice: GatewayError) -> Bool {
    switch known {
    case .retryAfter, .retryAfterMilliseconds: advice.retryAfter != nil
    case .shouldRetry: advice.shouldRetry != nil
    default: false
    }
  }

  /// An answer of the gateway's own, head and body.
  ///
  /// - Parameters:
  ///   - hasBody: false for HEAD: the same head, and nothing behind it.
  ///   - date: the `date` line.
  static func appendError(
    _ error: GatewayError, surface: Surface, allow: String? = nil, hasBody: Bool, date: [UInt8], notes: AnswerNotes,
    to out: inout [UInt8]
  ) {
    let body = GatewayErrorBody.render(surface, error, requestID: notes.id.description)
    var notes = notes
    notes.framing = .length(body.count)
    appendStatus(error.status, date: date, to: &out)
    out.append("content-type: application/json\r\n")
    if let allow {
      out.append("allow: ")
      out.append(contentsOf: allow.utf8)
      out.append("\r\n")
    }
    GatewayErrorBody.appendRetryHeaders(error, to: &out)
    GatewayErrorBody.appendShapeHeaders(surface, error, to: &out)
    notes.append(to: &out)
    if hasBody { out.append(contentsOf: body) }
  }

  static func appendJSON(_ body: [UInt8], date: [UInt8], notes: AnswerNotes, to out: inout [UInt8]) {
    appendStatus(200, date: date, to: &out)
    out.append("content-type: application/json\r\n")
    notes.append(to: &out)
    out.append(contentsOf: body)
  }

  /// The first lines of an answer of the gateway's own.
  static func appendStatus(_ status: Int, date: [UInt8], to out: inout [UInt8]) {
    out.append("HTTP/1.1 ")
    out.append(decimal: status)
    out.append(0x20)
    out.append(reason(status))
    out.append("\r\n")
    out.append(contentsOf: date)
  }

  private static func reason(_ status: Int) -> StaticString {
    switch status {
    case 200: "OK"
    case 202: "Accepted"
    case 204: "No Content"
    case 304: "Not Modified"
    case 400: "Bad Request"
    case 401: "Unauthorized"
    case 403: "Forbidden"
    case 404: "Not Found"
    case 405: "Method Not Allowed"
    case 408: "Request Timeout"
    case 409: "Conflict"
    case 413: "Content Too Large"
    case 414: "URI Too Long"
    case 415: "Unsupported Media Type"
    case 417: "Expectation Failed"
    case 422: "Unprocessable Content"
    case 429: "Too Many Requests"
    case 431: "Request Header Fields Too Large"
    case 500: "Internal Server Error"
    case 501: "Not Implemented"
    case 502: "Bad Gateway"
    case 503: "Service Unavailable"
    case 504: "Gateway Timeout"
    case 505: "HTTP Version Not Supported"
    default: ""
    }
  }
}
