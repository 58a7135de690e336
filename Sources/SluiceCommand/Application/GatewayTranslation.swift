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
    _ configuration: SluiceConfiguration, pools: [AssembledPool], insecure: Bool
  ) throws -> GatewayConfiguration {
    GatewayConfiguration(
      pools: pools.map(pool), routes: try routes(configuration, pools),
      access: access(configuration, insecure: insecure), limits: limits(configuration.server),
      adminToken: configuration.server.adminToken.map { KeyDigest(of: $0.reveal()) })
  }

  private static func routes(_ configuration: SluiceConfiguration, _ pools: [AssembledPool]) throws -> RouteTable {
    try RouteTable(
      routes: configuration.routes.map(\.definition),
      pools: pools.map { $0.blueprint.configuration.routePool($0.blueprint.dialect) })
  }

  private static func pool(_ pool: AssembledPool) -> GatewayPool {
    let configuration = pool.blueprint.configuration
    return GatewayPool(
      name: configuration.name, dialect: pool.blueprint.dialect, driver: pool.driver,
      endpoints: pool.endpoints.map {
        GatewayEndpoint(
          id: $0.id, name: $0.name, host: $0.origin.hostHeader, basePath: $0.origin.basePath, credential: $0.credential)
      },
      exchange: exchange(configuration), retryShare: configuration.retry.budget, models: configuration.models ?? [])
  }

  private static func exchange(_ pool: PoolConfiguration) -> ExchangeSettings {
    ExchangeSettings(
      attempts: pool.retry.attempts, firstByte: pool.timeouts.firstByte ?? .seconds(60),
      firstToken: pool.timeouts.firstToken, betweenBytes: pool.timeouts.betweenBytes, total: pool.timeouts.total)
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
    limits.idleTimeout = server.idleTimeout
    limits.keepaliveComment = server.keepaliveComment > .zero ? server.keepaliveComment : nil
    return limits
  }
}
