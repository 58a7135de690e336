/// Where requests of an endpoint go: the address, how the connection is secured and through which proxy.
///
/// Two endpoints whose origins have the same ``identity`` share connections; ``basePath`` is not part of it, since it
/// only goes into the request.
package struct HTTPOrigin: Hashable, Sendable {
  package enum Scheme: String, Hashable, Sendable {
    case http, https

    package var defaultPort: Int { self == .https ? 443 : 80 }
  }

  package var scheme: Scheme
  /// A name, or an address without brackets; `localhost` for unix sockets.
  package var host: String
  package var port: Int
  /// Path of a unix socket that is connected to instead of host and port.
  package var unixPath: String?
  /// Set exactly when the scheme is `https`.
  package var tls: TLSOptions?
  package var proxy: HTTPProxy?
  /// Begins with a slash and does not end with one, or is empty.
  package var basePath: String
  /// What the next connection speaks. Not part of the identity: connections that are open serve on.
  package var version = HTTPVersionChoice.auto

  package init(
    scheme: Scheme, host: String, port: Int? = nil, unixPath: String? = nil, tls: TLSOptions? = nil,
    proxy: HTTPProxy? = nil, basePath: String = ""
  ) {
    self.scheme = scheme
    self.host = host
    self.port = port ?? scheme.defaultPort
    self.unixPath = unixPath
    self.tls = scheme == .https ? tls ?? TLSOptions() : nil
    self.proxy = proxy
    self.basePath = basePath
  }

  /// Reads `http://…`, `https://…`, `unix:/path/to.socket` or `unix:/path/to.socket:/base/path`.
  package init(url: String, tls: TLSOptions = TLSOptions(), proxy: HTTPProxy? = nil) throws(HTTPOriginError) {
    var reader = OriginReader(url)
    self = try reader.origin(tls: tls)
    guard let proxy else { return }
    guard unixPath == nil else { throw HTTPOriginError(url, .proxyForUnixSocket) }
    self.proxy = proxy
  }

  /// Equal for origins whose connections are interchangeable.
  package var identity: String {
    var text = unixPath.map { "unix:\($0)" } ?? "\(scheme.rawValue)://\(authority(always: true))"
    if let tls { text += tls.identity }
    if let proxy { text += " via \(proxy.identity)" }
    return text
  }

  /// What belongs into the `host` header: the port only when it is not the scheme's own.
  package var hostHeader: String { unixPath == nil ? authority(always: false) : "localhost" }

  /// Host and port as a CONNECT request names them.
  var connectTarget: String { authority(always: true) }

  private func authority(always: Bool) -> String {
    let name = host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host
    return !always && port == scheme.defaultPort ? name : "\(name):\(port)"
  }
}

/// Which version of HTTP a connection speaks.
package enum HTTPVersionChoice: String, Hashable, Sendable, CaseIterable {
  /// HTTP/2 where TLS finds that the origin speaks it, else HTTP/1.1.
  case auto
  case http1
  /// HTTP/2 or no connection; without TLS by prior knowledge (RFC 9113 §3.3).
  case http2
}

/// How a connection is secured.
package struct TLSOptions: Hashable, Sendable {
  /// `false` accepts any certificate (`tls_verify: false`); the connector logs it as a warning.
  package var verify: Bool
  /// A PEM file with the certificate authorities to trust instead of the system's.
  package var authorityFile: String?
  /// The same, as PEM text.
  package var authorityPEM: String?
  /// The name to ask for and to expect in the certificate, when it is not the origin's host.
  package var serverName: String?

  package init(
    verify: Bool = true, authorityFile: String? = nil, authorityPEM: String? = nil, serverName: String? = nil
  ) {
    self.verify = verify
    self.authorityFile = authorityFile
    self.authorityPEM = authorityPEM
    self.serverName = serverName
  }

  /// Part of the origin's identity; empty for the usual settings.
  var identity: String {
    var text = verify ? "" : " unverified"
    if let authorityFile { text += " ca=\(authorityFile)" }
    if let authorityPEM { text += " ca-text=\(fingerprint(authorityPEM))" }
    if let serverName { text += " name=\(serverName)" }
    return text
  }
}

/// An HTTP proxy that is asked by `CONNECT` for a tunnel.
package struct HTTPProxy: Hashable, Sendable {
  package var host: String
  package var port: Int
  /// `user:password`, as it stood in the URL; sent as basic authorisation and never shown.
  package var credentials: String?

  package init(host: String, port: Int, credentials: String? = nil) {
    self.host = host
    self.port = port
    self.credentials = credentials
  }

  /// Reads `http://[user:password@]host[:port]`.
  package init(url: String) throws(HTTPOriginError) {
    var reader = OriginReader(url)
    self = try reader.proxy()
  }

  /// Names the credentials by their hash: an identity ends up in logs.
  var identity: String {
    let name = host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host
    return "\(name):\(port)" + (credentials.map { " as \(fingerprint($0))" } ?? "")
  }
}

/// FNV-1a, to tell texts apart in an identity without showing them. The seed keeps short passwords from being looked
/// up in a table of plain FNV values; it is no protection against somebody who can guess.
private func fingerprint(_ text: String) -> String {
  var hash: UInt64 = 0xcbf2_9ce4_8422_2325 ^ 0x51_1ce0
  for byte in text.utf8 {
    hash ^= UInt64(byte)
    hash = hash &* 0x100_0000_01b3
  }
  return String(hash, radix: 16)
}
