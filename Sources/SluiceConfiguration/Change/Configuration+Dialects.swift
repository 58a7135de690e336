package import SluiceDialects

extension EndpointConfiguration {
  /// The credential as the dialects send it. Nil for servers that want none.
  package var credential: UpstreamCredential? {
    key.map { key in
      UpstreamCredential(
        key.reveal(), kind: authentication == .bearer ? .bearer : .key, organization: organization, project: project)
    }
  }
}

extension RouteConfiguration {
  /// The route as the route table takes it.
  package var definition: RouteDefinition {
    RouteDefinition(
      model: model,
      targets: targets.map { RouteTarget(pool: $0.pool, upstreamModel: $0.model, weight: $0.weight) },
      strategy: strategy == .weighted ? .weighted : .fallback)
  }
}

extension PoolConfiguration {
  /// The pool as the route table sees it. It lists the models that its allow list names without `*`.
  package func routePool(_ dialect: ProviderDialect) -> RoutePool {
    let named = (models ?? []).filter { GlobPattern($0).isExact }
    return RoutePool(name: name, dialect: dialect, models: Set(named), allowed: models ?? [])
  }
}
