/// Which pools serve a model.
public struct RouteConfiguration: Hashable, Sendable {
  /// In which order targets are used.
  public enum Strategy: String, CaseIterable, Sendable {
    /// In order; the next one when one cannot serve.
    case fallback
    /// The first one by weight, then the others.
    case weighted
  }

  /// One pool, and the model to ask it for.
  public struct Target: Hashable, Sendable {
    /// Name of the pool.
    public var pool: String
    /// Model name upstream. Nil: the one the client asked for.
    public var model: String?
    /// Share of the load with `weighted`: 1…1000.
    public var weight: Int

    /// `weight` counts only with the strategy `weighted`.
    public init(pool: String, model: String? = nil, weight: Int = 1) {
      self.pool = pool
      self.model = model
      self.weight = weight
    }
  }

  /// Model name that clients ask for; `*` stands for any characters.
  public var model: String
  /// At least one.
  public var targets: [Target]
  /// In which order targets are used.
  public var strategy: Strategy

  /// `targets` has at least one element.
  public init(model: String, targets: [Target], strategy: Strategy = .fallback) {
    self.model = model
    self.targets = targets
    self.strategy = strategy
  }
}
