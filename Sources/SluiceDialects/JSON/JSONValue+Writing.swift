extension JSONValue {
  /// Appends the value as compact JSON text. Infinities, which JSON cannot say, become null.
  package func append(to bytes: inout [UInt8]) {
    switch self {
    case .null: bytes.append("null")
    case .bool(let flag): bytes.append(flag ? "true" : "false")
    case .int(let number): bytes.append(decimal: number)
    case .double(let number):
      if number.isFinite { bytes.append(contentsOf: number.description.utf8) } else { bytes.append("null") }
    case .literal(let text): bytes.append(contentsOf: text.utf8)
    case .string(let text): bytes.append(json: text)
    case .array(let items): Self.append(items, to: &bytes)
    case .object(let members): Self.append(members, to: &bytes)
    }
  }

  private static func append(_ items: [JSONValue], to bytes: inout [UInt8]) {
    bytes.append(Ascii.openBracket)
    for (index, item) in items.enumerated() {
      if index > 0 { bytes.append(Ascii.comma) }
      item.append(to: &bytes)
    }
    bytes.append(Ascii.closeBracket)
  }

  private static func append(_ members: [JSONMember], to bytes: inout [UInt8]) {
    bytes.append(Ascii.openBrace)
    for (index, member) in members.enumerated() {
      if index > 0 { bytes.append(Ascii.comma) }
      bytes.append(json: member.name)
      bytes.append(Ascii.colon)
      member.value.append(to: &bytes)
    }
    bytes.append(Ascii.closeBrace)
  }

  /// The value as compact JSON text.
  package var jsonText: String {
    var bytes: [UInt8] = []
    append(to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }
}

extension [UInt8] {
  /// A JSON string with its quotes; escapes what RFC 8259 §7 demands and nothing else.
  package mutating func append(json text: String) {
    var text = text
    append(Ascii.quote)
    text.withUTF8 { unsafe append(escaping: ByteView(UnsafeRawBufferPointer($0))) }
    append(Ascii.quote)
  }

  private mutating func append(escaping text: ByteView) {
    var start = 0
    var index = 0
    while index < text.count {
      if index &+ 8 <= text.count, !Self.needsEscape(text.word(at: index)) {
        index &+= 8
        continue
      }
      let byte = text[index]
      if byte < 0x20 || byte == Ascii.quote || byte == Ascii.backslash {
        unsafe append(contentsOf: text.bytes(start..<index))
        append(escape: byte)
        start = index + 1
      }
      index &+= 1
    }
    unsafe append(contentsOf: text.bytes(start..<text.count))
  }

  /// Whether one of the eight bytes does.
  @inline(__always)
  private static func needsEscape(_ word: UInt64) -> Bool {
    Swar.below(word, 0x20) | Swar.zeroBytes(word ^ (0x22 &* Swar.ones)) | Swar.zeroBytes(word ^ (0x5C &* Swar.ones))
      != 0
  }

  private mutating func append(escape byte: UInt8) {
    append(Ascii.backslash)
    switch byte {
    case 0x0A: append(UInt8(ascii: "n"))
    case 0x0D: append(UInt8(ascii: "r"))
    case 0x09: append(UInt8(ascii: "t"))
    case Ascii.quote, Ascii.backslash: append(byte)
    default:
      append("u00")
      append(Ascii.hexDigit(byte >> 4))
      append(Ascii.hexDigit(byte & 15))
    }
  }
}
