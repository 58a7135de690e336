import NIOCore
package import SluiceConfiguration
package import SluiceDialects
package import SluiceHTTP
package import SluicePolicy

/// One configured pool, worked out as far as it can be without opening anything: where its connections go, what its
/// machine has to know, and how each endpoint authenticates.
package struct PoolBlueprint: Sendable {
  package let configuration: PoolConfiguration
  package let admission: AdmissionConfiguration
  package let dialect: ProviderDialect
  /// Each once, however many endpoints share it.
  package let origins: [HTTPOrigin]
  package let settings: PoolSettings
  package let credentials: [PreparedCredential]
  /// By endpoint: the origin it uses.
  package let endpointOrigins: [HTTPOrigin]

  package init(_ configuration: PoolConfiguration) throws {
    try self.init(configuration, admission: AdmissionConfiguration())
  }

  package init(_ configuration: PoolConfiguration, admission: AdmissionConfiguration) throws {
    self.configuration = configuration
    self.admission = admission
    dialect = try ProviderDialect(configuration.provider, options: configuration.options)
    let places = try configuration.endpoints.map { try Self.origin($0, configuration.transport) }
    var unique: [HTTPOrigin] = []
    for place in places where !unique.contains(where: { $0.identity == place.identity }) { unique.append(place) }
    origins = unique
    endpointOrigins = places
    credentials = try configuration.endpoints.map { [dialect] in try Self.credential($0, dialect) }
    var settings = Self.settings(configuration, origins: unique, places: places)
    settings.queue.capacity = admission.capacity
    self.settings = settings
  }

  private static func origin(
    _ endpoint: EndpointConfiguration, _ transport: PoolConfiguration.Transport
  ) throws -> HTTPOrigin {
    let url = endpoint.url
    var origin = HTTPOrigin(
      scheme: url.scheme == "https" ? .https : .http, host: url.host, port: url.port,
      tls: TLSOptions(verify: transport.verify, authorityFile: transport.authorities),
      proxy: try transport.proxy.map { try HTTPProxy(url: $0.reveal()) }, basePath: url.path)
    origin.version = HTTPVersionChoice(transport.version)
    return origin
  }

  private static func credential(
    _ endpoint: EndpointConfiguration, _ dialect: ProviderDialect
  ) throws -> PreparedCredential {
    guard let credential = endpoint.credential else { return .none }
    return try dialect.prepare(credential)
  }

  /// How connections are opened from now on.
  var connectionOptions: HTTPConnectionOptions {
    var options = HTTPConnectionOptions()
    let keepalive = configuration.transport.keepalive
    // Zero turns it off: the longest idle time the kernel takes (nine hours) outlives every idle connection here.
    options.keepAliveIdle = keepalive > .zero ? keepalive : .seconds(32_767)
    return options
  }

  /// The free call that proves each endpoint, by the identity that the pool knows it under.
  package var probeTargets: [String: HTTPProbeTarget] {
    var targets: [String: HTTPProbeTarget] = [:]
    for (index, endpoint) in settings.endpoints.enumerated() {
      targets[endpoint.identity] = probeTarget(endpointOrigins[index], credentials[index])
    }
    return targets
  }

  private func probeTarget(_ origin: HTTPOrigin, _ credential: PreparedCredential) -> HTTPProbeTarget {
    let own = probeOrigin(origin, credential)
    let dialect = dialect
    return HTTPProbeTarget(origin: own ?? origin) {
      var head: [UInt8] = []
      dialect.appendProbe(
        host: origin.hostHeader, basePath: ProviderDialect.normalizedBasePath(origin.basePath), credential: credential,
        stays: own == nil, now: WallTime.now(), to: &head)
      return ByteBuffer(bytes: head)
    } verdict: { status, body in
      body.withUnsafeReadableBytes { dialect.probeVerdict(status: status, body: ByteSlice($0)) }
    }
  }

  /// Where the free call goes if not to the endpoint; nothing where the endpoint is not the provider's own.
  private func probeOrigin(_ origin: HTTPOrigin, _ credential: PreparedCredential) -> HTTPOrigin? {
    guard let host = dialect.probeCall(credential).host, origin.host.hasSuffix(".amazonaws.com") else { return nil }
    return HTTPOrigin(scheme: .https, host: host, port: 443, tls: origin.tls, proxy: origin.proxy, basePath: "")
  }

  /// The configuration's own view, with origins merged where the connections would be the same: base paths do not
  /// matter to a connection.
  private static func settings(
    _ configuration: PoolConfiguration, origins: [HTTPOrigin], places: [HTTPOrigin]
  ) -> PoolSettings {
    var settings = configuration.settings
    settings.origins = origins.map { OriginSettings(identity: $0.identity, name: $0.hostHeader) }
    for (index, place) in places.enumerated() {
      settings.endpoints[index].origin = origins.firstIndex { $0.identity == place.identity } ?? 0
    }
    return settings
  }
}

extension HTTPVersionChoice {
  fileprivate init(_ version: PoolConfiguration.HTTPVersion) {
    switch version {
    case .auto: self = .auto
    case .http1: self = .http1
    case .http2: self = .http2
    }
  }
}
