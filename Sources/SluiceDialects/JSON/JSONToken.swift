/// A step through a JSON document. Strings and numbers are offsets; nothing is decoded unless asked for.
package enum JSONToken: Hashable, Sendable {
  case beginObject, endObject, beginArray, endArray
  case key(JSONString)
  case string(JSONString)
  case number(ByteRange)
  case bool(Bool)
  case null
  /// The document is complete and only whitespace followed.
  case end
}

/// A string literal that was validated: escapes and UTF-8 are well-formed.
package struct JSONString: Hashable, Sendable {
  /// The bytes between the quotes, escapes still in them.
  package let content: ByteRange
  package let hasEscapes: Bool

  /// The literal with its quotes.
  package var literal: ByteRange { ByteRange(start: content.lowerBound - 1, count: Int(content.count) + 2) }

  /// Whether the decoded string equals `text`, which holds ASCII only.
  package func equals(_ text: StaticString, in bytes: UnsafeRawBufferPointer) -> Bool {
    unsafe equals(text, ByteView(bytes))
  }

  /// The decoded string; nil when it holds a surrogate without its pair, which JSON allows but text cannot express.
  package func decoded(in bytes: UnsafeRawBufferPointer) -> String? {
    guard hasEscapes else { return unsafe content.string(in: bytes) }
    var units: [UInt8] = []
    units.reserveCapacity(Int(content.count))
    var reader = unsafe EscapeReader(ByteView(bytes), content.range)
    while let next = reader.next() {
      switch next {
      case .byte(let byte): units.append(byte)
      case .scalar(let scalar): units.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
      case .loneSurrogate: return nil
      }
    }
    return String(decoding: units, as: UTF8.self)
  }
}

extension JSONString {
  @inline(__always)
  func equals(_ text: StaticString, _ view: ByteView) -> Bool {
    hasEscapes ? equalsDecoding(text, view) : view.equals(content.range, text)
  }

  private func equalsDecoding(_ text: StaticString, _ view: ByteView) -> Bool {
    let expected = ByteView(text)
    var reader = EscapeReader(view, content.range)
    var index = 0
    while let next = reader.next() {
      guard index < expected.count, let byte = next.ascii, byte == expected[index] else { return false }
      index += 1
    }
    return index == expected.count
  }
}

/// Walks through the decoded content of a validated string literal.
struct EscapeReader {
  enum Unit {
    case byte(UInt8)
    case scalar(Unicode.Scalar)
    case loneSurrogate

    var ascii: UInt8? {
      switch self {
      case .byte(let byte): byte
      case .scalar(let scalar): scalar.isASCII ? UInt8(scalar.value) : nil
      case .loneSurrogate: nil
      }
    }
  }

  private let view: ByteView
  private var position: Int
  private let end: Int

  init(_ view: ByteView, _ content: Range<Int>) {
    self.view = view
    position = content.lowerBound
    end = content.upperBound
  }

  mutating func next() -> Unit? {
    guard position < end else { return nil }
    let byte = view[position]
    position += 1
    guard byte == Ascii.backslash, position < end else { return .byte(byte) }
    let kind = view[position]
    position += 1
    switch kind {
    case 0x62: return .byte(0x08)
    case 0x66: return .byte(0x0C)
    case 0x6E: return .byte(0x0A)
    case 0x72: return .byte(0x0D)
    case 0x74: return .byte(0x09)
    case 0x75: return unicode()
    default: return .byte(kind)
    }
  }

  /// `\uXXXX`, and a second one when the first is the upper half of a pair.
  private mutating func unicode() -> Unit {
    guard let first = fourDigits(at: position) else { return .loneSurrogate }
    position += 4
    if let scalar = Unicode.Scalar(first) { return .scalar(scalar) }
    guard first < 0xDC00, position + 6 <= end, view[position] == Ascii.backslash, view[position + 1] == 0x75,
      let second = fourDigits(at: position + 2), (0xDC00...0xDFFF).contains(second),
      let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
    else { return .loneSurrogate }
    position += 6
    return .scalar(scalar)
  }

  private func fourDigits(at start: Int) -> UInt32? {
    guard start + 4 <= end else { return nil }
    var value: UInt32 = 0
    for index in start..<start + 4 {
      guard let digit = Ascii.hexValue(view[index]) else { return nil }
      value = value << 4 | UInt32(digit)
    }
    return value
  }
}
