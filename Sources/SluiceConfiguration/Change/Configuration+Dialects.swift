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
  /// The pool as the route table sees it.
  package func routePool(_ dialect: ProviderDialect, models known: Set<String> = []) -> RoutePool {
    RoutePool(name: name, dialect: dialect, models: known, allowed: models ?? [])
  }
}
