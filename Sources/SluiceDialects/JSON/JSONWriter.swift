/// Writes small JSON documents, such as error bodies and administration answers. Commas are set by the writer; the
/// caller opens, names and closes in order.
package struct JSONWriter: Sendable {
  package private(set) var bytes: [UInt8]
  private var needsComma = false

  package init(capacity: Int = 256) {
    bytes = []
    bytes.reserveCapacity(capacity)
  }

  package mutating func beginObject() { begin(0x7B) }
  package mutating func endObject() { end(0x7D) }
  package mutating func beginArray() { begin(0x5B) }
  package mutating func endArray() { end(0x5D) }

  package mutating func key(_ name: StaticString) {
    separate()
    unsafe quoted(name.utf8Bytes)
    bytes.append(Ascii.colon)
    needsComma = false
  }

  /// A name that is not known when compiling.
  package mutating func key(text name: String) {
    separate()
    quotedText(name)
    bytes.append(Ascii.colon)
    needsComma = false
  }

  package mutating func string(_ value: String) { scalar { $0.quotedText(value) } }
  package mutating func string(_ value: StaticString) { scalar { unsafe $0.quoted(value.utf8Bytes) } }
  /// Text of unknown origin: invalid UTF-8 becomes U+FFFD.
  package mutating func string(bytes value: UnsafeRawBufferPointer) {
    scalar { unsafe $0.quotedText(String(decoding: value, as: UTF8.self)) }
  }
  package mutating func int(_ value: Int) { scalar { $0.bytes.append(contentsOf: "\(value)".utf8) } }
  package mutating func bool(_ value: Bool) { scalar { $0.bytes.append(contentsOf: (value ? "true" : "false").utf8) } }
  package mutating func null() { scalar { $0.bytes.append(contentsOf: "null".utf8) } }
  /// JSON has no infinities and no NaN: they become null.
  package mutating func double(_ value: Double) {
    scalar { $0.bytes.append(contentsOf: (value.isFinite ? "\(value)" : "null").utf8) }
  }
  /// A value that is JSON already.
  package mutating func raw(_ value: UnsafeRawBufferPointer) {
    scalar { unsafe $0.bytes.append(contentsOf: value) }
  }

  package mutating func member(_ name: StaticString, _ value: String?) {
    key(name)
    if let value { string(value) } else { null() }
  }
  package mutating func member(_ name: StaticString, _ value: Int?) {
    key(name)
    if let value { int(value) } else { null() }
  }
  package mutating func member(_ name: StaticString, _ value: Bool) {
    key(name)
    bool(value)
  }
}

extension JSONWriter {
  private mutating func begin(_ bracket: UInt8) {
    separate()
    bytes.append(bracket)
    needsComma = false
  }

  private mutating func end(_ bracket: UInt8) {
    bytes.append(bracket)
    needsComma = true
  }

  private mutating func separate() {
    if needsComma { bytes.append(Ascii.comma) }
  }

  private mutating func scalar(_ write: (inout JSONWriter) -> Void) {
    separate()
    write(&self)
    needsComma = true
  }

  private mutating func quotedText(_ text: String) {
    var text = text
    text.withUTF8 { unsafe quoted(UnsafeRawBufferPointer($0)) }
  }

  /// `bytes` are valid UTF-8. Escapes what RFC 8259 §7 demands, and DEL for the sake of terminals.
  private mutating func quoted(_ text: UnsafeRawBufferPointer) {
    bytes.append(Ascii.quote)
    let view = unsafe ByteView(text)
    for index in 0..<view.count {
      let byte = view[index]
      switch byte {
      case Ascii.quote, Ascii.backslash: bytes.append(contentsOf: [Ascii.backslash, byte])
      case 0x0A: bytes.append(contentsOf: "\\n".utf8)
      case 0x0D: bytes.append(contentsOf: "\\r".utf8)
      case 0x09: bytes.append(contentsOf: "\\t".utf8)
      case 0..<0x20, 0x7F:
        bytes.append(contentsOf: "\\u00".utf8)
        bytes.append(contentsOf: [Ascii.hexDigit(byte >> 4), Ascii.hexDigit(byte & 15)])
      default: bytes.append(byte)
      }
    }
    bytes.append(Ascii.quote)
  }
}
