import SluiceDialects
import SluicePolicy

/// One place a request may go, with everything looked up. A reference, since it is looked at many times per request.
final class ResolvedTarget: Sendable {
  let pool: GatewayPool
  /// The model's name at that pool's provider, where it differs.
  let upstreamModel: String?
  /// Place of the pool's counters.
  let slot: Int
  /// What is known about the model there.
  let entry: CatalogueEntry?

  init(pool: GatewayPool, upstreamModel: String?, slot: Int, entry: CatalogueEntry? = nil) {
    self.pool = pool
    self.upstreamModel = upstreamModel
    self.slot = slot
    self.entry = entry
  }

  /// The prompt may fit; what is not known fits.
  func fits(promptTokens: Int) -> Bool { entry?.facts.contextTokens.map { promptTokens <= $0 } ?? true }
}

/// Where one model name leads, resolved once and then shared by all requests for it.
final class ModelRoute: Sendable {
  let model: String
  /// For the pools' reports; never zero.
  let hash: UInt64
  let targets: [ResolvedTarget]
  /// Nil when the order never changes.
  private let weights: [Int]?

  init(model: String, plan: RoutePlan, targets: [ResolvedTarget]) {
    self.model = model
    self.targets = targets
    weights = plan.strategy == .weighted && targets.count > 1 ? plan.targets.map(\.weight) : nil
    hash = Self.hash(model)
  }

  /// One target, whatever else the model's route has.
  convenience init(model: String, only target: ResolvedTarget) {
    self.init(
      model: model, plan: RoutePlan(targets: [RouteTarget(pool: target.pool.name)]), targets: [target])
  }

  /// The targets in the order to try them. Only a weighted route makes a new array.
  func ordered(random: UInt64) -> [ResolvedTarget] {
    guard let weights else { return targets }
    let order = RoutePlan(
      targets: weights.enumerated().map { RouteTarget(pool: String($0), weight: $1) }, strategy: .weighted
    ).ordered(random: random)
    return order.compactMap { Int($0.pool).map { targets[$0] } }
  }

  /// FNV-1a.
  private static func hash(_ model: String) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in model.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return hash == 0 ? 1 : hash
  }
}

enum ModelResolution {
  case route(ModelRoute)
  case refused(GatewayError)
}

/// The routes that one event loop has resolved in one configuration. Names that lead nowhere are not kept. Patterns match
/// any number of names, so a client can fill it: then it begins anew, which costs no more than resolving again.
struct ModelCache {
  static let capacity = 1_024

  private var routes: [Key: ModelRoute] = [:]

  private struct Key: Hashable {
    var model: String
    var operation: Operation
  }

  /// A route that the configuration does not know: to pools whose providers list the model, those that speak the client's
  /// protocol first.
  mutating func remember(
    _ model: String, _ operation: Operation, _ pools: [GatewayPool], _ configuration: GatewayConfiguration,
    metrics: GatewayMetrics
  ) -> ModelRoute {
    let ordered = pools.filter { $0.dialect.speaks(operation) } + pools.filter { !$0.dialect.speaks(operation) }
    let targets = ordered.map { pool in
      ResolvedTarget(
        pool: pool, upstreamModel: nil, slot: metrics.slot(ofPool: pool.name),
        entry: configuration.catalogue.entry(model, pool.dialect.provider))
    }
    let plan = RoutePlan(targets: ordered.map { RouteTarget(pool: $0.name) })
    let route = ModelRoute(model: model, plan: plan, targets: targets)
    if routes.count >= Self.capacity { routes.removeAll(keepingCapacity: true) }
    routes[Key(model: model, operation: operation)] = route
    return route
  }

  mutating func resolve(
    _ model: String, _ operation: Operation, _ configuration: GatewayConfiguration, metrics: GatewayMetrics
  ) -> ModelResolution {
    let key = Key(model: model, operation: operation)
    if let known = routes[key] { return .route(known) }
    switch configuration.routes.resolve(model: model, for: operation) {
    case .plan(let plan):
      let targets = plan.targets.compactMap { target in
        configuration.pool(named: target.pool).map {
          ResolvedTarget(
            pool: $0, upstreamModel: target.upstreamModel, slot: metrics.slot(ofPool: $0.name),
            entry: configuration.catalogue.entry(target.upstreamModel ?? model, $0.dialect.provider))
        }
      }
      guard targets.count == plan.targets.count, !targets.isEmpty else {
        return .refused(.unknownModel(model, suggestions: []))
      }
      let route = ModelRoute(model: model, plan: plan, targets: targets)
      if routes.count >= Self.capacity { routes.removeAll(keepingCapacity: true) }
      routes[key] = route
      return .route(route)
    case .unknown(let suggestions): return .refused(.unknownModel(model, suggestions: suggestions))
    case .otherSurface: return .refused(GatewayError(.surfaceMismatch, param: "model"))
    case .notAllowed: return .refused(GatewayError(.modelNotAllowed, param: "model"))
    }
  }
}
