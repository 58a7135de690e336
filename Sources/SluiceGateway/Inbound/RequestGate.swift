import NIOCore
package import SluiceDialects
package import SluicePolicy

/// Where a client connects from.
struct ClientPeer: Sendable {
  /// A program on this machine: the loopback network or a unix socket.
  var isLocal: Bool
  /// Through a unix socket, whose file mode says who may.
  var isUnixSocket: Bool
  /// The address it connected to, as text; a name that clients may use for us.
  var localHost: String

  init(remote: SocketAddress?, local: SocketAddress?) {
    localHost = local?.ipAddress ?? ""
    switch remote {
    case .unixDomainSocket: (isLocal, isUnixSocket) = (true, true)
    case .v4, .v6: (isLocal, isUnixSocket) = (Self.isLoopback(remote?.ipAddress ?? ""), false)
    case nil:
      // Clients of unix sockets have no name of their own.
      var isUnix = false
      if case .unixDomainSocket = local { isUnix = true }
      (isLocal, isUnixSocket) = (isUnix, isUnix)
    }
  }

  init(isLocal: Bool, isUnixSocket: Bool = false, localHost: String = "") {
    self.isLocal = isLocal
    self.isUnixSocket = isUnixSocket
    self.localHost = localHost
  }

  private static func isLoopback(_ address: String) -> Bool {
    address.hasPrefix("127.") || address == "::1" || address.hasPrefix("::ffff:127.")
  }
}

/// Who asks, as far as the gateway cares.
struct Caller {
  /// Index of the access key; nil without one.
  var key: Int?
  var priority: PriorityClass
}

/// Decides from the head alone whether a request may come in at all (design §16). Pure: everything it looks at is given.
///
/// Being on this machine is trust only while a browser cannot be made to ask for somebody else: then the `host` has to
/// be one of ours, an `origin` too, and nobody may have forwarded the request.
struct RequestGate {
  let head: RequestHead
  let bytes: UnsafeRawBufferPointer
  let peer: ClientPeer
  let configuration: GatewayConfiguration

  /// Whether the caller may use the surfaces.
  func admitCaller() -> Result<Caller, GatewayError> {
    let access = configuration.access
    if !access.isOpen {
      guard let presented = credential() else { return .failure(GatewayError(.missingAccessKey)) }
      guard let index = access.find(KeyDigest(of: presented)) else { return .failure(GatewayError(.invalidAccessKey)) }
      let key = access.keys[index]
      return .success(Caller(key: index, priority: min(key.priority, wantedClass() ?? key.priority)))
    }
    if !access.insecure, let error = localTrust() { return .failure(error) }
    return .success(Caller(key: nil, priority: wantedClass() ?? .normal))
  }

  /// Whether the caller may use the administration side.
  func admitAdministrator() -> GatewayError? {
    guard let token = configuration.adminToken else { return localTrust() }
    guard let presented = credential() else {
      return GatewayError(.missingAccessKey, message: "Send the admin token as `authorization: Bearer TOKEN`.")
    }
    guard token.difference(from: KeyDigest(of: presented)) == 0 else {
      return GatewayError(.invalidAccessKey, message: "The admin token is not the one in `server.admin_token`.")
    }
    return nil
  }

  /// Whether a page of the administration side may be shown that holds no data. Its calls for data need the token; it
  /// does not, but a browser must not have been led here under a foreign name.
  func admitPage() -> GatewayError? {
    guard let refusal = admitAdministrator() else { return nil }
    return configuration.adminToken == nil ? refusal : nameTrust()
  }

  /// Bodies of the surfaces are JSON. A browser cannot send that type to a foreign server unasked.
  ///
  /// Ollama's server never looks at the type, so there are clients of it that send none. They are taken at their word,
  /// unless they name an origin, as every browser does with what it posts.
  func checkContentType(_ surface: Surface) -> GatewayError? {
    guard let type = head.headers.first(.contentType) else {
      return surface == .ollama && !head.headers.contains(.origin) ? nil : GatewayError(.unsupportedContentType)
    }
    let value = ByteSlice(type.slice(bytes))
    let essence = value[0..<(value.firstIndex(of: 0x3B) ?? value.count)].trimmed
    return essence.equalsIgnoringCase("application/json") ? nil : GatewayError(.unsupportedContentType)
  }

  /// Why being on this machine is not enough, if it is not.
  private func localTrust() -> GatewayError? {
    guard peer.isLocal else {
      return GatewayError(
        .missingAccessKey, message: "Only programs on this machine may use the gateway; configure `access.keys`.")
    }
    for header in [KnownHeader.forwarded, .forwardedFor, .forwardedHost, .forwardedProto]
    where head.headers.contains(header) {
      return GatewayError(
        .missingAccessKey, message: "Forwarded requests need an access key (or the admin token); configure one.")
    }
    return nameTrust()
  }

