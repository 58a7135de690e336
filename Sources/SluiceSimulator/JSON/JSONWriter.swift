package import SluiceDialects

/// Appends JSON to an array of bytes. The caller writes punctuation as raw text: documents here have fixed shapes, and
/// a raw piece of a shape is both the quickest and the most readable way to say it.
package struct JSONWriter {
  package private(set) var bytes: [UInt8] = []

  package init(reserving capacity: Int = 512) {
    bytes.reserveCapacity(capacity)
  }

  /// Text that is already JSON.
  package mutating func raw(_ text: StaticString) {
    bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  /// Bytes that are already JSON.
  package mutating func raw(_ json: [UInt8]) {
    bytes.append(contentsOf: json)
  }

  package mutating func number(_ number: Int) {
    Self.append(number, to: &bytes)
  }

  /// A string with its quotes.
  package mutating func string(_ text: String) {
    bytes.append(UInt8(ascii: "\""))
    Self.appendEscaped(text.utf8, to: &bytes)
    bytes.append(UInt8(ascii: "\""))
  }

  /// A string, or `null`.
  package mutating func string(_ text: String?) {
    if let text { string(text) } else { raw("null") }
  }

  package mutating func value(_ value: JSONValue) { value.append(to: &bytes) }

  /// Items between brackets, with commas between them.
  package mutating func list<Items: Collection>(
    _ items: Items, _ open: StaticString = "[", _ close: StaticString = "]",
    _ write: (inout JSONWriter, Items.Element) -> Void
  ) {
    raw(open)
    var isFirst = true
    for item in items {
      if !isFirst { raw(",") }
      isFirst = false
      write(&self, item)
    }
    raw(close)
  }

  package static func append(_ number: Int, to bytes: inout [UInt8]) {
    if number >= 0, number < 10 {
      bytes.append(UInt8(ascii: "0") + UInt8(number))
    } else {
      bytes.append(contentsOf: String(number).utf8)
    }
  }

  package static func appendEscaped(_ text: some Sequence<UInt8>, to bytes: inout [UInt8]) {
    for byte in text {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        bytes.append(UInt8(ascii: "\\"))
        bytes.append(byte)
      case 0x0A: bytes.append(contentsOf: [UInt8(ascii: "\\"), UInt8(ascii: "n")])
      case 0..<0x20:
        bytes.append(contentsOf: Array("\\u00".utf8))
        bytes.append(hexDigit(byte >> 4))
        bytes.append(hexDigit(byte & 15))
      default: bytes.append(byte)
      }
    }
  }

  package static func hexDigit(_ nibble: UInt8) -> UInt8 {
    nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") + nibble - 10
  }
}
