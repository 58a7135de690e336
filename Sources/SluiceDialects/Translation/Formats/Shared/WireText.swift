/// Small pieces of text that several protocols spell alike.
enum WireText {
  static func isAlphanumeric(_ byte: UInt8) -> Bool {
    byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26
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
