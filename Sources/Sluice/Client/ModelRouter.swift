import SluiceConfiguration
import SluiceDialects

/// Model names to pools, by the gateway's route table.
///
/// The table prefers pools that speak the client's protocol. A library call has none of its own, so the one that the
/// model's name suggests stands for it: a new model that the catalogue does not know yet still finds the one pool of its
/// family. All names that routes, `pool/` or the catalogue lead somewhere lead there for every protocol.
struct ModelRouter: Sendable {
  private struct Family {
    var prefix: String
    var task: Operation.Purpose
    var operation: Operation
  }

  private static let families = [
    Family(prefix: "claude", task: .chat, operation: .messages),
    Family(prefix: "gemini", task: .chat, operation: .generateContent),
    Family(prefix: "gemini", task: .embeddings, operation: .batchEmbedContents),
    Family(prefix: "command", task: .chat, operation: .cohereChat),
    Family(prefix: "embed-", task: .embeddings, operation: .cohereEmbed),
  ]

  private let routes: RouteTable
  private let pools: [RoutePool]

  init(_ configuration: SluiceConfiguration, _ pools: [AssembledPool], _ catalogue: ModelCatalogue) throws {
    self.pools = pools.map { $0.blueprint.configuration.routePool($0.blueprint.dialect) }
    routes = try RouteTable(
      routes: configuration.routes.map(\.definition), pools: self.pools, catalogue: catalogue)
  }

  /// Where to try, in this order; never empty.
  func targets(for model: String, task: Operation.Purpose) throws(SluiceError) -> [RouteTarget] {
    let operation = Self.operation(model, task)
    switch routes.resolve(model: model, for: operation) {
    case .plan(let plan): return plan.ordered(random: .random(in: .min ... .max))
    case .unknown(let suggestions):
      guard pools.contains(where: { $0.serves(operation) }) else { throw unable(model, pools.map(\.name), task) }
      throw unknown(model, suggestions)
    case .notAllowed(let pools):
      throw SluiceError(
        .notAllowed, "pool \(names(pools)) does not allow model '\(model)'; add it to the pool's models")
    case .otherSurface(let pools): throw unable(model, pools, task)
    }
  }

  private static func operation(_ model: String, _ task: Operation.Purpose) -> Operation {
    families.first { $0.task == task && model.hasPrefix($0.prefix) }?.operation
      ?? (task == .embeddings ? .embeddings : .chat)
  }

  private func unable(_ model: String, _ pools: [String], _ task: Operation.Purpose) -> SluiceError {
    let what = task == .embeddings ? "embeddings" : "chat"
    return SluiceError(
      .unsupported,
      "model '\(model)' leads to pool \(names(pools)) only, whose provider has no \(what); name a pool that has it")
  }

  private func unknown(_ model: String, _ suggestions: [String]) -> SluiceError {
    let near = suggestions.isEmpty ? "." : "; did you mean \(suggestions.map { "'\($0)'" }.joined(separator: " or "))?"
    let pools = pools.map(\.name).sorted().prefix(8).joined(separator: ", ")
    return SluiceError(
      .unknownModel,
      "no route and no pool for model '\(model)'\(near) Write 'pool/model' (pools: \(pools)) or add a route")
  }

  private func names(_ pools: [String]) -> String { pools.map { "'\($0)'" }.joined(separator: ", ") }
}
