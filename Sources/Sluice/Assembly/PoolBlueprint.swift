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
  /// By endpoint: the AWS credentials that it signs with; nothing for those whose credential is sent.
  package let credentialPlans: [AWSCredentialPlan?]
  /// By endpoint: as the pool's, in the endpoint's region.
  private let dialects: [ProviderDialect]

  /// - Parameter room: keeps AWS credentials in force; nil: only those that stand in the configuration are used.
  package init(
    _ configuration: PoolConfiguration, admission: AdmissionConfiguration = AdmissionConfiguration(),
    room: AWSCredentialRoom? = nil
  ) throws {
    self.configuration = configuration
    self.admission = admission
    let dialect = try ProviderDialect(configuration.provider, options: configuration.options)
    self.dialect = dialect
    let places = try configuration.endpoints.map { try Self.origin($0, configuration.transport) }
    var unique: [HTTPOrigin] = []
    for place in places where !unique.contains(where: { $0.identity == place.identity }) { unique.append(place) }
    origins = unique
    endpointOrigins = places
    let dialects = try configuration.endpoints.map { try Self.dialect(of: $0, dialect) }
    self.dialects = dialects
    let prepared = try zip(configuration.endpoints, dialects).map { endpoint, dialect in
      try EndpointCredential(endpoint, dialect, room)
    }
    credentials = prepared.map(\.prepared)
    credentialPlans = prepared.map(\.plan)
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

  /// Where regions are part of the protocol, the endpoint's own counts.
  private static func dialect(
    of endpoint: EndpointConfiguration, _ dialect: ProviderDialect
  ) throws -> ProviderDialect {
    guard dialect.provider == .bedrock, let region = endpoint.region else { return dialect }
    return try ProviderDialect(.bedrock, options: dialect.options.setting("region", to: region))
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
      targets[endpoint.identity] = probeTarget(endpointOrigins[index], credentials[index], dialects[index])
    }
    return targets
  }

  private func probeTarget(
    _ origin: HTTPOrigin, _ credential: PreparedCredential, _ dialect: ProviderDialect
  ) -> HTTPProbeTarget {
    let own = probeOrigin(origin, credential, dialect)
    return HTTPProbeTarget(origin: own ?? origin, isOnOrigin: own == nil) {
      var head: [UInt8] = []
      dialect.appendProbe(
        host: origin.hostHeader, basePath: ProviderDialect.normalizedBasePath(origin.basePath), credential: credential,
        stays: own == nil, now: WallTime.now(), to: &head)
      return ByteBuffer(bytes: head)
    } verdict: { status, body in
      body.withUnsafeReadableBytes { bytes in
        let verdict = dialect.probeVerdict(status: status, body: ByteSlice(bytes))
        guard verdict == .credential, let signer = credential.signer else { return verdict }
        return signer.isPassing(ByteSlice(bytes)) ? .cancelled : verdict
      }
    }
  }

  /// Where the free call goes if not to the endpoint; nothing where the endpoint is not the provider's own.
  private func probeOrigin(
    _ origin: HTTPOrigin, _ credential: PreparedCredential, _ dialect: ProviderDialect
  ) -> HTTPOrigin? {
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

extension RequestSigner {
  /// A probe was refused for what passes: there were no credentials, they had expired and are renewed now, or the clocks
  /// are apart. It says nothing about the endpoint.
  fileprivate func isPassing(_ body: ByteSlice) -> Bool {
    let now = WallTime.now()
    guard let held = desk.credentials(now) else { return desk.canRenew }
    guard Bedrock.isPassing(body) else { return false }
    guard desk.canRenew else { return !Bedrock.isExpired(body) }
    if Bedrock.isExpired(body) { _ = desk.renew(insteadOf: held, now) {} }
    return true
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
