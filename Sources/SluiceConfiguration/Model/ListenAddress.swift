/// Where the gateway accepts connections.
public enum ListenAddress: Hashable, Sendable, CustomStringConvertible {
  /// A TCP address. `host` is a name or an IP address without brackets; port 0 stands for any free port.
  case tcp(host: String, port: Int)
  /// A Unix domain socket.
  case unix(path: String)

  /// Reads `HOST:PORT`, `[IPV6]:PORT`, `:PORT`, `*:PORT` or `unix:/path`. Nil if it is none of them.
  public init?(_ text: String) {
    if text.hasPrefix("unix:") {
      let path = String(text.dropFirst(5))
      // 107 bytes and a zero fit into the operating system's address.
      guard path.hasPrefix("/") || path.hasPrefix("."), path.utf8.count <= 107, !path.utf8.contains(0) else {
        return nil
      }
      self = .unix(path: path)
      return
    }
    guard let colon = text.lastIndex(of: ":"), let port = ListenAddress.port(text[text.index(after: colon)...]) else {
      return nil
    }
    var host = text[..<colon]
    if host.hasPrefix("[") {
      guard host.hasSuffix("]"), host.count > 2 else { return nil }
      host = host.dropFirst().dropLast()
      guard host.utf8.allSatisfy(HostName.isIPv6Byte), host.contains(":") else { return nil }
    } else {
      guard host.isEmpty || host == "*" || HostName.isValid(host) else { return nil }
    }
    self = .tcp(host: host.isEmpty || host == "*" ? "0.0.0.0" : String(host), port: port)
  }

  /// Whether only this machine can connect.
  public var isLoopback: Bool {
    switch self {
    case .unix: true
    case .tcp(let host, _): HostName.isLoopback(host)
    }
  }

  /// As in the file, without abbreviations.
  public var description: String {
    switch self {
    case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    case .unix(let path): "unix:\(path)"
    }
  }

  private static func port(_ text: Substring) -> Int? {
    guard (1...5).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = Int(text),
      port <= 65_535
    else { return nil }
    return port
  }
}

/// What may be a host.
enum HostName {
  static func isValid(_ host: Substring) -> Bool {
    (1...253).contains(host.utf8.count)
      && host.utf8.allSatisfy { byte in
        isAlphanumeric(byte) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
      }
  }

  static func isIPv6Byte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
      UInt8(ascii: "A")...UInt8(ascii: "F"), UInt8(ascii: ":"), UInt8(ascii: "."):
      true
    default: false
    }
  }

  /// `localhost`, 127.0.0.0/8 in the usual four parts, and `::1`. Other names might resolve to anything.
  static func isLoopback(_ host: String) -> Bool {
    if host.lowercased() == "localhost" || host == "::1" { return true }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4, parts[0] == "127" else { return false }
    return parts.allSatisfy { part in UInt8(part) != nil && part.first != "+" }
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "A")...UInt8(ascii: "Z"):
      true
    default: false
    }
  }
}
