/// A request target in the one form that AWS reduces every spelling to before it checks a signature: no empty and no dot
/// segments in the path; names and values of the query decoded, encoded by RFC 3986 and sorted. Sent in this form, there
/// is nothing left in it that two programs could read differently.
struct CanonicalTarget {
  /// Percent-encoded as it came.
  let path: [UInt8]
  /// Without the question mark; empty for none.
  let query: String

  init(_ target: ByteSlice) {
    let mark = target.firstIndex(of: Ascii.questionMark)
    path = Self.path(target[0..<(mark ?? target.count)])
    query = mark.map { Self.query(target.suffix(from: $0 + 1)) } ?? ""
  }

  /// As it goes into the request line.
  var sent: [UInt8] { query.isEmpty ? path : path + [Ascii.questionMark] + Array(query.utf8) }

  /// Every segment of the sent path is encoded once more: `%3A` becomes `%253A`.
  var signedPath: String {
    var bytes: [UInt8] = []
    for byte in path { PercentText.append(byte, keepsSlash: true, to: &bytes) }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func path(_ path: ByteSlice) -> [UInt8] {
    var kept: [Range<Int>] = []
    var start = 0
    while start <= path.count {
      let end = path.firstIndex(of: Ascii.slash, from: start) ?? path.count
      let segment = path[start..<end]
      if segment.equals("..") {
        _ = kept.popLast()
      } else if end > start, !segment.equals(".") {
        kept.append(start..<end)
      }
      start = end + 1
    }
    var bytes: [UInt8] = []
    for range in kept {
      bytes.append(Ascii.slash)
      path[range].append(to: &bytes)
    }
    if bytes.isEmpty || (path.count > 0 && path[path.count - 1] == Ascii.slash) { bytes.append(Ascii.slash) }
    return bytes
  }

  private static func query(_ query: ByteSlice) -> String {
    var pairs: [(name: String, value: String)] = []
    var start = 0
    while start < query.count {
      let end = query.firstIndex(of: 0x26, from: start) ?? query.count
      let pair = query[start..<end]
      start = end + 1
      guard !pair.isEmpty else { continue }
      let mark = pair.firstIndex(of: 0x3D) ?? pair.count
      pairs.append((encoded(pair[0..<mark]), encoded(pair.suffix(from: mark + 1))))
    }
    return pairs.sorted { $0 < $1 }.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
  }

  private static func encoded(_ text: ByteSlice) -> String {
    var bytes: [UInt8] = []
    for byte in PercentDecoding.bytes(text) { PercentText.append(byte, to: &bytes) }
    return String(decoding: bytes, as: UTF8.self)
  }
}
