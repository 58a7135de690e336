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
  /// The value of the `host` header.
  let host: String
  /// Signs every attempt, where the credential is not sent itself.
  let signer: RequestSigner?
  /// The same for equal hosts, paths and credentials, whatever their names; of this process only.
  let account: UInt64

  /// - Parameters:
  ///   - host: the value of the `host` header.
  ///   - basePath: of the endpoint's base URL.
  package init(id: EndpointID, name: String, host: String, basePath: String, credential: PreparedCredential) {
    self.id = id
    self.name = HeaderText.visible(name)
    var lines: [UInt8] = []
    lines.append("host: ")
    lines.append(contentsOf: host.utf8)
    lines.append("\r\n")
    lines.append(contentsOf: credential.lines)
    self.lines = lines
    self.host = host
    signer = credential.signer
    self.basePath = ProviderDialect.normalizedBasePath(basePath)
    var hasher = Hasher()
    hasher.combine(self.lines)
    hasher.combine(self.basePath)
    account = UInt64(bitPattern: Int64(hasher.finalize()))
  }
}

/// Text of a configuration that goes into header values.
enum HeaderText {
  /// The same text with a question mark for everything that is not visible ASCII: names are for people, and may be
  /// anything there, but a line end in a header would begin another one.
  static func visible(_ text: String) -> String {
    guard !text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return text }
    return String(decoding: text.utf8.map { $0 > 0x20 && $0 < 0x7F ? $0 : 0x3F }, as: UTF8.self)
  }
}

/// One pool of the gateway in one configuration: the driver, and what its provider needs to be spoken to.
package final class GatewayPool: Sendable {
  package let name: String
  /// The name as it may stand in a header.
  let headerName: String
  package let dialect: ProviderDialect
  package let driver: PoolDriver<UpstreamConnection>
  package let exchange: ExchangeSettings
  package let affinity: PoolAffinity
  package let retryShare: Double
  /// Patterns of the models that it serves; empty: all.
  package let allowedModels: [GlobPattern]
  /// By position of the endpoint's id; a place may belong to another turn of the pool's table.
  private let endpoints: [GatewayEndpoint?]

  /// - Parameters:
  ///   - endpoints: those of the layout that the driver has in this configuration.
  ///   - retryShare: retries per request, 0…1.
  ///   - allowedModels: patterns with `*`; empty allows all models.
  package init(
    name: String, dialect: ProviderDialect, driver: PoolDriver<UpstreamConnection>, endpoints: [GatewayEndpoint],
    exchange: ExchangeSettings = ExchangeSettings(), affinity: PoolAffinity = .header, retryShare: Double = 0.2,
    allowedModels: [String] = []
  ) {
    self.name = name
    headerName = HeaderText.visible(name)
    self.dialect = dialect
    self.driver = driver
    self.exchange = exchange
    self.affinity = affinity
    self.retryShare = retryShare
    self.allowedModels = allowedModels.map(GlobPattern.init)
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

  /// In the client's protocol or by translation.
  func serves(_ operation: Operation) -> Bool {
    dialect.speaks(operation) || Translation.exists(from: operation, to: dialect)
  }

  func allows(model: String) -> Bool { allowedModels.isEmpty || allowedModels.contains { $0.matches(model) } }

  /// The endpoint that speaks for an account.
  func endpoint(account: UInt64) -> EndpointID? {
    endpoints.lazy.compactMap(\.self).first { $0.account == account }?.id
  }

  package var allEndpoints: [GatewayEndpoint] { endpoints.compactMap(\.self) }
}
