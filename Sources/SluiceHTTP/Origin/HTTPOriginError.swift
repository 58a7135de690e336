/// Why a text is not an address that we can connect to. The message shows the URL without its user information.
package struct HTTPOriginError: Error, Hashable, Sendable, CustomStringConvertible {
  package enum Reason: Hashable, Sendable {
    case empty
    case missingScheme
    case unsupportedScheme(String)
    case userInformation
    case missingHost
    case badHost
    case badIPv6
    case badPort(String)
    case query
    case fragment
    case badPath
    case relativeSocketPath
    case socketPathTooLong(Int)
    case proxyScheme(String)
    case proxyPath
    case proxyForUnixSocket
    case authorities(String)
  }

  package let reason: Reason
  private let url: String

  package init(_ url: String, _ reason: Reason) {
    self.reason = reason
    self.url = Self.redacted(url)
  }

  package var description: String { "\"\(url)\": \(explanation)" }

  private var explanation: String {
    switch reason {
    case .empty: "the URL is empty"
    case .missingScheme: "a URL begins with http://, https:// or unix:/"
    case .unsupportedScheme(let scheme): "the scheme \(scheme) is not supported; use http, https or unix"
    case .userInformation: "user and password do not belong into the URL; give the credential as a key"
    case .missingHost: "there is no host"
    case .badHost: "the host has characters that a host name cannot have"
    case .badIPv6: "an IPv6 address stands in brackets, as in http://[::1]:8080"
    case .badPort(let port): "\"\(port)\" is not a port; it is a number from 1 to 65535"
    case .query: "a base URL has no query (the part after ?)"
    case .fragment: "a base URL has no fragment (the part after #)"
    case .badPath: "the path has a space, a control character or one that needs percent-encoding"
    case .relativeSocketPath: "the path of a unix socket is absolute, as in unix:/run/model.sock"
    case .socketPathTooLong(let most): "the path of a unix socket has at most \(most) bytes"
    case .proxyScheme(let scheme): "a proxy is given as http://host:port, not as \(scheme)"
    case .proxyPath: "a proxy has no path"
    case .proxyForUnixSocket: "a unix socket is not reached through a proxy"
    case .authorities(let problem): "the certificate authorities cannot be used: \(problem)"
    }
  }

  /// Cuts out what stands before the `@` of the authority.
  private static func redacted(_ url: String) -> String {
    let bytes = Array(url.utf8.prefix(512))
    guard let at = bytes.lastIndex(of: UInt8(ascii: "@")) else { return String(decoding: bytes, as: UTF8.self) }
    let slashes = bytes.firstIndex(of: UInt8(ascii: "/")).map { min($0 + 2, at) } ?? 0
    return String(decoding: bytes[..<slashes], as: UTF8.self) + "…"
      + String(decoding: bytes[at...], as: UTF8.self)
  }
}
