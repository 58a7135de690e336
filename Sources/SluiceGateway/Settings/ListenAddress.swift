/// Where the gateway listens: `HOST:PORT`, `[IPv6]:PORT`, or `unix:/path`.
package enum ListenAddress: Hashable, Sendable {
  case tcp(host: String, port: Int)
  /// The socket file is made readable and writable for its owner only, unless `mode` says otherwise.
  case unix(path: String, mode: UInt16 = 0o600)

  /// `sockaddr_un.sun_path` less its terminating zero.
  static let maxPathBytes = 107

  package init(_ text: String) throws(InvalidListenAddress) {
    if let path = text.droppingPrefix("unix:") {
      guard path.utf8.first == 0x2F, path.utf8.count > 1 else { throw .relativePath }
      guard path.utf8.count <= Self.maxPathBytes, !path.utf8.contains(0) else { throw .pathTooLong }
      self = .unix(path: path)
      return
    }
    guard let colon = text.utf8.lastIndex(of: 0x3A) else { throw .missingPort }
    let host = String(text[..<colon])
    let digits = text[text.utf8.index(after: colon)...]
    guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = Int(digits), port <= 65_535 else {
      throw .badPort
    }
    self = .tcp(host: try Self.bare(host), port: port)
  }

  private static func bare(_ host: String) throws(InvalidListenAddress) -> String {
    if host.utf8.first == 0x5B, host.utf8.last == 0x5D { return String(host.dropFirst().dropLast()) }
    guard !host.utf8.contains(0x3A) else { throw .unbracketedIPv6 }
    return host.isEmpty ? "0.0.0.0" : host
  }

  /// Only programs on this machine can connect.
  package var isLoopback: Bool {
    switch self {
    case .unix: true
    case .tcp(let host, _): host == "localhost" || host == "::1" || host.hasPrefix("127.")
    }
  }
}

/// Why a text is not an address to listen on.
package enum InvalidListenAddress: String, Error, Hashable, Sendable, CustomStringConvertible {
  case missingPort, badPort, unbracketedIPv6, relativePath, pathTooLong

  package var description: String {
    switch self {
    case .missingPort: "an address to listen on is HOST:PORT or unix:/path"
    case .badPort: "the port is a number from 0 to 65535"
    case .unbracketedIPv6: "an IPv6 address stands in brackets, as in [::1]:8080"
    case .relativePath: "the path of a unix socket is absolute, as in unix:/run/sluice.sock"
    case .pathTooLong: "the path of a unix socket has at most \(ListenAddress.maxPathBytes) bytes"
    }
  }
}

extension String {
  func droppingPrefix(_ prefix: String) -> String? {
    hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
  }
}
