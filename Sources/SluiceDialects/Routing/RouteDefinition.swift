/// One place a route may send a request to.
package struct RouteTarget: Hashable, Sendable {
  package var pool: String
  /// The model's name at that pool's provider; nothing: as the client wrote it.
  package var upstreamModel: String?
  /// Share of the requests, for weighted routes; 0 is used only when all others failed.
  package var weight: Int

  package init(pool: String, upstreamModel: String? = nil, weight: Int = 1) {
    self.pool = pool
    self.upstreamModel = upstreamModel
    self.weight = max(0, weight)
  }
}

package enum RouteStrategy: String, CaseIterable, Hashable, Sendable {
  /// In the order given; the next one when the one before cannot serve.
  case fallback
  /// One by weighted choice; the others follow in their order.
  case weighted
}

/// A route as the configuration gives it: a model pattern and where it leads.
package struct RouteDefinition: Hashable, Sendable {
  package var model: String
  package var targets: [RouteTarget]
  package var strategy: RouteStrategy
  /// Continue a broken text stream on another endpoint, with the seam marked.
  package var continues: Bool

  package init(
    model: String, targets: [RouteTarget], strategy: RouteStrategy = .fallback, continues: Bool = false
  ) {
    self.model = model
    self.targets = targets
    self.strategy = strategy
    self.continues = continues
  }
}

/// A pool as routing sees it.
package struct RoutePool: Hashable, Sendable {
  package var name: String
  package var dialect: ProviderDialect
  /// Models the provider is known to list; grows at run time by replacing the table.
  package var models: Set<String>
  /// Patterns of the configuration's allow list; empty allows everything.
  package var allowed: [GlobPattern]

  package init(name: String, dialect: ProviderDialect, models: Set<String> = [], allowed: [String] = []) {
    self.name = name
    self.dialect = dialect
    self.models = models
    self.allowed = allowed.map(GlobPattern.init)
  }

  /// The provider answers the operation, in the client's protocol or by translation.
  package func serves(_ operation: Operation) -> Bool {
    dialect.speaks(operation) || Translation.exists(from: operation, to: dialect) || operation.task == .tokenCount
  }

  package func allows(_ model: String) -> Bool { allowed.isEmpty || allowed.contains { $0.matches(model) } }
}

/// What is wrong with a set of routes.
package struct RouteProblem: Error, Hashable, Sendable, CustomStringConvertible {
  /// Index of the route.
  package var route: Int
  package var description: String
}
