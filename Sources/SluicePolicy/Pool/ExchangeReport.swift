/// How an exchange went, as far as health, load and cool-downs need to know.
public enum ExchangeResult: Hashable, Sendable {
  case success
  case failed(FailureClass)
  /// The client went away; says nothing about the endpoint.
  case cancelled
  /// The slot was lent but nothing was sent on it.
  case unused
}

/// What becomes of the resource.
public enum ResourceFate: Hashable, Sendable {
  case reusable
  case close(CloseReason)
}

/// How far a failure reaches.
public enum FailureScope: UInt8, Sendable {
  /// The whole endpoint: a rejected credential or a limit takes it out for everybody.
  case endpoint
  /// This model on this endpoint only; the endpoint goes on serving others.
  case model
}

/// Handed over when a slot is returned.
public struct ExchangeReport: Hashable, Sendable {
  /// What the endpoint's health learns from it.
  public var result: ExchangeResult
  /// Whether the resource may serve again; the pool may close it all the same.
  public var fate: ResourceFate
  /// How much of the endpoint a failure takes out; means nothing with a success.
  public var scope: FailureScope
  /// From the grant to the first byte of the answer; zero is unknown.
  public var latency: Interval
  /// From the grant to the end.
  public var total: Interval
  /// The provider asked to be left alone for so long (429, overload).
  public var coolFor: Interval?
  /// Hash of the model's name; 0 is unknown.
  public var model: UInt64

  /// A report on a resource that may be used again, times unknown, unless the arguments say otherwise.
  public init(
    result: ExchangeResult, fate: ResourceFate = .reusable, scope: FailureScope = .endpoint,
    latency: Interval = .zero, total: Interval = .zero, coolFor: Interval? = nil, model: UInt64 = 0
  ) {
    self.result = result
    self.fate = fate
    self.scope = scope
    self.latency = latency
    self.total = total
    self.coolFor = coolFor
    self.model = model
  }

  /// Nothing was sent; the resource is as good as before.
  public static let unused = ExchangeReport(result: .unused)
}
