import NIOCore
import NIOHPACK
import SluiceDialects

/// A response's head in the form that everything above a connection knows: the bytes of an HTTP/1.1 head.
enum HTTP2ResponseHead {
  /// - Parameter isEnd: no body follows.
  static func make(
    _ fields: HPACKHeaders, isHead: Bool, isEnd: Bool, limits: HTTPLimits
  ) -> Result<(ResponseHead, ByteBuffer), HTTPParseError> {
    var bytes = ByteBufferAllocator().buffer(capacity: 512)
    var hasLength = false
    var hasStatus = false
    for (name, value, _) in fields {
      if name.utf8.first == UInt8(ascii: ":") {
        guard name == ":status", !hasStatus, isPlain(value) else { return .failure(.statusLine) }
        hasStatus = true
        writeStatus(value, to: &bytes)
        continue
      }
      guard hasStatus else { return .failure(.statusLine) }
      guard !name.utf8.contains(UInt8(ascii: ":")) else { return .failure(.headerName) }
      guard isPlain(value) else { return .failure(.controlByte) }
      if concernsConnection(name) { continue }
      if name == "content-length" { hasLength = true }
      bytes.writeString(name)
      bytes.writeStaticString(": ")
      bytes.writeString(value)
      bytes.writeStaticString("\r\n")
      // Offsets into a head have 16 bits.
      guard bytes.readableBytes <= limits.maxHeadBytes else { return .failure(.headTooLarge) }
    }
    if isEnd, !hasLength, !isHead { bytes.writeStaticString("content-length: 0\r\n") }
    bytes.writeStaticString("\r\n")
    return parsed(bytes, isHead: isHead, limits: limits)
  }

  private static func parsed(
    _ bytes: ByteBuffer, isHead: Bool, limits: HTTPLimits
  ) -> Result<(ResponseHead, ByteBuffer), HTTPParseError> {
    let result = bytes.withUnsafeReadableBytes {
      ResponseHeadParser.parse($0, requestMethod: isHead ? .head : .get, limits: limits)
    }
    switch result {
    case .complete(let head, _): return .success((head, bytes))
    case .invalid(let error): return .failure(error)
    case .incomplete: return .failure(.statusLine)
    }
  }

  /// HTTP/2 has no reason phrases; clients of HTTP/1.1 are used to them.
  private static func writeStatus(_ status: String, to bytes: inout ByteBuffer) {
    bytes.writeStaticString("HTTP/1.1 ")
    bytes.writeString(status)
    switch status {
    case "200": bytes.writeStaticString(" OK\r\n")
    case "400": bytes.writeStaticString(" Bad Request\r\n")
    case "401": bytes.writeStaticString(" Unauthorized\r\n")
    case "404": bytes.writeStaticString(" Not Found\r\n")
    case "429": bytes.writeStaticString(" Too Many Requests\r\n")
    case "500": bytes.writeStaticString(" Internal Server Error\r\n")
    case "503": bytes.writeStaticString(" Service Unavailable\r\n")
    default: bytes.writeStaticString(" \r\n")
    }
  }

  /// A line end inside a value would begin a field that nobody sent.
  private static func isPlain(_ value: String) -> Bool {
    value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }
  }

  /// Fields that HTTP/2 has no use for; the codec refuses most of them.
  private static func concernsConnection(_ name: String) -> Bool {
    switch name {
    case "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade": true
    default: false
    }
  }
}
