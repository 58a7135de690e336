/// A provider's base URL, normalised: lower-case scheme and host, no default port, no slash at the end.
public struct BaseURL: Hashable, Sendable, CustomStringConvertible {
  /// `http` or `https`.
  public let scheme: String
  /// A name or an IP address, without brackets.
  public let host: String
  /// The port to connect to.
  public let port: Int
  /// Empty, or a path that begins with `/` and does not end with it.
  public let path: String

  /// Reads an absolute http or https URL without user, query or fragment. Nil if it is not one.
  public init?(_ text: String) {
    guard text.utf8.count <= 2048, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }),
      let separator = text.firstRange(of: "://")
    else { return nil }
    let scheme = text[..<separator.lowerBound].lowercased()
    guard scheme == "http" || scheme == "https" else { return nil }
    let rest = text[separator.upperBound...]
    guard !rest.contains(where: { $0 == "?" || $0 == "#" || $0 == "@" }) else { return nil }
    let slash = rest.firstIndex(of: "/") ?? rest.endIndex
    guard let (host, port) = BaseURL.authority(rest[..<slash]) else { return nil }
    var path = rest[slash...]
    while path.hasSuffix("/") { path = path.dropLast() }
    self.scheme = scheme
    self.host = host
    self.port = port ?? (scheme == "https" ? 443 : 80)
    self.path = String(path)
  }

  /// The URL in its normal form.
  public var description: String {
    let name = host.contains(":") ? "[\(host)]" : host
    let isDefault = port == (scheme == "https" ? 443 : 80)
    return "\(scheme)://\(name)\(isDefault ? "" : ":\(port)")\(path)"
  }

  private static func authority(_ text: Substring) -> (String, Int?)? {
    var host = text
    var port: Int?
    if text.hasPrefix("[") {
      guard let close = text.firstIndex(of: "]") else { return nil }
      host = text[text.index(after: text.startIndex)..<close]
      guard host.contains(":"), host.utf8.allSatisfy(HostName.isIPv6Byte) else { return nil }
      let rest = text[text.index(after: close)...]
      guard rest.isEmpty || rest.hasPrefix(":") else { return nil }
      if !rest.isEmpty {
        guard let number = self.port(rest.dropFirst()) else { return nil }
        port = number
      }
      return (host.lowercased(), port)
    }
    if let colon = text.firstIndex(of: ":") {
      guard let number = self.port(text[text.index(after: colon)...]) else { return nil }
      host = text[..<colon]
      port = number
    }
    return HostName.isValid(host) ? (host.lowercased(), port) : nil
  }

  private static func port(_ text: Substring) -> Int? {
    guard (1...5).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = Int(text),
      (1...65_535).contains(port)
    else { return nil }
    return port
  }
}
