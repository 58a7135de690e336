/// Names and ids in the alphabets of protocols that are stricter than the client's.
enum WireText {
  /// FNV-1a, 64 bits: the same everywhere and always, so that later turns of a conversation map alike without state.
  static func hash(_ text: String) -> UInt64 {
    text.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
  }

  /// 16 hexadecimal digits.
  static func digest(_ text: String) -> String {
    let value = hash(text)
    let digits = stride(from: 60, through: 0, by: -4).map {
      Ascii.hexDigit(UInt8(truncatingIfNeeded: value >> UInt64($0) & 15))
    }
    return String(decoding: digits, as: UTF8.self)
  }

  static func isAlphanumeric(_ byte: UInt8) -> Bool {
    byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26
  }

  /// `id` where the provider takes it, else a digest of it.
  static func callID(_ id: String, limit: Int, _ isAllowed: (UInt8) -> Bool) -> String {
    if !id.isEmpty, id.utf8.count <= limit, id.utf8.allSatisfy(isAllowed) { return id }
    return "call_" + digest(id)
  }

  /// The tool's name where the provider takes it; else what it takes of the name, made unique by a digest, and the
  /// way back is noted.
  static func toolName(
    _ name: String, limit: Int, _ notes: inout TranslationNotes, _ isAllowed: (UInt8) -> Bool
  ) -> String {
    let first = name.utf8.first ?? 0x30
    let begins = first == 0x5F || (first | 0x20) &- 0x61 < 26
    if begins, name.utf8.count <= limit, name.utf8.allSatisfy(isAllowed) { return name }
    var bytes = name.utf8.map { isAllowed($0) ? $0 : 0x5F }
    if !begins { bytes.insert(0x5F, at: 0) }
    let fitting = String(decoding: bytes.prefix(limit - 17), as: UTF8.self) + "_" + digest(name)
    notes.toolNames[fitting] = name
    return fitting
  }

  /// The `jpeg` of `image/jpeg; q=1`.
  static func subtype(_ mediaType: String) -> String {
    let plain = mediaType.prefix { $0 != ";" }
    return plain.split(separator: "/").last.map { $0.trimmingBlanks.lowercased() } ?? ""
  }
}

extension Substring {
  fileprivate var trimmingBlanks: Substring {
    var text = self
    while text.last == " " { text.removeLast() }
    return text
  }
}
