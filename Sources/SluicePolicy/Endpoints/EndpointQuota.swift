/// What a provider last said about one limit of an endpoint.
public struct QuotaWindow: Hashable, Sendable {
  private static let unknown = UInt32.max

  private var rawLimit = QuotaWindow.unknown
  private var rawRemaining = QuotaWindow.unknown
  private var rawReset = Instant.distantPast

  /// Nothing is known.
  public init() {}

  /// Counts beyond 32 bits are cut to what fits.
  public init(limit: Int?, remaining: Int?, resetsAt: Instant?) {
    rawLimit = limit.map(Self.fitting) ?? Self.unknown
    rawRemaining = remaining.map(Self.fitting) ?? Self.unknown
    rawReset = resetsAt ?? .distantPast
  }

  private static func fitting(_ count: Int) -> UInt32 { Swift.min(UInt32(clamping: count), unknown - 1) }

  /// Requests or tokens in a window; `nil` is unknown.
  public var limit: Int? { rawLimit == Self.unknown ? nil : Int(rawLimit) }
  /// What was left of them; `nil` is unknown.
  public var remaining: Int? { rawRemaining == Self.unknown ? nil : Int(rawRemaining) }
  /// When all of it is back; `nil` is unknown.
  public var resetsAt: Instant? { rawReset == .distantPast ? nil : rawReset }
  /// Nothing is known.
  public var isEmpty: Bool { limit == nil && remaining == nil && resetsAt == nil }

  /// The same at another moment: what was to be back by then is.
  public func at(_ now: Instant) -> QuotaWindow {
    guard let limit, let reset = resetsAt, reset <= now else { return self }
    return QuotaWindow(limit: limit, remaining: limit, resetsAt: nil)
  }
}

/// What a provider last said about the limits of an endpoint, in the headers of an answer.
public struct EndpointQuota: Hashable, Sendable {
  /// Requests.
  public var requests = QuotaWindow()
  /// Tokens of both kinds together.
  public var tokens = QuotaWindow()
  /// Tokens of prompts.
  public var inputTokens = QuotaWindow()
  /// Generated tokens.
  public var outputTokens = QuotaWindow()
  /// When it was said.
  public var heardAt: Instant

  /// Nothing is known yet.
  ///
  /// - Parameter heardAt: the moment of the answer.
  public init(heardAt: Instant) { self.heardAt = heardAt }

  /// The same at another moment: what was to be back by then is.
  public func at(_ now: Instant) -> EndpointQuota {
    var quota = self
    quota.requests = requests.at(now)
    quota.tokens = tokens.at(now)
    quota.inputTokens = inputTokens.at(now)
    quota.outputTokens = outputTokens.at(now)
    return quota
  }
}
