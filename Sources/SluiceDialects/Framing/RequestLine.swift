/// `method SP request-target SP HTTP/1.x CRLF` with exactly one space in both places.
struct RequestLine {
  let method: HTTPMethodToken
  let target: ByteRange
  let path: ByteRange
  let query: ByteRange?
  /// Only in an absolute target.
  let authority: ByteRange?
  let version: HTTPMinorVersion
  /// Behind the line's CRLF.
  let end: Int

  init(_ view: ByteView, _ start: Int, _ end: Int) throws(HTTPParseError) {
    guard let methodEnd = view.firstIndex(of: Ascii.space, from: start, to: end) else { throw .requestLine }
    method = try Self.method(view, start..<methodEnd)
    let targetStart = methodEnd + 1
    var targetEnd = targetStart
    while targetEnd < end, Ascii.isTarget(view[targetEnd]) { targetEnd += 1 }
    guard targetEnd < end, view[targetEnd] == Ascii.space else {
      throw targetEnd == targetStart || Self.endsLine(view, targetEnd, end) ? .requestLine : .target
    }
    guard targetEnd > targetStart else { throw .requestLine }
    version = try Self.version(view, targetEnd + 1, end)
    let parts = try TargetParts(view, targetStart..<targetEnd, method)
    target = ByteRange(targetStart..<targetEnd)
    path = ByteRange(parts.path)
    query = parts.query.map { ByteRange($0) }
    authority = parts.authority.map { ByteRange($0) }
    self.end = targetEnd + 1 + 8 + 2
  }

  private static func endsLine(_ view: ByteView, _ index: Int, _ end: Int) -> Bool {
    index >= end || view[index] == Ascii.carriageReturn
  }

  private static func method(_ view: ByteView, _ range: Range<Int>) throws(HTTPParseError) -> HTTPMethodToken {
    guard range.count <= RequestHeadParser.maxMethodBytes, view.isToken(range) else { throw .method }
    for (name, method) in known where view.equals(range, name) { return method }
    if view.equals(range, "CONNECT") { throw .connectMethod }
    return .other(ByteRange(range))
  }

  private static let known: [(StaticString, HTTPMethodToken)] = [
    ("POST", .post), ("GET", .get), ("HEAD", .head), ("OPTIONS", .options), ("DELETE", .delete), ("PUT", .put),
    ("PATCH", .patch), ("TRACE", .trace),
  ]

  /// `HTTP/1.0` or `HTTP/1.1` and the line's end. Another well-formed version is 505, anything else 400.
  private static func version(_ view: ByteView, _ start: Int, _ end: Int) throws(HTTPParseError) -> HTTPMinorVersion {
    guard start + 10 <= end, view.equals(start..<start + 5, "HTTP/"), view[start + 6] == 0x2E,
      Ascii.isDigit(view[start + 5]), Ascii.isDigit(view[start + 7])
    else { throw .version }
    guard view[start + 8] == Ascii.carriageReturn, view[start + 9] == Ascii.lineFeed else {
      throw view[start + 8] == Ascii.space ? .requestLine : .version
    }
    guard view[start + 5] == 0x31, let minor = HTTPMinorVersion(rawValue: view[start + 7] &- Ascii.zero) else {
      throw .versionNotSupported
    }
    return minor
  }
}

/// The forms of a request target (RFC 9112 §3.2). The authority form belongs to `CONNECT` and is refused.
private struct TargetParts {
  let path: Range<Int>
  let query: Range<Int>?
  let authority: Range<Int>?

  init(_ view: ByteView, _ target: Range<Int>, _ method: HTTPMethodToken) throws(HTTPParseError) {
    var start = target.lowerBound
    if target.count == 1, view[start] == 0x2A {
      guard method == .options else { throw .targetForm }
      path = target
      query = nil
      authority = nil
      return
    }
    if view[start] == Ascii.slash {
      authority = nil
    } else {
      start = try Self.schemeEnd(view, target)
      var stop = start
      while stop < target.upperBound, view[stop] != Ascii.slash, view[stop] != Ascii.questionMark { stop += 1 }
      guard Authority.isValid(view, start..<stop) else { throw .target }
      authority = start..<stop
      start = stop
    }
    let mark = view.firstIndex(of: Ascii.questionMark, from: start, to: target.upperBound)
    path = start..<(mark ?? target.upperBound)
    query = mark.map { $0 + 1..<target.upperBound }
  }

  private static func schemeEnd(_ view: ByteView, _ target: Range<Int>) throws(HTTPParseError) -> Int {
    let start = target.lowerBound
    if view.matches(from: start, count: min(7, target.count), ByteView("http://")) { return start + 7 }
    if view.matches(from: start, count: min(8, target.count), ByteView("https://")) { return start + 8 }
    throw .targetForm
  }
}

/// `uri-host [":" port]` of RFC 9110 §7.2, not empty, without user information.
enum Authority {
  static func isValid(_ view: ByteView, _ range: Range<Int>) -> Bool {
    guard !range.isEmpty else { return false }
    var hostEnd = range.upperBound
    if view[range.lowerBound] == 0x5B {
      guard let close = view.firstIndex(of: 0x5D, from: range.lowerBound, to: range.upperBound) else { return false }
      let isAddress = (range.lowerBound + 1..<close).allSatisfy { Self.isName(view[$0]) || view[$0] == Ascii.colon }
      guard isAddress, close > range.lowerBound + 1 else { return false }
      hostEnd = close + 1
    } else {
      hostEnd = view.firstIndex(of: Ascii.colon, from: range.lowerBound, to: range.upperBound) ?? range.upperBound
      let isName = (range.lowerBound..<hostEnd).allSatisfy { Self.isName(view[$0]) }
      guard isName, hostEnd > range.lowerBound else { return false }
    }
    guard hostEnd < range.upperBound else { return true }
    guard view[hostEnd] == Ascii.colon else { return false }
    let port = hostEnd + 1..<range.upperBound
    return port.isEmpty || port.count <= 5 && (view.decimal(port).map { $0 <= 65_535 } ?? false)
  }

  private static func isName(_ byte: UInt8) -> Bool {
    Ascii.isAuthority(byte) && byte != 0x5B && byte != 0x5D && byte != Ascii.colon
  }
}

extension ByteView {
  func equals(_ range: Range<Int>, _ text: StaticString) -> Bool {
    let other = ByteView(text)
    guard range.count == other.count else { return false }
    for offset in 0..<other.count where self[range.lowerBound + offset] != other[offset] { return false }
    return true
  }
}
