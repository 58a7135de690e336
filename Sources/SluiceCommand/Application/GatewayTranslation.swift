import Sluice
import SluiceConfiguration
import SluiceDialects
import SluiceGateway
import SluiceHTTP
import SluicePolicy

/// From the file's words to the gateway's: the only place where both are known.
enum GatewayTranslation {
  static func settings(_ configuration: SluiceConfiguration) -> GatewaySettings {
    let server = configuration.server
    return GatewaySettings(
      listen: server.listen.map { address -> SluiceGateway.ListenAddress in
        switch address {
        case .tcp(let host, let port): .tcp(host: host, port: port)
        case .unix(let path): .unix(path: path)
        }
      },
      tls: server.tls.map { GatewayTLS(certificatePath: $0.certificate, privateKeyPath: $0.privateKey) },
      maxConnections: server.maxConnections, maxBuffered: server.maxBuffered)
  }

  static func configuration(
    _ configuration: SluiceConfiguration, pools: [AssembledPool], routes: RouteTable, catalogue: ModelCatalogue,
    insecure: Bool
  ) -> GatewayConfiguration {
    GatewayConfiguration(
      pools: pools.map(pool), routes: routes, access: access(configuration, insecure: insecure),
      limits: limits(configuration.server),
      adminToken: configuration.server.adminToken.map { KeyDigest(of: $0.reveal()) }, hosts: configuration.server.hosts,
      catalogue: catalogue)
  }

  static func routes(
    _ configuration: SluiceConfiguration, _ blueprints: [PoolBlueprint], _ catalogue: ModelCatalogue
  ) throws -> RouteTable {
    try RouteTable(
      routes: configuration.routes.map(\.definition),
      pools: blueprints.map { $0.configuration.routePool($0.dialect) }, catalogue: catalogue)
  }

  private static func pool(_ pool: AssembledPool) -> GatewayPool {
    let configuration = pool.blueprint.configuration
    return GatewayPool(
      name: configuration.name, dialect: pool.blueprint.dialect, driver: pool.driver,
      endpoints: pool.endpoints.map {
        GatewayEndpoint(
          id: $0.id, name: $0.name, host: $0.origin.hostHeader, basePath: $0.origin.basePath, credential: $0.credential)
      },
      exchange: exchange(configuration, pool.blueprint.admission), affinity: affinity(configuration.affinity),
      retryShare: configuration.retry.budget, allowedModels: configuration.models ?? [])
  }

  private static func exchange(_ pool: PoolConfiguration, _ admission: AdmissionConfiguration) -> ExchangeSettings {
    ExchangeSettings(
      attempts: pool.retry.attempts, firstByte: pool.timeouts.firstByte, firstToken: pool.timeouts.firstToken,
      betweenBytes: pool.timeouts.betweenBytes, total: pool.timeouts.total, acquire: admission.timeout)
  }

  private static func affinity(_ affinity: PoolConfiguration.Affinity) -> PoolAffinity {
    switch affinity {
    case .none: .none
    case .header: .header
    case .user: .user
    case .promptPrefix: .promptPrefix
    }
  }

  private static func access(_ configuration: SluiceConfiguration, insecure: Bool) -> AccessTable {
    guard let access = configuration.access else { return AccessTable(keys: [], insecure: insecure) }
    let keys = access.keys.compactMap { key -> AccessKey? in
      let hex = key.sha256.map { byte in String(byte >> 4, radix: 16) + String(byte & 15, radix: 16) }.joined()
      return KeyDigest(hex: hex).map {
        AccessKey(name: key.name, digest: $0, priority: key.priority, models: key.models ?? [])
      }
    }
    return AccessTable(keys: keys, insecure: insecure)
  }

  private static func limits(_ server: ServerConfiguration) -> GatewayLimits {
    var limits = GatewayLimits()
    limits.http.maxHeadBytes = server.maxHead
    limits.maxRequestBody = server.maxRequestBody
    limits.headTimeout = server.headTimeout
    limits.bodyTimeout = server.bodyTimeout
    limits.minBodyRate = server.minBodyRate
    limits.idleTimeout = server.idleTimeout
    limits.keepaliveComment = server.keepaliveComment > .zero ? server.keepaliveComment : nil
    return limits
  }
}
