/// Percent-encoding of names that become part of a path or query.
enum PercentText {
  /// Appends `text`; only RFC 3986's unreserved characters stay as they are.
  static func append(_ text: String, keepsSlash: Bool = false, to target: inout [UInt8]) {
    for byte in text.utf8 { append(byte, keepsSlash: keepsSlash, to: &target) }
  }

  static func append(_ byte: UInt8, keepsSlash: Bool = false, to target: inout [UInt8]) {
    if isUnreserved(byte) || (keepsSlash && byte == Ascii.slash) { return target.append(byte) }
    target.append(0x25)
    target.append(upperHex(byte >> 4))
    target.append(upperHex(byte & 15))
  }

  static func isUnreserved(_ byte: UInt8) -> Bool {
    WireText.isAlphanumeric(byte) || byte == 0x2D || byte == 0x2E || byte == 0x5F || byte == 0x7E
  }

  private static func upperHex(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x37 + value }
}
