/// Reads a response's head, as strict about lengths and lines as the client side: an upstream that is not understood
/// exactly would desynchronise every later exchange on its connection.
package enum ResponseHeadParser {
  package static func parse(
    _ bytes: UnsafeRawBufferPointer, requestMethod: HTTPMethodToken, limits: HTTPLimits = .standard
  ) -> HeadParse<ResponseHead> {
    var search = HeadEndSearch()
    return unsafe parse(bytes, requestMethod: requestMethod, limits: limits, search: &search)
  }

  package static func parse(
    _ bytes: UnsafeRawBufferPointer, requestMethod: HTTPMethodToken, limits: HTTPLimits,
    search: inout HeadEndSearch
  ) -> HeadParse<ResponseHead> {
    var spare = HeaderIndex()
    return unsafe parse(bytes, requestMethod: requestMethod, limits: limits, search: &search, reusing: &spare)
  }

  /// The same over a head that arrives in pieces: `search` remembers what has been looked at. `bytes` begins with the
  /// same byte each time and only grows. After an informational head, start the next one with a fresh `search`.
  /// The memory of `spare`, an index that is not needed any more, is used for the new one.
  package static func parse(
    _ bytes: UnsafeRawBufferPointer, requestMethod: HTTPMethodToken, limits: HTTPLimits,
    search: inout HeadEndSearch, reusing spare: inout HeaderIndex
  ) -> HeadParse<ResponseHead> {
    let view = unsafe ByteView(bytes)
    guard beginsLikeStatusLine(view) else { return .invalid(.statusLine) }
    switch search.advance(view, skipsEmptyLines: false, limits: limits) {
    case .invalid(let error): return .invalid(error)
    case .incomplete: return .incomplete
    case .found(let start, let end):
      do throws(HTTPParseError) {
        return .complete(try head(view, start, end, requestMethod, limits, &spare), consumed: end)
      } catch {
        return .invalid(error)
      }
    }
  }

  /// Garbage is refused with its first byte, not after a timeout.
  private static func beginsLikeStatusLine(_ view: ByteView) -> Bool {
    let prefix = ByteView("HTTP/")
    for index in 0..<min(prefix.count, view.count) where view[index] != prefix[index] { return false }
    return true
  }

  private static func head(
    _ view: ByteView, _ start: Int, _ end: Int, _ requestMethod: HTTPMethodToken, _ limits: HTTPLimits,
    _ spare: inout HeaderIndex
  ) throws(HTTPParseError) -> ResponseHead {
    let line = try StatusLine(view, start, end)
    var fields = FieldSection(reusing: &spare)
    try fields.parse(view, from: line.end, end: end, limits: limits)
    let isOld = line.version == .zero
    if isOld, fields.headers.contains(.transferEncoding) { throw .transferEncodingInOldVersion }
    // HTTP/1.0 has no interim responses: what follows could be a body as well as a head.
    if isOld, line.status < 200 { throw .statusLine }
    // An upgrade is never asked for, so the connection's protocol is in doubt.
    if line.status == 101 { throw .unexpectedUpgrade }
    let framed: BodyLength =
      fields.isChunked ? .chunked : fields.contentLength.map(BodyLength.fixed) ?? .untilClose
    let hasNoBody = line.status < 200 || line.status == 204 || line.status == 304 || requestMethod == .head
    // A body announced where none may be could be sent all the same: such a connection is not used again.
    let isDoubtful = (line.status < 200 || line.status == 204) && framed != .untilClose && !framed.isEmpty
    let persists = !fields.hasClose && (!isOld || fields.hasKeepAlive)
    return ResponseHead(
      status: line.status, version: line.version, reason: line.reason, headers: fields.headers,
      bodyLength: hasNoBody ? .none : framed,
      keepAlive: persists && !isDoubtful && (hasNoBody || framed != .untilClose),
      isEventStream: isEventStream(view, fields.headers), keepAliveTimeout: timeout(view, fields.headers))
  }

  private static let streamTypes: [StaticString] = [
    "text/event-stream", "application/x-ndjson", "application/vnd.amazon.eventstream",
  ]

  private static func isEventStream(_ view: ByteView, _ headers: HeaderIndex) -> Bool {
    guard let type = headers.first(.contentType)?.range else { return false }
    let semicolon = view.firstIndex(of: Ascii.semicolon, from: type.lowerBound, to: type.upperBound)
    let essence = view.trimmed(type.lowerBound, semicolon ?? type.upperBound)
    for stream in streamTypes where view.matches(ByteRange(essence), lowercased: stream) { return true }
    return false
  }

  /// `timeout=N` among the parameters of `keep-alive`.
  private static func timeout(_ view: ByteView, _ headers: HeaderIndex) -> Int? {
    guard let value = headers.first(.keepAlive)?.range else { return nil }
    var timeout: Int?
    view.forEachListElement(value) { element in
      let prefix = ByteView("timeout=")
      guard element.count > prefix.count, view.matches(from: element.lowerBound, count: prefix.count, prefix)
      else { return }
      timeout = timeout ?? view.decimal(element.lowerBound + prefix.count..<element.upperBound)
    }
    return timeout
  }
}

/// `HTTP/1.x SP 3DIGIT [SP reason] CRLF`. The space before an empty reason is often left out; nothing else is lenient.
private struct StatusLine {
  let version: HTTPMinorVersion
  let status: Int
  let reason: ByteRange
  /// Behind the line's CRLF.
  let end: Int

  init(_ view: ByteView, _ start: Int, _ end: Int) throws(HTTPParseError) {
    guard start + 14 <= end, view.equals(start..<start + 5, "HTTP/"), Ascii.isDigit(view[start + 5]),
      view[start + 6] == 0x2E, Ascii.isDigit(view[start + 7]), view[start + 8] == Ascii.space
    else { throw .statusLine }
    guard view[start + 5] == 0x31, let minor = HTTPMinorVersion(rawValue: view[start + 7] &- Ascii.zero) else {
      throw .versionNotSupported
    }
    guard let code = view.decimal(start + 9..<start + 12), (100...599).contains(code) else { throw .statusLine }
    let afterCode = view[start + 12]
    guard afterCode == Ascii.space || afterCode == Ascii.carriageReturn else { throw .statusLine }
    let reasonStart = afterCode == Ascii.space ? start + 13 : start + 12
    let reasonEnd = try FieldSection.valueEnd(view, from: reasonStart, end: end)
    version = minor
    status = code
    reason = ByteRange(reasonStart..<reasonEnd)
    self.end = reasonEnd + 2
  }
}
