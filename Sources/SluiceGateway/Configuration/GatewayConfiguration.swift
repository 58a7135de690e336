package import SluiceDialects

/// Everything that decides what happens to a request, as one immutable value. A reload makes a new one and publishes it
/// to every event loop; an exchange keeps the one it began with.
package final class GatewayConfiguration: Sendable {
  package let pools: [GatewayPool]
  package let routes: RouteTable
  package let access: AccessTable
  package let limits: GatewayLimits
  /// SHA-256 of the administration token; nil: administration is for this machine only.
  package let adminToken: KeyDigest?
  /// Names, beside those of this machine, by which clients may call the gateway; lower case, without port.
  package let hosts: [String]
  /// Sizes and prices of models.
  package let catalogue: ModelCatalogue
  private let poolIndices: [String: Int]

  package init(
    pools: [GatewayPool], routes: RouteTable, access: AccessTable = .open, limits: GatewayLimits = GatewayLimits(),
    adminToken: KeyDigest? = nil, hosts: [String] = [], catalogue: ModelCatalogue = .shipped
  ) {
    self.pools = pools
    self.routes = routes
    self.access = access
    self.limits = limits
    self.adminToken = adminToken
    self.catalogue = catalogue
    self.hosts = hosts.map { $0.lowercased() }
    poolIndices = Dictionary(pools.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

  package func pool(named name: String) -> GatewayPool? {
    poolIndices[name].map { pools[$0] }
  }
}
