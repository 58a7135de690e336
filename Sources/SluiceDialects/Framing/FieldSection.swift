/// The header fields of one head, and what they say about framing. Requests and responses share these rules
/// (RFC 9110 §5, RFC 9112 §5 and §6); what differs is decided by their parsers.
struct FieldSection {
  var headers: HeaderIndex
  var contentLength: Int?
  var isChunked = false
  var hasClose = false
  var hasKeepAlive = false

  /// - Parameter spare: an index that nobody needs any more; its memory is taken.
  init(reusing spare: inout HeaderIndex) {
    headers = HeaderIndex()
    swap(&headers, &spare)
    headers.removeAll()
  }

  /// Reads fields from `start` up to the empty line, which ends at `end`.
  ///
  /// Each line is `token ":" OWS value OWS CRLF`. Anything else is refused, folding included: two parsers that read a
  /// doubtful line differently are how requests are smuggled.
  mutating func parse(_ view: ByteView, from start: Int, end: Int, limits: HTTPLimits) throws(HTTPParseError) {
    let last = end - 2
    var position = start
    while position < last {
      guard headers.count < limits.maxHeaders else { throw .tooManyHeaders }
      position = try parseLine(view, from: position, end: end)
    }
    guard position == last else { throw .bareCarriageReturn }
    if headers.contains(.connection) { try readConnection(view) }
    if contentLength != nil, headers.contains(.transferEncoding) { throw .lengthAndTransferEncoding }
  }

  /// Reads one line and returns where the next one starts.
  private mutating func parseLine(_ view: ByteView, from start: Int, end: Int) throws(HTTPParseError) -> Int {
    let nameLimit = min(end, start + HeaderIndex.maxNameBytes + 1)
    guard let colon = view.firstIndex(of: Ascii.colon, from: start, to: nameLimit) else {
      throw Self.nameError(view, start, nameLimit, end)
    }
    let known = KnownHeader.identify(view, start, colon - start)
    if known == .other {
      guard colon > start else { throw .headerName }
      guard view.isPlainName(start, colon) || view.isToken(start..<colon) else {
        throw Self.nameError(view, start, colon, end)
      }
    }
    let valueEnd = try Self.valueEnd(view, from: colon + 1, end: end)
    let value = view.trimmed(colon + 1, valueEnd)
    headers.append(
      nameStart: start, nameCount: colon - start, valueStart: value.lowerBound, valueCount: value.count, known: known)
    switch known {
    case .contentLength:
      guard !view.hasTab(colon + 1, valueEnd) else { throw .contentLength }
      try readContentLength(view, value)
    case .transferEncoding:
      guard !view.hasTab(colon + 1, valueEnd) else { throw .transferEncoding }
      try readTransferEncoding(view, value)
    case .connection:
      guard !view.hasTab(colon + 1, valueEnd) else { throw .connectionHeader }
    default: break
    }
    return valueEnd + 2
  }

  /// The carriage return that ends the value. Values hold visible characters, spaces, tabs and bytes from 0x80.
  @inline(__always)
  static func valueEnd(_ view: ByteView, from start: Int, end: Int) throws(HTTPParseError) -> Int {
    var position = start
    while let control = view.firstControl(from: position, to: end) {
      switch view[control] {
      case Ascii.tab: position = control + 1
      case Ascii.carriageReturn:
        guard control + 1 < end, view[control + 1] == Ascii.lineFeed else { throw .bareCarriageReturn }
        return control
      case Ascii.lineFeed: throw .bareLineFeed
      default: throw .controlByte
      }
    }
    throw .bareCarriageReturn
  }

  /// Which rule a line without a valid `token ":"` broke.
  private static func nameError(_ view: ByteView, _ start: Int, _ stop: Int, _ end: Int) -> HTTPParseError {
    if view[start] == Ascii.space || view[start] == Ascii.tab { return .lineFolding }
    for index in start..<stop where !Ascii.isToken(view[index]) {
      switch view[index] {
      case Ascii.space, Ascii.tab: return .whitespaceBeforeColon
      case Ascii.carriageReturn:
        return index + 1 < end && view[index + 1] == Ascii.lineFeed ? .headerName : .bareCarriageReturn
      default: return .headerName
      }
    }
    return .headerNameTooLong
  }

  /// `1*DIGIT`, once, not beyond what an `Int` holds.
  private mutating func readContentLength(_ view: ByteView, _ value: Range<Int>) throws(HTTPParseError) {
    guard contentLength == nil else { throw .duplicateContentLength }
    guard let length = view.decimal(value) else { throw .contentLength }
    contentLength = length
  }

