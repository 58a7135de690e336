import SluiceConfiguration
import SluiceDialects

/// Model names to pools, by the gateway's route table.
///
/// The gateway has to stay with its client's protocol; a library call has none, because each target gets the request in
/// its own. So routes are looked up with all pools taken as one protocol; only a name that no route and no single pool
/// answers for is given to the family that its name suggests.
struct ModelRouter: Sendable {
  private let everything: RouteTable
  private let bySurface: RouteTable
  private let surfaces: [String: Surface]

  init(_ configuration: SluiceConfiguration, _ pools: [AssembledPool]) throws {
    let routes = configuration.routes.map(\.definition)
    let own = pools.map { $0.blueprint.configuration.routePool($0.blueprint.dialect) }
    bySurface = try RouteTable(routes: routes, pools: own)
    everything = try RouteTable(
      routes: routes,
      pools: own.map { pool in
        var pool = pool
        pool.dialect = .openai
        return pool
      })
    surfaces = Dictionary(own.map { ($0.name, $0.dialect.surface) }, uniquingKeysWith: { first, _ in first })
  }

  /// Where to try, in this order; never empty.
  ///
  /// - Parameter only: pools of another protocol cannot do it.
  func targets(for model: String, only surface: Surface?) throws(SluiceError) -> [RouteTarget] {
    var found = everything.resolve(model: model, for: .chat)
    if case .unknown(let suggestions) = found {
      let guess = bySurface.resolve(model: model, for: (surface ?? family(of: model)).chat)
      if case .plan = guess { found = guess } else if suggestions.isEmpty { found = guess }
    }
    switch found {
    case .plan(let plan):
      let ordered = plan.ordered(random: .random(in: .min ... .max))
      let able = ordered.filter { surface == nil || surfaces[$0.pool] == surface }
      guard able.isEmpty else { return able }
      throw SluiceError(
        .unsupported,
        "pool \(names(ordered.map(\.pool))) cannot do this: its provider has no such call; name a pool that has it")
    case .unknown(let suggestions): throw unknown(model, suggestions)
    case .notAllowed(let pools):
      throw SluiceError(
        .notAllowed, "pool \(names(pools)) does not allow model '\(model)'; add it to the pool's models")
    case .otherSurface(let pools):
      throw SluiceError(.unsupported, "model '\(model)' is served by pool \(names(pools)) only, which cannot do this")
    }
  }

  private func family(of model: String) -> Surface { model.hasPrefix("claude") ? .anthropic : .openai }

  private func unknown(_ model: String, _ suggestions: [String]) -> SluiceError {
    let near = suggestions.isEmpty ? "." : "; did you mean \(suggestions.map { "'\($0)'" }.joined(separator: " or "))?"
    let pools = surfaces.keys.sorted().prefix(8).joined(separator: ", ")
    return SluiceError(
      .unknownModel,
      "no route and no pool for model '\(model)'\(near) Write 'pool/model' (pools: \(pools)) or add a route")
  }

  private func names(_ pools: [String]) -> String { pools.map { "'\($0)'" }.joined(separator: ", ") }
}
