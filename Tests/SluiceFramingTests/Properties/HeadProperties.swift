import SluiceDialects

/// Heads: any division gives the same result; every range lies in the head; what we accept, written again by our
/// writer, is accepted again with the same fields.
enum HeadProperties {
  static func checkRequest(_ bytes: [UInt8]) throws(ParserProperty.Violation) {
    let whole = bytes.withUnsafeBytes { outcome(RequestHeadParser.parse($0)) }
    for size in pieceSizes(bytes) {
      var search = HeadEndSearch()
      let divided = grow(bytes, size) { RequestHeadParser.parse($0, limits: .standard, search: &search) }
      try require(agrees(whole, divided), "pieces of \(size): \(divided), whole: \(whole)")
    }
    guard case .complete(let head, let consumed) = bytes.withUnsafeBytes({ RequestHeadParser.parse($0) }) else {
      return
    }
    try checkFields(head.headers, bytes, consumed)
    try require(head.target.upperBound <= consumed && head.path.upperBound <= consumed, "target outside the head")
    guard let method = head.method.name, head.target == head.path || head.query != nil else { return }
    let written = bytes.withUnsafeBytes { bytes in
      try? HeaderWriter.bytes { writer in
        writer.requestLine(
          method: method, path: head.path.slice(bytes), query: head.query.map { $0.slice(bytes) }, prefix: nil)
        head.headers.forEach { writer.field($0, from: bytes) }
        writer.endHead()
      }
    }
    guard let written, head.target.count == head.path.count + (head.query.map { $0.count + 1 } ?? 0) else { return }
    guard head.version == .one else { return }
    let again = written.withUnsafeBytes { RequestHeadParser.parse($0) }
    guard case .complete(let copy, written.count) = again else {
      throw ParserProperty.Violation(description: "our own writing is refused: \(again)")
    }
    try require(
      copy.headers.count == head.headers.count && copy.bodyLength == head.bodyLength
        && copy.keepAlive == head.keepAlive && copy.method == head.method, "our own writing reads differently")
  }

  static func checkResponse(_ bytes: [UInt8]) throws(ParserProperty.Violation) {
    let whole = bytes.withUnsafeBytes { outcome(ResponseHeadParser.parse($0, requestMethod: .post)) }
    for size in pieceSizes(bytes) {
      var search = HeadEndSearch()
      let divided = grow(bytes, size) {
        ResponseHeadParser.parse($0, requestMethod: .post, limits: .standard, search: &search)
      }
      try require(agrees(whole, divided), "pieces of \(size): \(divided), whole: \(whole)")
    }
    let parsed = bytes.withUnsafeBytes { ResponseHeadParser.parse($0, requestMethod: .post) }
    guard case .complete(let head, let consumed) = parsed else { return }
    try checkFields(head.headers, bytes, consumed)
    try require((100...599).contains(head.status), "status \(head.status)")
    try require(head.bodyLength != .untilClose || !head.keepAlive, "kept alive without an end of the body")
  }

  private static func checkFields(
    _ headers: HeaderIndex, _ bytes: [UInt8], _ consumed: Int
  ) throws(ParserProperty.Violation) {
    for index in headers.indices {
      let field = headers[index]
      try require(field.name.upperBound < field.value.lowerBound, "value before its name")
      try require(field.value.upperBound + 4 <= consumed, "field outside the head")
      let name = bytes[field.name.range]
      try require(!name.isEmpty && name.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x3A }, "name is no token")
      let value = bytes[field.value.range]
      try require(value.allSatisfy { $0 == 9 || $0 >= 0x20 && $0 != 0x7F }, "control byte in a value")
      let lowered = name.map { 0x41 <= $0 && $0 <= 0x5A ? $0 | 0x20 : $0 }
      let known = KnownHeader.allCases.first { "\($0.name)".utf8.elementsEqual(lowered) } ?? .other
      try require(field.known == known, "\(name) is taken for \(field.known)")
    }
  }

  /// The result of a whole look, comparable: `incomplete`, the error, or how much was consumed and the framing.
  private static func outcome(_ parse: HeadParse<RequestHead>) -> String {
    switch parse {
    case .incomplete: "incomplete"
    case .invalid(let error): error.label
    case .complete(let head, let consumed):
      "complete \(consumed) \(head.target) \(head.headers.count) \(head.bodyLength) \(head.keepAlive)"
    }
  }

  private static func outcome(_ parse: HeadParse<ResponseHead>) -> String {
    switch parse {
    case .incomplete: "incomplete"
    case .invalid(let error): error.label
    case .complete(let head, let consumed):
      "complete \(consumed) \(head.status) \(head.headers.count) \(head.bodyLength) \(head.keepAlive)"
    }
  }

  private static func grow(
    _ bytes: [UInt8], _ size: Int, _ parse: (UnsafeRawBufferPointer) -> HeadParse<RequestHead>
  ) -> String {
    var end = 0
    repeat {
      end = min(bytes.count, end + size)
      // Each time at another address, as a growing network buffer does.
      let result = outcome(Array(bytes[..<end]).withUnsafeBytes(parse))
      if result != "incomplete" { return result }
    } while end < bytes.count
    return "incomplete"
  }

  private static func grow(
    _ bytes: [UInt8], _ size: Int, _ parse: (UnsafeRawBufferPointer) -> HeadParse<ResponseHead>
  ) -> String {
    var end = 0
    repeat {
      end = min(bytes.count, end + size)
      let result = outcome(Array(bytes[..<end]).withUnsafeBytes(parse))
      if result != "incomplete" { return result }
    } while end < bytes.count
    return "incomplete"
  }

  /// A divided head may be refused for another reason than the whole one (what is seen first), never accepted instead.
  private static func agrees(_ whole: String, _ divided: String) -> Bool {
    let isRefusal = { (outcome: String) in outcome != "incomplete" && !outcome.hasPrefix("complete") }
    return whole == divided || isRefusal(whole) && isRefusal(divided)
  }
}
