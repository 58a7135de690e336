/// An ordered plan for one request: the first target is to be tried first.
package struct RoutePlan: Hashable, Sendable {
  package var targets: [RouteTarget]
  package var strategy: RouteStrategy
  package var continues: Bool

  package init(targets: [RouteTarget], strategy: RouteStrategy = .fallback, continues: Bool = false) {
    self.targets = targets
    self.strategy = strategy
    self.continues = continues
  }

  /// The targets in the order to try them. A weighted plan draws its first target; the rest keep their order.
  ///
  /// - Parameter random: 64 random bits of the caller's generator.
  package func ordered(random: UInt64) -> [RouteTarget] {
    guard strategy == .weighted, targets.count > 1 else { return targets }
    let total = targets.reduce(0) { Counters.sum($0, $1.weight) }
    guard total > 0 else { return targets }
    // Multiply-shift maps the random bits on 0..<total.
    var rest = Int(UInt64(total).multipliedFullWidth(by: random).high)
    var order = targets
    for index in order.indices {
      guard rest >= order[index].weight else {
        order.insert(order.remove(at: index), at: 0)
        break
      }
      rest -= order[index].weight
    }
    return order
  }
}

/// Where a model name leads.
package enum RouteResolution: Hashable, Sendable {
  case plan(RoutePlan)
  /// No pool serves the model on any surface; the nearest names that are served.
  case unknown(suggestions: [String])
  /// The model is served, but only by pools whose provider has nothing for the operation.
  case otherSurface(pools: [String])
  /// The pools that would serve it do not allow it.
  case notAllowed(pools: [String])
}

