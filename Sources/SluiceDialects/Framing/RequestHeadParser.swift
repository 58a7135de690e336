/// Reads a request's head: RFC 9112 without its leniencies, for bytes of unknown clients.
///
/// Refused although some servers accept it: line folding, bare CR or LF, whitespace before a colon, control bytes,
/// `Transfer-Encoding` beside `Content-Length`, any second `Content-Length`, codings other than `chunked`, a missing,
/// repeated or malformed `Host`, user information, fragments, `CONNECT`, versions other than 1.0 and 1.1.
package enum RequestHeadParser {
  /// A method longer than this is nobody's.
  static let maxMethodBytes = 32

  /// Looks at everything received so far; for heads that arrive in one piece.
  package static func parse(
    _ bytes: UnsafeRawBufferPointer, limits: HTTPLimits = .standard
  ) -> HeadParse<RequestHead> {
    var search = HeadEndSearch()
    return unsafe parse(bytes, limits: limits, search: &search)
  }

  package static func parse(
    _ bytes: UnsafeRawBufferPointer, limits: HTTPLimits, search: inout HeadEndSearch
  ) -> HeadParse<RequestHead> {
    var spare = HeaderIndex()
    return unsafe parse(bytes, limits: limits, search: &search, reusing: &spare)
  }

  /// The same over a head that arrives in pieces: `search` remembers what has been looked at. `bytes` begins with the
  /// same byte each time and only grows. The memory of `spare`, an index that is not needed any more, is used for the
  /// new one.
  package static func parse(
    _ bytes: UnsafeRawBufferPointer, limits: HTTPLimits, search: inout HeadEndSearch, reusing spare: inout HeaderIndex
  ) -> HeadParse<RequestHead> {
    let view = unsafe ByteView(bytes)
    switch search.advance(view, skipsEmptyLines: true, limits: limits) {
    case .invalid(let error): return .invalid(error)
    case .incomplete:
      return refusesBeginning(view, search) ? .invalid(.method) : .incomplete
    case .found(let start, let end):
      do throws(HTTPParseError) {
        return .complete(try head(view, start, end, limits, &spare), consumed: end)
      } catch {
        return .invalid(error)
      }
    }
  }

  /// Bytes that cannot begin a method (a TLS hello, binary data) are refused without waiting for a line's end.
  private static func refusesBeginning(_ view: ByteView, _ search: HeadEndSearch) -> Bool {
    let stop = min(view.count, search.startLine + maxMethodBytes + 1)
    for index in search.startLine..<max(stop, search.startLine) {
      if view[index] == Ascii.space { return index == search.startLine }
      if view[index] == Ascii.carriageReturn { return index != search.startLine }
      if !Ascii.isToken(view[index]) { return true }
    }
    return stop - search.startLine > maxMethodBytes
  }

  private static func head(
    _ view: ByteView, _ start: Int, _ end: Int, _ limits: HTTPLimits, _ spare: inout HeaderIndex
  ) throws(HTTPParseError) -> RequestHead {
    let line = try RequestLine(view, start, end)
    var fields = FieldSection(reusing: &spare)
    try fields.parse(view, from: line.end, end: end, limits: limits)
    let isOld = line.version == .zero
    if isOld, fields.headers.contains(.transferEncoding) { throw .transferEncodingInOldVersion }
    let host = try hostField(view, fields.headers, isOld)
    return RequestHead(
      method: line.method, target: line.target, path: line.path, query: line.query, version: line.version,
      headers: fields.headers,
      bodyLength: fields.isChunked ? .chunked : fields.contentLength.map(BodyLength.fixed) ?? .none,
      keepAlive: !fields.hasClose && (!isOld || fields.hasKeepAlive),
      expectContinue: try expectsContinue(view, fields.headers) && !isOld, host: line.authority ?? host)
  }

  /// Exactly one `Host` in HTTP/1.1, at most one in HTTP/1.0 (RFC 9112 §3.2).
  private static func hostField(
    _ view: ByteView, _ headers: HeaderIndex, _ isOld: Bool
  ) throws(HTTPParseError) -> ByteRange? {
    guard let host = headers.first(.host) else {
      if isOld { return nil }
      throw .missingHost
    }
    guard !headers.hasSecond(.host) else { throw .duplicateHost }
    guard Authority.isValid(view, host.range) else { throw .host }
    return host
  }

  private static func expectsContinue(_ view: ByteView, _ headers: HeaderIndex) throws(HTTPParseError) -> Bool {
    guard let expectation = headers.first(.expect) else { return false }
    guard !headers.hasSecond(.expect), view.matches(expectation, lowercased: "100-continue") else {
      throw .expectation
    }
    return true
  }
}
