/// A finished head made ready to be signed: what is sent and what is signed cannot differ afterwards, whatever a client
/// wrote into it. Its target is the canonical one, and there is one content type at most.
struct SignableHead {
  let method: String
  let target: [UInt8]
  let contentType: String?
  /// All lines, without the empty one that ends a head.
  let lines: [UInt8]

  /// Nothing when `head` has no request line.
  init?(_ head: [UInt8]) {
    guard let first = head.firstIndex(of: Ascii.space), head.suffix(2).elementsEqual("\r\n".utf8),
      let second = head[(first + 1)...].firstIndex(of: Ascii.space),
      let end = head[second...].firstIndex(of: Ascii.lineFeed)
    else { return nil }
    method = String(decoding: head[..<first], as: UTF8.self)
    target = head.withSlice { CanonicalTarget($0[first + 1..<second]).sent }
    var lines = Array(head[...first]) + target + head[second...end]
    contentType = head.withSlice { Self.copy($0.suffix(from: end + 1), to: &lines) }
    self.lines = lines
  }

  /// The content type on the way. One that does not fit into a signature, and any further one, is left out.
  private static func copy(_ fields: ByteSlice, to lines: inout [UInt8]) -> String? {
    var type: String?
    var start = 0
    while start < fields.count {
      let end = fields.firstIndex(of: Ascii.lineFeed, from: start).map { $0 + 1 } ?? fields.count
      let line = fields[start..<end]
      start = end
      if line.equals("\r\n") { break }
      if line.hasPrefixIgnoringCase("content-type:") {
        let value = line.suffix(from: 13).trimmed
        guard type == nil, (0..<value.count).allSatisfy({ (0x20...0x7E).contains(value[$0]) }) else { continue }
        type = value.string()
      }
      line.append(to: &lines)
    }
    return type
  }
}