/// Model names to pools, by these rules, the first that applies:
///
/// 1. a route with exactly this name;
/// 2. `pool/model`, where `pool` is the name of a pool: that pool alone;
/// 3. the first route whose pattern matches, in the order of the configuration;
/// 4. the pools that list the model, or whose provider the catalogue names for it, those that speak the client's protocol before those that need translation;
/// 5. the only pool that speaks the client's protocol (new models and fine-tunes), else the only one that can be reached
///    by translation;
/// 6. nothing: the nearest names are offered.
///
/// Only pools that can answer the operation are considered.
///
/// Immutable; a reload or a fresh model list makes a new one.
package struct RouteTable: Sendable {
  /// A route with the pools of its targets at hand.
  private struct Compiled: Sendable {
    var pattern: GlobPattern
    var plan: RoutePlan
    var pools: [RoutePool]
  }

  private let pools: [RoutePool]
  private let poolIndex: [String: Int]
  private let exact: [String: Compiled]
  private let patterns: [Compiled]
  private let catalogue: ModelCatalogue

  package init(
    routes: [RouteDefinition], pools: [RoutePool], catalogue: ModelCatalogue = .shipped
  ) throws(RouteProblem) {
    let known = Dictionary(pools.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    var exact: [String: Compiled] = [:]
    var patterns: [Compiled] = []
    for (index, route) in routes.enumerated() {
      if let problem = Self.problem(route, known) { throw RouteProblem(route: index, description: problem) }
      let plan = RoutePlan(targets: route.targets, strategy: route.strategy, continues: route.continues)
      let compiled = Compiled(
        pattern: GlobPattern(route.model), plan: plan, pools: route.targets.compactMap { known[$0.pool] })
      if !compiled.pattern.isExact {
        patterns.append(compiled)
      } else if exact.updateValue(compiled, forKey: route.model) != nil {
        throw RouteProblem(route: index, description: "a second route for model '\(route.model)'")
      }
    }
    self.pools = pools
    self.catalogue = catalogue
    self.poolIndex = Dictionary(pools.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    self.exact = exact
    self.patterns = patterns
  }

  private static func problem(_ route: RouteDefinition, _ pools: [String: RoutePool]) -> String? {
    if route.model.isEmpty { return "the route has no model pattern" }
    if route.targets.isEmpty { return "the route for '\(route.model)' has no target" }
    for target in route.targets where pools[target.pool] == nil {
      let near = NearestNames.of(target.pool, among: pools.keys).first.map { "; did you mean '\($0)'?" } ?? ""
      return "the route for '\(route.model)' names pool '\(target.pool)', which does not exist\(near)"
    }
    if route.strategy == .weighted, route.targets.allSatisfy({ $0.weight == 0 }) {
      return "all weights of the route for '\(route.model)' are 0"
    }
    return nil
  }

  /// - Parameter operation: the client's.
  package func resolve(model: String, for operation: Operation) -> RouteResolution {
    if let route = exact[model] { return checked(route, model, operation) }
    if let pinned = pinned(model, operation) { return pinned }
    if let route = patterns.first(where: { $0.pattern.matches(model) }) { return checked(route, model, operation) }
    return byDefault(model, operation)
  }

  /// Every name a client of `surface` may use: listed models that are allowed, and exact routes.
  package func models(surface: Surface) -> [String] {
    let operation = surface.chat
    var names = Set(exact.filter { $0.value.pools.contains { $0.serves(operation) } }.keys)
    for pool in pools where pool.serves(operation) { names.formUnion(pool.models.filter(pool.allows)) }
    return names.sorted()
  }

  private func pinned(_ model: String, _ operation: Operation) -> RouteResolution? {
    guard let slash = model.utf8.firstIndex(of: 0x2F), let index = poolIndex[String(model[..<slash])] else {
      return nil
    }
    let name = String(model[model.utf8.index(after: slash)...])
    guard !name.isEmpty else { return .unknown(suggestions: nearest(model)) }
    return checked([pools[index]], upstreamModel: name, model, operation)
  }

  private func byDefault(_ model: String, _ operation: Operation) -> RouteResolution {
    let named = pools.filter { $0.models.contains(model) }
    let listing =
      named.isEmpty ? pools.filter { catalogue.entry(model, $0.dialect.provider) != nil && $0.allows(model) } : named
    let speaking = listing.filter { $0.dialect.speaks(operation) }
    let others = listing.filter { !$0.dialect.speaks(operation) && $0.serves(operation) }
    if !(speaking + others).isEmpty { return checked(speaking + others, upstreamModel: nil, model, operation) }
    if !listing.isEmpty { return .otherSurface(pools: listing.map(\.name)) }
    let speakers = pools.filter { $0.dialect.speaks(operation) }
    if speakers.count == 1 { return checked(speakers, upstreamModel: nil, model, operation) }
    let servers = pools.filter { $0.serves(operation) }
    guard speakers.isEmpty, servers.count == 1 else { return .unknown(suggestions: nearest(model)) }
    return checked(servers, upstreamModel: nil, model, operation)
  }

  private func checked(
    _ pools: [RoutePool], upstreamModel: String?, _ model: String, _ operation: Operation
  ) -> RouteResolution {
    let targets = pools.map { RouteTarget(pool: $0.name, upstreamModel: upstreamModel) }
    return checked(
      Compiled(pattern: GlobPattern(""), plan: RoutePlan(targets: targets), pools: pools), model, operation)
  }

  /// Leaves out targets that have nothing for the operation or do not allow the model; usually there are none, and the plan
  /// made at configuration time is handed out as it is.
  private func checked(_ route: Compiled, _ model: String, _ operation: Operation) -> RouteResolution {
    var plan = route.plan
    let targets = plan.targets
    func allows(_ index: Int) -> Bool { route.pools[index].allows(targets[index].upstreamModel ?? model) }
    if targets.indices.allSatisfy({ route.pools[$0].serves(operation) && allows($0) }) { return .plan(plan) }
    let serving = targets.indices.filter { route.pools[$0].serves(operation) }
    guard !serving.isEmpty else { return .otherSurface(pools: targets.map(\.pool)) }
    let allowed = serving.filter(allows)
    guard !allowed.isEmpty else { return .notAllowed(pools: serving.map { targets[$0].pool }) }
    plan.targets = allowed.map { targets[$0] }
    return .plan(plan)
  }

  private func nearest(_ model: String) -> [String] {
    var names = Set(exact.keys)
    for pool in pools { names.formUnion(pool.models) }
    return NearestNames.of(model, among: names)
  }
}
