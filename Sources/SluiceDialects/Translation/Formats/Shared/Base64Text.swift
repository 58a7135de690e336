/// Base64 in both alphabets of RFC 4648, with or without padding.
package enum Base64Text {
  /// The text in the standard alphabet with padding; nothing when it is no base64 at all.
  package static func standard(_ text: String) -> String? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count + 2)
    var padding = 0
    for byte in text.utf8 {
      switch byte {
      case 0x2D: bytes.append(0x2B)
      case 0x5F: bytes.append(0x2F)
      case 0x3D:
        padding += 1
        continue
      default:
        guard value(byte) != nil else { return nil }
        bytes.append(byte)
      }
      guard padding == 0 else { return nil }
    }
    guard padding <= 2, bytes.count % 4 != 1 else { return nil }
    while bytes.count % 4 != 0 { bytes.append(0x3D) }
    return String(decoding: bytes, as: UTF8.self)
  }

  package static func encode(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    var index = 0
    while index < bytes.count {
      let rest = bytes.count - index
      let second = rest > 1 ? bytes[index + 1] : 0
      let third = rest > 2 ? bytes[index + 2] : 0
      let word = UInt32(bytes[index]) << 16 | UInt32(second) << 8 | UInt32(third)
      text.append(digit(word >> 18))
      text.append(digit(word >> 12))
      text.append(rest > 1 ? digit(word >> 6) : 0x3D)
      text.append(rest > 2 ? digit(word) : 0x3D)
      index += 3
    }
    return String(decoding: text, as: UTF8.self)
  }

  package static func decode(_ text: ByteSlice) -> [UInt8]? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count / 4 * 3 + 3)
    var word: UInt32 = 0
    var digits = 0
    var padding = 0
    for index in 0..<text.count {
      let byte = text[index]
      if byte == 0x3D {
        padding += 1
        continue
      }
      guard padding == 0, let six = value(byte) else { return nil }
      word = word << 6 | UInt32(six)
      digits += 1
      if digits % 4 == 0 {
        for shift in [16, 8, 0] as [UInt32] { bytes.append(UInt8(truncatingIfNeeded: word >> shift)) }
      }
    }
    switch digits % 4 {
    case 0: break
    case 2: bytes.append(UInt8(truncatingIfNeeded: word >> 4))
    case 3:
      bytes.append(UInt8(truncatingIfNeeded: word >> 10))
      bytes.append(UInt8(truncatingIfNeeded: word >> 2))
    default: return nil
    }
    return padding <= 2 ? bytes : nil
  }

  private static func value(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x41...0x5A: byte - 0x41
    case 0x61...0x7A: byte - 0x61 + 26
    case 0x30...0x39: byte - 0x30 + 52
    case 0x2B, 0x2D: 62
    case 0x2F, 0x5F: 63
    default: nil
    }
  }

  private static func digit(_ six: UInt32) -> UInt8 {
    let value = UInt8(truncatingIfNeeded: six & 63)
    switch value {
    case 0..<26: return 0x41 + value
    case 26..<52: return 0x61 + value - 26
    case 52..<62: return 0x30 + value - 52
    case 62: return 0x2B
    default: return 0x2F
    }
  }
}
