extension String {
  /// The first place where `part` occurs, compared byte by byte. The standard library's search prepares tables that
  /// cost more than a whole answer here.
  func firstByteRange(of part: String) -> Range<String.Index>? {
    var text = self
    var part = part
    let found = part.withUTF8 { needle in
      text.withUTF8 { bytes in Self.firstOffset(of: needle, in: bytes).map { ($0, needle.count) } }
    }
    guard let (offset, count) = found else { return nil }
    let start = utf8.index(startIndex, offsetBy: offset)
    return start..<utf8.index(start, offsetBy: count)
  }

  private static func firstOffset(
    of needle: UnsafeBufferPointer<UInt8>, in bytes: UnsafeBufferPointer<UInt8>
  ) -> Int? {
    guard let first = needle.first, bytes.count >= needle.count else { return nil }
    for start in 0...bytes.count - needle.count where bytes[start] == first {
      if bytes[start..<start + needle.count].elementsEqual(needle) { return start }
    }
    return nil
  }
}
