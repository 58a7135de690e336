package import SluiceDialects
package import SluiceHTTP
package import SluicePolicy
package import SluiceRuntime

/// What steers requests of one conversation to one endpoint of a pool.
package enum PoolAffinity: UInt8, Hashable, Sendable {
  /// Only what the client asks for with `x-sluice-affinity`.
  case header
  case none
  /// The body's `user`.
  case user
  /// The beginning of the prompt, where the provider has it cached.
  case promptPrefix
}

/// One endpoint of a pool as requests to it need it: everything that does not change is bytes already.
package struct GatewayEndpoint: Sendable {
  package var id: EndpointID
  package var name: String
  /// Header lines for every request: `host` and the credential.
  let lines: [UInt8]
  /// Goes before the operation's own path; no trailing slash.
  let basePath: [UInt8]

  /// - Parameters:
  ///   - host: the value of the `host` header.
  ///   - basePath: of the endpoint's base URL.
  package init(id: EndpointID, name: String, host: String, basePath: String, credential: PreparedCredential) {
    self.id = id
    self.name = name
    var lines: [UInt8] = []
    lines.append("host: ")
    lines.append(contentsOf: host.utf8)
    lines.append("\r\n")
    lines.append(contentsOf: credential.lines)
    self.lines = lines
    self.basePath = ProviderDialect.normalizedBasePath(basePath)
  }
}

/// One pool of the gateway in one configuration: the driver, and what its provider needs to be spoken to.
package final class GatewayPool: Sendable {
  package let name: String
  package let dialect: ProviderDialect
  package let driver: PoolDriver<HTTPConnection>
  package let exchange: ExchangeSettings
  package let affinity: PoolAffinity
  package let retryShare: Double
  /// Models the pool is known to serve, for the list of models.
  package let models: [String]
  /// By position of the endpoint's id; a place may belong to another turn of the pool's table.
  private let endpoints: [GatewayEndpoint?]

  /// - Parameters:
  ///   - endpoints: those of the layout that the driver has in this configuration.
  ///   - retryShare: retries per request, 0…1.
  package init(
    name: String, dialect: ProviderDialect, driver: PoolDriver<HTTPConnection>, endpoints: [GatewayEndpoint],
    exchange: ExchangeSettings = ExchangeSettings(), affinity: PoolAffinity = .header, retryShare: Double = 0.2,
    models: [String] = []
  ) {
    self.name = name
    self.dialect = dialect
    self.driver = driver
    self.exchange = exchange
    self.affinity = affinity
    self.retryShare = retryShare
    self.models = models
    var table: [GatewayEndpoint?] = []
    for endpoint in endpoints {
      while table.count <= endpoint.id.position { table.append(nil) }
      table[endpoint.id.position] = endpoint
    }
    self.endpoints = table
  }

  /// The endpoint behind a grant; nil when the pool has been given a newer layout than this configuration knows.
  package func endpoint(_ id: EndpointID) -> GatewayEndpoint? {
    guard id.position < endpoints.count, let endpoint = endpoints[id.position], endpoint.id == id else { return nil }
    return endpoint
  }

  package var allEndpoints: [GatewayEndpoint] { endpoints.compactMap(\.self) }
}
