/// Why a document is not JSON, and where.
package struct JSONError: Error, Sendable, Hashable {
  package var reason: String
  package var offset: Int
}

/// A strict RFC 8259 decoder over bytes. Depth is bounded, so recursion is too; so is the number of values, which
/// take several times the room of their shortest text.
package struct JSONReader {
  private let bytes: ByteView
  private var position = 0
  private var values = 0
  private static let maxDepth = 256
  private static let maxValues = 4_000_000

  private init(_ bytes: ByteView) {
    self.bytes = bytes
  }

  package static func read(_ bytes: ByteSlice) throws(JSONError) -> JSONValue {
    var reader = JSONReader(bytes.view)
    reader.skipSpace()
    let value = try reader.value(depth: 0)
    reader.skipSpace()
    guard reader.position == bytes.count else { throw reader.failure("extra data after the document") }
    return value
  }

  package static func read(_ bytes: [UInt8]) throws(JSONError) -> JSONValue {
    let result: Result<JSONValue, JSONError> = bytes.withSlice { slice in
      do throws(JSONError) { return .success(try read(slice)) } catch { return .failure(error) }
    }
    return try result.get()
  }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private func failure(_ reason: String) -> JSONError { JSONError(reason: reason, offset: position) }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
  }

  private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
    guard depth < Self.maxDepth else { throw failure("nested too deeply") }
    values += 1
    guard values <= Self.maxValues else { throw failure("too many values") }
    switch next {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try text())
    case UInt8(ascii: "t"): return try literal("true", .bool(true))
    case UInt8(ascii: "f"): return try literal("false", .bool(false))
    case UInt8(ascii: "n"): return try literal("null", .null)
    case let byte? where byte == UInt8(ascii: "-") || Self.isDigit(byte): return try number()
    case nil: throw failure("the document ends early")
    default: throw failure("unexpected character")
    }
  }

  private mutating func literal(_ word: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
    let word = ByteView(word)
    guard bytes.count - position >= word.count else { throw failure("the document ends early") }
    for index in 0..<word.count where bytes[position + index] != word[index] {
      throw failure("unexpected character")
    }
    position += word.count
    return value
  }

  private mutating func object(depth: Int) throws(JSONError) -> JSONValue {
    position += 1
    var members: [JSONMember] = []
    skipSpace()
    if next == UInt8(ascii: "}") {
      position += 1
      return .object(members)
    }
    while true {
      skipSpace()
      guard next == UInt8(ascii: "\"") else { throw failure("expected a name") }
      let name = try text()
      skipSpace()
      guard next == UInt8(ascii: ":") else { throw failure("expected ':'") }
      position += 1
      skipSpace()
      members.append(JSONMember(name: name, value: try value(depth: depth + 1)))
      skipSpace()
      let separator = next
      position += 1
      if separator == UInt8(ascii: "}") { return .object(members) }
      guard separator == UInt8(ascii: ",") else { throw failure("expected ',' or '}'") }
    }
  }

  private mutating func array(depth: Int) throws(JSONError) -> JSONValue {
    position += 1
    var items: [JSONValue] = []
    skipSpace()
    if next == UInt8(ascii: "]") {
      position += 1
      return .array(items)
    }
    while true {
      skipSpace()
      items.append(try value(depth: depth + 1))
      skipSpace()
      let separator = next
      position += 1
      if separator == UInt8(ascii: "]") { return .array(items) }
      guard separator == UInt8(ascii: ",") else { throw failure("expected ',' or ']'") }
    }
  }

  private mutating func number() throws(JSONError) -> JSONValue {
    let start = position
    var isInteger = true
    if next == UInt8(ascii: "-") { position += 1 }
    let first = next
    let whole = digits()
    guard whole > 0, whole == 1 || first != UInt8(ascii: "0") else { throw failure("malformed number") }
    if next == UInt8(ascii: ".") {
      isInteger = false
      position += 1
      guard digits() > 0 else { throw failure("malformed number") }
    }
    if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
      isInteger = false
      position += 1
      if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { position += 1 }
      guard digits() > 0 else { throw failure("malformed number") }
    }
    return JSONNumber.value(plainText(start, position), isInteger: isInteger)
  }

  private mutating func digits() -> Int {
    let start = position
    while let byte = next, Self.isDigit(byte) { position += 1 }
    return position - start
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
  }

  private func plainText(_ start: Int, _ end: Int) -> String {
    unsafe String(decoding: bytes.bytes(start..<end), as: UTF8.self)
  }

  private mutating func text() throws(JSONError) -> String {
    position += 1
    let start = position
    var all: UInt8 = 0
    while position < bytes.count {
      let byte = bytes[position]
      if byte == UInt8(ascii: "\"") {
        let text = all < 0x80 ? plainText(start, position) : try validText(start, position)
        position += 1
        return text
      }
      if byte == UInt8(ascii: "\\") { return try escapedText(from: start) }
      guard byte >= 0x20 else { throw failure("control character in a string") }
      all |= byte
      position += 1
    }
    throw failure("unterminated string")
  }

  private func validText(_ start: Int, _ end: Int) throws(JSONError) -> String {
    guard let text = unsafe Self.valid(bytes.bytes(start..<end)) else { throw failure("invalid UTF-8") }
    return text
  }

  /// What is not valid is repaired, and by that differs from the bytes. The library's own `String(validating:)` is not
  /// specialised: it looks up types at run time, which took a third of what translating a stream cost.
  private static func valid(_ bytes: UnsafeRawBufferPointer) -> String? {
    var text = unsafe String(decoding: bytes, as: UTF8.self)
    let isSame = text.withUTF8 { unsafe $0.count == bytes.count && $0.elementsEqual(bytes) }
    return isSame ? text : nil
  }

  /// The slow way, entered at the first backslash.
  private mutating func escapedText(from start: Int) throws(JSONError) -> String {
    var decoded: [UInt8] = []
    unsafe decoded.append(contentsOf: bytes.bytes(start..<position))
    while let byte = next {
      position += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let text = unsafe decoded.withUnsafeBytes({ unsafe Self.valid($0) }) else {
          throw failure("invalid UTF-8")
        }
        return text
      case UInt8(ascii: "\\"):
        try escape(into: &decoded)
      case 0..<0x20:
        throw failure("control character in a string")
      default:
        decoded.append(byte)
      }
    }
    throw failure("unterminated string")
  }

  private mutating func escape(into decoded: inout [UInt8]) throws(JSONError) {
    guard let byte = next else { throw failure("unterminated string") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): decoded.append(byte)
    case UInt8(ascii: "b"): decoded.append(0x08)
    case UInt8(ascii: "f"): decoded.append(0x0C)
    case UInt8(ascii: "n"): decoded.append(0x0A)
    case UInt8(ascii: "r"): decoded.append(0x0D)
    case UInt8(ascii: "t"): decoded.append(0x09)
    case UInt8(ascii: "u"): decoded.append(contentsOf: String(try unicodeEscape()).utf8)
    default: throw failure("unknown escape")
    }
  }

  private mutating func unicodeEscape() throws(JSONError) -> Unicode.Scalar {
    let first = try hexadecimal()
    if let scalar = Unicode.Scalar(first) { return scalar }
    // A high surrogate must be followed by a low one; anything else has no meaning as text.
    guard (0xD800...0xDBFF).contains(first), next == UInt8(ascii: "\\") else { throw failure("lone surrogate") }
    position += 1
    guard next == UInt8(ascii: "u") else { throw failure("lone surrogate") }
    position += 1
    let second = try hexadecimal()
    guard (0xDC00...0xDFFF).contains(second) else { throw failure("lone surrogate") }
    guard let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)) else {
      throw failure("lone surrogate")
    }
    return scalar
  }

  private mutating func hexadecimal() throws(JSONError) -> UInt32 {
    var number: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw failure("malformed unicode escape")
      }
      number = number << 4 | UInt32(digit)
      position += 1
    }
    return number
  }
}