  /// Why the names that the request was sent to and from are not enough, if they are not.
  private func nameTrust() -> GatewayError? {
    if peer.isUnixSocket { return nil }
    if let host = head.host, !isOurs(authority: ByteSlice(host.slice(bytes))) { return GatewayError(.hostNotAllowed) }
    if let origin = head.headers.first(.origin), !isOurs(origin: ByteSlice(origin.slice(bytes))) {
      return GatewayError(.originNotAllowed)
    }
    return nil
  }

  private func isOurs(origin: ByteSlice) -> Bool {
    if origin.hasPrefixIgnoringCase("http://") { return isOurs(authority: origin.suffix(from: 7)) }
    if origin.hasPrefixIgnoringCase("https://") { return isOurs(authority: origin.suffix(from: 8)) }
    return false
  }

  private func isOurs(authority: ByteSlice) -> Bool {
    let host = Self.host(of: authority)
    if host.equalsIgnoringCase("localhost") || host.equals("127.0.0.1") || host.equals("::1") { return true }
    return Self.equal(host, peer.localHost) || configuration.hosts.contains { Self.equal(host, $0) }
  }

  /// Without the port, and without the brackets of an IPv6 address.
  private static func host(of authority: ByteSlice) -> ByteSlice {
    if authority.count > 0, authority[0] == 0x5B {
      return authority[1..<(authority.firstIndex(of: 0x5D) ?? authority.count)]
    }
    return authority[0..<(authority.firstIndex(of: 0x3A) ?? authority.count)]
  }

  private static func equal(_ host: ByteSlice, _ name: String) -> Bool {
    guard host.count == name.utf8.count, !name.isEmpty else { return false }
    for (index, byte) in name.utf8.enumerated() {
      let other = host[index]
      guard (other >= 0x41 && other <= 0x5A ? other | 0x20 : other) == byte else { return false }
    }
    return true
  }

  /// The key a client sent, by any of the ways the SDKs know.
  private func credential() -> UnsafeRawBufferPointer? {
    if let value = head.headers.first(.authorization) {
      let text = ByteSlice(value.slice(bytes))
      if text.hasPrefixIgnoringCase("bearer ") { return text.suffix(from: 7).trimmed.raw }
      if let id = Self.signatureKey(text) { return id }
    }
    for header in [KnownHeader.xAPIKey, .apiKey, .googleAPIKey] {
      if let value = head.headers.first(header), !value.isEmpty { return value.slice(bytes) }
    }
    return head.query.flatMap { Self.queryKey(ByteSlice($0.slice(bytes))) }
  }

  /// The access-key id of an AWS signature: `AWS4-HMAC-SHA256 Credential=ID/20260115/…`. The signature itself cannot be
  /// checked against a hash of the key.
  private static func signatureKey(_ text: ByteSlice) -> UnsafeRawBufferPointer? {
    let scheme: StaticString = "AWS4-HMAC-SHA256 Credential="
    guard text.hasPrefix(scheme) else { return nil }
    let rest = text.suffix(from: scheme.utf8CodeUnitCount)
    guard let slash = rest.firstIndex(of: 0x2F), slash > 0 else { return nil }
    return rest[0..<slash].raw
  }

  /// Google's `?key=…`.
  private static func queryKey(_ query: ByteSlice) -> UnsafeRawBufferPointer? {
    var start = 0
    while start < query.count {
      let end = query.firstIndex(of: 0x26, from: start) ?? query.count
      let part = query[start..<end]
      if part.hasPrefix("key="), part.count > 4 { return part.suffix(from: 4).raw }
      start = end + 1
    }
    return nil
  }

  private func wantedClass() -> PriorityClass? {
    guard let value = head.headers.first(.sluiceClass) else { return nil }
    let text = ByteSlice(value.slice(bytes))
    if text.equalsIgnoringCase("critical") { return .critical }
    if text.equalsIgnoringCase("high") { return .high }
    if text.equalsIgnoringCase("normal") { return .normal }
    return text.equalsIgnoringCase("low") ? .low : nil
  }
}

/// Reads `x-sluice-deadline`: milliseconds, or a number with `ms`, `s` or `m`.
package enum DeadlineHeader {
  package static func parse(_ text: ByteSlice) -> Interval? {
    var end = 0
    while end < text.count, end < 12, text[end] >= 0x30, text[end] <= 0x39 { end += 1 }
    guard end > 0, let number = text[0..<end].decimal, let count = Int64(exactly: number) else { return nil }
    let unit = text.suffix(from: end)
    if unit.isEmpty || unit.equals("ms") { return .milliseconds(count) }
    if unit.equals("s") { return .seconds(count) }
    return unit.equals("m") ? .minutes(count) : nil
  }
}
