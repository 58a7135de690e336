/// Names of pools, keys and regions.
enum NameRule {
  static func isValid(_ name: String) -> Bool {
    guard (1...64).contains(name.utf8.count), let first = name.utf8.first, isAlphanumeric(first) else { return false }
    return name.utf8.allSatisfy { isAlphanumeric($0) || ".-_".utf8.contains($0) }
  }

  static func isAlphanumeric(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
  }
}

/// What may stand in a `host` header, without port: a name, an IPv4 address, or an IPv6 address without brackets.
enum HostRule {
  static func isValid(_ host: String) -> Bool {
    guard (1...253).contains(host.utf8.count) else { return false }
    let isAddress = host.utf8.lazy.filter { $0 == 0x3A }.count >= 2
    return host.utf8.allSatisfy { byte in
      isAddress
        ? byte == 0x3A || byte == 0x2E || Hexadecimal.isDigit(byte)
        : byte == 0x2D || byte == 0x2E || byte == 0x5F || NameRule.isAlphanumeric(byte)
    }
  }
}

/// Pairs of hexadecimal digits.
enum Hexadecimal {
  static func bytes(_ text: String) -> [UInt8]? {
    let digits = text.utf8.compactMap(digit)
    guard digits.count == text.utf8.count, digits.count % 2 == 0 else { return nil }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }

  static func isDigit(_ byte: UInt8) -> Bool { digit(byte) != nil }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x41 + 10
    case 0x61...0x66: byte - 0x61 + 10
    default: nil
    }
  }

  static func text(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}

/// The URL of a proxy: a base URL over http without a path, perhaps with `user:password@`.
enum ProxyURL {
  static func isValid(_ text: String) -> Bool {
    guard text.hasPrefix("http://") else { return false }
    let rest = text.dropFirst(7)
    guard let at = rest.lastIndex(of: "@") else { return isPlain(text) }
    let user = rest[..<at]
    let isUserValid = !user.isEmpty && user.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x2F && $0 != 0x40 }
    return isUserValid && isPlain("http://" + rest[rest.index(after: at)...])
  }

  private static func isPlain(_ text: String) -> Bool { BaseURL(text).map { $0.path.isEmpty } ?? false }
}
