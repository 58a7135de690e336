package import SluicePolicy

extension PoolConfiguration {
  /// What connections to an endpoint have in common: URL, TLS and proxy. Endpoints of equal origins share connections.
  package func originIdentity(of endpoint: EndpointConfiguration) -> String {
    let trust = transport.verify ? transport.authorities ?? "" : "unverified"
    return "\(endpoint.url)#\(trust)#\(transport.proxy?.fingerprint ?? "")"
  }

  /// The pool as its machine sees it. The endpoints keep their order; origins are in the order of their first use.
  package var settings: PoolSettings {
    var origins: [OriginSettings] = []
    var indices: [String: Int] = [:]
    let settings = endpoints.map { endpoint in
      let identity = originIdentity(of: endpoint)
      let index = indices[identity] ?? origins.count
      if index == origins.count {
        indices[identity] = index
        origins.append(OriginSettings(identity: identity, name: endpoint.url.description))
      }
      return EndpointSettings(
        // Another way to the same URL is another endpoint: nothing is known about it.
        identity: "\(endpoint.identity)@\(identity)", name: endpoint.name, origin: index, weight: endpoint.weight,
        role: endpoint.role, region: endpoint.region)
    }
    var pool = PoolSettings(name: name, origins: origins, endpoints: settings)
    pool.connections = connections
    pool.balance.strategy = strategy
    pool.balance.regionHold = regionHold
    pool.health = health
    pool.heartbeat = heartbeat
    pool.fallbackDirect = fallbackDirect
    return pool
  }
}