  /// `chunked`, once, alone: other codings are legal but not understood, and a body whose last coding is not `chunked`
  /// has no certain end.
  private mutating func readTransferEncoding(_ view: ByteView, _ value: Range<Int>) throws(HTTPParseError) {
    guard !headers.hasSecond(.transferEncoding) else { throw .transferEncoding }
    guard !view.matches(ByteRange(value), lowercased: "chunked") else { return isChunked = true }
    var last = value.lowerBound..<value.lowerBound
    var repeated = false
    var isToken = true
    view.forEachListElement(value) { element in
      if !last.isEmpty, view.matches(ByteRange(last), lowercased: "chunked") { repeated = true }
      last = element
      isToken = isToken && view.isToken(element)
    }
    guard !last.isEmpty, isToken, !repeated else { throw .transferEncoding }
    let alone = view.trimmed(value.lowerBound, value.upperBound) == last
    guard alone || view.matches(ByteRange(last), lowercased: "chunked") else { throw .transferEncoding }
    throw .transferCodingNotSupported
  }

  /// `close`, `keep-alive`, and the names of fields that concern this connection only.
  private mutating func readConnection(_ view: ByteView) throws(HTTPParseError) {
    if let value = headers.first(.connection), !headers.hasSecond(.connection) {
      // What nearly everyone sends.
      if view.matches(value, lowercased: "keep-alive") { return hasKeepAlive = true }
      if view.matches(value, lowercased: "close") { return hasClose = true }
    }
    var tokens = 0
    var isValid = true
    for index in headers.indices where headers.known(index) == .connection {
      view.forEachListElement(headers[index].value.range) { element in
        tokens += 1
        guard isValid, tokens <= Self.maxConnectionTokens, view.isToken(element) else { return isValid = false }
        switch KnownHeader.identify(view, element.lowerBound, element.count) {
        // A field that every recipient needs cannot be for one connection only (RFC 9110 §7.6.1).
        case .host, .contentLength: isValid = false
        case .keepAlive: hasKeepAlive = true
        default:
          if view.matches(ByteRange(element), lowercased: "close") { hasClose = true } else { mark(view, element) }
        }
      }
    }
    guard isValid else { throw .connectionHeader }
  }

  private mutating func mark(_ view: ByteView, _ token: Range<Int>) {
    for index in headers.indices where view.equalsIgnoringCase(headers[index].name.range, token) {
      headers.markConnectionListed(index)
    }
  }

  /// Each token is compared with every field, so their number is bounded.
  static let maxConnectionTokens = 32
}

extension HeaderIndex {
  /// More than one field of this identity so far.
  func hasSecond(_ known: KnownHeader) -> Bool { count(of: known) > 1 }
}

extension ByteView {
  /// Tabs count as whitespace around values, but not every parser strips them: where framing depends on the value,
  /// they are refused.
  fileprivate func hasTab(_ from: Int, _ to: Int) -> Bool { firstIndex(of: Ascii.tab, from: from, to: to) != nil }

  /// `1*DIGIT` up to `Int.max`, or nil.
  func decimal(_ range: Range<Int>) -> Int? {
    guard !range.isEmpty else { return nil }
    var value = 0
    for index in range {
      guard Ascii.isDigit(self[index]) else { return nil }
      let (product, overflowed) = value.multipliedReportingOverflow(by: 10)
      let (sum, carried) = product.addingReportingOverflow(Int(self[index] &- Ascii.zero))
      guard !overflowed, !carried else { return nil }
      value = sum
    }
    return value
  }

  func isToken(_ range: Range<Int>) -> Bool {
    !range.isEmpty && range.allSatisfy { Ascii.isToken(self[$0]) }
  }

  /// Elements of a comma-separated list without surrounding whitespace; empty elements are skipped (RFC 9110 §5.6.1).
  func forEachListElement(_ range: Range<Int>, _ body: (Range<Int>) -> Void) {
    var start = range.lowerBound
    while start < range.upperBound {
      let comma = firstIndex(of: Ascii.comma, from: start, to: range.upperBound) ?? range.upperBound
      let element = trimmed(start, comma)
      if !element.isEmpty { body(element) }
      start = comma + 1
    }
  }

  /// Compares two field names of this view; both hold token characters only.
  func equalsIgnoringCase(_ first: Range<Int>, _ second: Range<Int>) -> Bool {
    guard first.count == second.count else { return false }
    for offset in 0..<first.count {
      let left = self[first.lowerBound + offset]
      let right = self[second.lowerBound + offset]
      guard left == right || Ascii.lowercased(left) == Ascii.lowercased(right) else { return false }
    }
    return true
  }
}
