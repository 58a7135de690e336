package import SluiceDialects

/// The simulator's tokens: text is cut before every space, and such a piece costs one token for every started six
/// bytes (never within a character). This is near what the providers count for English prose, exactly reproducible,
/// and the same for prompts, answers and the pieces of a stream.
package enum TokenRule {
  private static let bytesPerToken = 6

  package static func count(_ text: String) -> Int {
    var text = text
    return text.withUTF8 { bytes in
      var tokens = 0
      var position = 0
      while position < bytes.count {
        position = end(of: bytes, from: position)
        tokens += 1
      }
      return tokens
    }
  }

  /// The end of the token that starts at `position`.
  package static func end(of bytes: UnsafeBufferPointer<UInt8>, from position: Int) -> Int {
    let count = bytes.count
    let limit = min(count, position + bytesPerToken)
    var index = position + 1
    while index < limit, bytes[index] != 0x20 { index += 1 }
    // Not inside a character: its continuation bytes belong to the piece that holds its beginning.
    while index < count, bytes[index] & 0xC0 == 0x80 { index += 1 }
    return index
  }

  /// The text's first `limit` tokens.
  package static func prefix(_ text: String, tokens limit: Int) -> String {
    var text = text
    return text.withUTF8 { bytes in
      var position = 0
      var tokens = 0
      while position < bytes.count, tokens < limit {
        position = end(of: bytes, from: position)
        tokens += 1
      }
      return String(decoding: UnsafeBufferPointer(rebasing: bytes[..<position]), as: UTF8.self)
    }
  }

  /// Everything a model would have to read in a value: names, texts and numbers.
  package static func count(_ value: JSONValue) -> Int {
    switch value {
    case .null, .bool, .int, .double, .literal: 1
    case .string(let text): count(text)
    case .array(let items): items.reduce(0) { $0 + count($1) }
    case .object(let members): members.reduce(0) { $0 + count($1.name) + count($1.value) }
    }
  }
}
