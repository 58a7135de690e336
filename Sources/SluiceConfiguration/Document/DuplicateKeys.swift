/// Finds the second of two equal keys, which the YAML library does not point at.
///
/// To go on after the first duplicate, the second key is overwritten with as many characters of the private use area:
/// every other position stays what it was, and the tree builder leaves such keys out.
enum DuplicateKeys {
  private static let privateUse: ClosedRange<UInt32> = 0xE000...0xF8FF

  static func isMask(_ key: String) -> Bool { key.unicodeScalars.first.map { privateUse.contains($0.value) } ?? false }

  /// Place of the next key of this name in the same block mapping as the one at `first`; nil in a flow mapping.
  static func second(of key: String, first: (line: Int, column: Int), in text: String) -> (Int, Int)? {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard first.line >= 1, first.line < lines.count else { return nil }
    for index in first.line..<lines.count {
      let scalars = Array(lines[index].unicodeScalars)
      let indent = scalars.prefix { $0 == " " }.count
      if indent == scalars.count || scalars[indent] == "#" { continue }
      // A key in the first place of a list item, as in `- a: 1`, stands at its column too.
      if indent < first.column - 1 { return nil }
      if indent == first.column - 1, hasKey(key, in: scalars, at: indent) { return (index + 1, first.column) }
    }
    return nil
  }

  private static func hasKey(_ key: String, in line: [Unicode.Scalar], at start: Int) -> Bool {
    let name = Array(key.unicodeScalars)
    for spelling in [name, ["\""] + name + ["\""], ["'"] + name + ["'"]] {
      let rest = line.dropFirst(start)
      guard rest.starts(with: spelling) else { continue }
      let after = rest.dropFirst(spelling.count).drop { $0 == " " }
      if after.first == ":" { return true }
    }
    return false
  }

  /// The text with the key at that place overwritten. `number` makes the mask differ from others in the mapping.
  static func mask(_ key: String, line: Int, column: Int, in text: String, number: Int) -> String? {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { Array($0.unicodeScalars) }
    guard lines.indices.contains(line - 1) else { return nil }
    let quoted = lines[line - 1].dropFirst(column - 1).first.map { $0 == "\"" || $0 == "'" } ?? false
    let start = column - 1 + (quoted ? 1 : 0)
    let end = start + key.unicodeScalars.count
    guard start < end, end <= lines[line - 1].count else { return nil }
    lines[line - 1].replaceSubrange(start..<end, with: maskScalars(count: end - start, number: number))
    return lines.map { line in String(String.UnicodeScalarView(line)) }.joined(separator: "\n")
  }

  /// The number in the base of the area's size.
  private static func maskScalars(count: Int, number: Int) -> [Unicode.Scalar] {
    var rest = UInt32(truncatingIfNeeded: number)
    let base = UInt32(privateUse.count)
    return (0..<count).compactMap { _ in
      defer { rest /= base }
      return Unicode.Scalar(privateUse.lowerBound + rest % base)
    }
  }

  /// Whether the text has characters of the area already; then masks could not be told from keys.
  static func isUnmaskable(_ text: String) -> Bool {
    text.unicodeScalars.contains { privateUse.contains($0.value) }
  }
}
