import SluicePolicy

/// A connector without its type of resource, as the core keeps it.
protocol UntypedConnector: Sendable {
  func connectUntyped(
    _ request: ConnectRequest,
    _ done: @escaping @Sendable (Result<UntypedConnected, PoolConnectError>) -> Void
  )
}

struct UntypedConnected: Sendable {
  let resource: any PoolableResource
  let capacity: Int
}

/// Takes the type off. Opening is far off the fast path, so the closure it costs does not matter.
struct TypeErasingConnector<Connector: ResourceConnector>: UntypedConnector {
  let connector: Connector

  func connectUntyped(
    _ request: ConnectRequest,
    _ done: @escaping @Sendable (Result<UntypedConnected, PoolConnectError>) -> Void
  ) {
    connector.connect(request) { result in
      done(result.map { UntypedConnected(resource: $0.resource, capacity: $0.capacity) })
    }
  }
}
