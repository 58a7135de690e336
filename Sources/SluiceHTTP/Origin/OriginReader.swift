/// Reads the addresses that a configuration names. Stricter than a general URL parser: what a base URL cannot mean is
/// refused with the reason instead of being dropped.
struct OriginReader {
  /// `sockaddr_un.sun_path` less its terminating zero.
  static let maxSocketPath = 107

  private let url: String
  private let bytes: [UInt8]
  private var index = 0

  init(_ url: String) {
    self.url = url
    bytes = Array(url.utf8)
  }

  mutating func origin(tls: TLSOptions) throws(HTTPOriginError) -> HTTPOrigin {
    let scheme = try scheme()
    if scheme == "unix" { return try unixOrigin() }
    guard let known = HTTPOrigin.Scheme(rawValue: scheme) else { throw error(.unsupportedScheme(scheme)) }
    try slashes()
    let authority = try authority()
    guard authority.user == nil else { throw error(.userInformation) }
    return HTTPOrigin(
      scheme: known, host: authority.host, port: authority.port, tls: tls, basePath: try path(bytes[index...]))
  }

  mutating func proxy() throws(HTTPOriginError) -> HTTPProxy {
    let scheme = try scheme()
    guard scheme == "http" else { throw error(.proxyScheme(scheme)) }
    try slashes()
    let authority = try authority()
    guard try path(bytes[index...]).isEmpty else { throw error(.proxyPath) }
    return HTTPProxy(
      host: authority.host, port: authority.port ?? HTTPOrigin.Scheme.http.defaultPort, credentials: authority.user)
  }
}

extension OriginReader {
  private func error(_ reason: HTTPOriginError.Reason) -> HTTPOriginError { HTTPOriginError(url, reason) }

  private mutating func scheme() throws(HTTPOriginError) -> String {
    guard !bytes.isEmpty else { throw error(.empty) }
    guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), colon > 0 else { throw error(.missingScheme) }
    let name = bytes[..<colon]
    guard name.allSatisfy({ Self.isLetterOrDigit($0) || $0 == UInt8(ascii: "+") }) else { throw error(.missingScheme) }
    // `host:8080` is not a scheme: digits follow where `//` or `/` should.
    guard colon + 1 < bytes.count, bytes[colon + 1] == UInt8(ascii: "/") else {
      throw error(name.elementsEqual("unix".utf8) ? .relativeSocketPath : .missingScheme)
    }
    index = colon + 1
    return String(decoding: name, as: UTF8.self).lowercased()
  }

  private mutating func slashes() throws(HTTPOriginError) {
    guard bytes[index...].starts(with: [UInt8(ascii: "/"), UInt8(ascii: "/")]) else { throw error(.missingScheme) }
    index += 2
  }

  /// Leaves `index` at the path.
  private mutating func authority() throws(HTTPOriginError) -> (user: String?, host: String, port: Int?) {
    let end = bytes[index...].firstIndex { "/?#".utf8.contains($0) } ?? bytes.count
    var rest = bytes[index..<end]
    index = end
    var user: String?
    if let at = rest.lastIndex(of: UInt8(ascii: "@")) {
      user = String(decoding: rest[..<at], as: UTF8.self)
      rest = rest[(at + 1)...]
    }
    let host = try host(&rest)
    return (user, host, try port(rest))
  }

  /// Takes the host from the front of `rest`.
  private func host(_ rest: inout ArraySlice<UInt8>) throws(HTTPOriginError) -> String {
    guard let first = rest.first else { throw error(.missingHost) }
    if first == UInt8(ascii: "[") {
      guard let close = rest.firstIndex(of: UInt8(ascii: "]")) else { throw error(.badIPv6) }
      let address = rest[(rest.startIndex + 1)..<close]
      rest = rest[(close + 1)...]
      guard !address.isEmpty, address.allSatisfy(Self.isIPv6) else { throw error(.badIPv6) }
      return String(decoding: address, as: UTF8.self).lowercased()
    }
    let end = rest.firstIndex(of: UInt8(ascii: ":")) ?? rest.endIndex
    let name = rest[..<end]
    guard !name.isEmpty else { throw error(.missingHost) }
    guard !rest[end...].dropFirst().contains(UInt8(ascii: ":")) else { throw error(.badIPv6) }
    guard name.count <= 253, name.allSatisfy(Self.isHost), name.first != UInt8(ascii: "-") else {
      throw error(.badHost)
    }
    rest = rest[end...]
    return String(decoding: name, as: UTF8.self).lowercased()
  }

  /// What follows the host: nothing, or a colon and a number.
  private func port(_ rest: ArraySlice<UInt8>) throws(HTTPOriginError) -> Int? {
    guard let first = rest.first else { return nil }
    let digits = String(decoding: rest.dropFirst().prefix(16), as: UTF8.self)
    guard first == UInt8(ascii: ":"), rest.count <= 6, digits.utf8.allSatisfy(Self.isDigit),
      let port = Int(digits), (1...65_535).contains(port)
    else { throw error(.badPort(digits)) }
    return port
  }

  private func path(_ text: ArraySlice<UInt8>) throws(HTTPOriginError) -> String {
    for byte in text {
      if byte == UInt8(ascii: "?") { throw error(.query) }
      if byte == UInt8(ascii: "#") { throw error(.fragment) }
      guard byte > 0x20, byte < 0x7F, !"\"<>\\^`{|}".utf8.contains(byte) else { throw error(.badPath) }
    }
    var path = text
    while path.last == UInt8(ascii: "/") { path = path.dropLast() }
    return String(decoding: path, as: UTF8.self)
  }

  /// `/path/to.socket`, optionally followed by a colon and a base path. `unix:///path` is the same as `unix:/path`.
  private func unixOrigin() throws(HTTPOriginError) -> HTTPOrigin {
    var rest = bytes[index...]
    if rest.starts(with: "///".utf8) { rest = rest.dropFirst(2) }
    guard rest.first == UInt8(ascii: "/"), rest.dropFirst().first != UInt8(ascii: "/") else {
      throw error(.relativeSocketPath)
    }
    var base = ""
    if let colon = rest.firstIndex(of: UInt8(ascii: ":")) {
      base = try path(rest[(colon + 1)...])
      guard base.isEmpty || base.utf8.first == UInt8(ascii: "/") else { throw error(.badPath) }
      rest = rest[..<colon]
    }
    guard rest.count > 1, !rest.contains(0) else { throw error(.relativeSocketPath) }
    guard rest.count <= Self.maxSocketPath else { throw error(.socketPathTooLong(Self.maxSocketPath)) }
    return HTTPOrigin(
      scheme: .http, host: "localhost", unixPath: String(decoding: rest, as: UTF8.self), basePath: base)
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

  private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
    isDigit(byte) || (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A)
  }

  private static func isHost(_ byte: UInt8) -> Bool { isLetterOrDigit(byte) || "-._".utf8.contains(byte) }

  private static func isIPv6(_ byte: UInt8) -> Bool {
    isDigit(byte) || (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x66) || byte == UInt8(ascii: ":")
      || byte == UInt8(ascii: ".")
  }
}
