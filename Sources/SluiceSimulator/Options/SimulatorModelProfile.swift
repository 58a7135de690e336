/// Speed and size of the models whose name matches a pattern.
public struct SimulatorModelProfile: Sendable, Hashable {
  /// A model name in which `*` stands for any text.
  public var pattern: String
  /// Median time from the request to the first token, in milliseconds.
  public var firstTokenMilliseconds: Double
  /// Spread of that time: the standard deviation of its logarithm (0 is none, 0.4 is usual).
  public var firstTokenSpread: Double
  /// Tokens per second after the first.
  public var tokensPerSecond: Double
  /// Largest prompt in tokens; more is the provider's context-length error.
  public var contextTokens: Int
  /// Largest answer in tokens.
  public var maxOutputTokens: Int

  /// Creates a profile; the values not given are those of a middle-sized model.
  public init(
    pattern: String, firstTokenMilliseconds: Double = 420, firstTokenSpread: Double = 0.4,
    tokensPerSecond: Double = 85, contextTokens: Int = 400_000, maxOutputTokens: Int = 128_000
  ) {
    self.pattern = pattern
    self.firstTokenMilliseconds = firstTokenMilliseconds
    self.firstTokenSpread = firstTokenSpread
    self.tokensPerSecond = tokensPerSecond
    self.contextTokens = contextTokens
    self.maxOutputTokens = maxOutputTokens
  }

  /// The built-in table. Speeds are of the usual order for such models, not measurements of any service.
  package static let builtIn: [SimulatorModelProfile] = [
    .init(
      pattern: "text-embedding-*", firstTokenMilliseconds: 60, firstTokenSpread: 0.3, tokensPerSecond: 100_000,
      contextTokens: 300_000, maxOutputTokens: 1),
    .init(pattern: "gpt-4o*", contextTokens: 128_000, maxOutputTokens: 16_384),
    .init(pattern: "gpt-*-nano*", firstTokenMilliseconds: 240, firstTokenSpread: 0.35, tokensPerSecond: 160),
    .init(pattern: "gpt-*-mini*", firstTokenMilliseconds: 320, firstTokenSpread: 0.38, tokensPerSecond: 120),
    .init(pattern: "gpt-*", firstTokenMilliseconds: 480, firstTokenSpread: 0.42, tokensPerSecond: 75),
    .init(pattern: "o3*", firstTokenMilliseconds: 1_500, firstTokenSpread: 0.5, contextTokens: 200_000),
    .init(pattern: "o4*", firstTokenMilliseconds: 1_200, firstTokenSpread: 0.5, contextTokens: 200_000),
    .init(
      pattern: "claude-haiku-*", firstTokenMilliseconds: 350, firstTokenSpread: 0.35, tokensPerSecond: 140,
      contextTokens: 200_000, maxOutputTokens: 64_000),
    .init(
      pattern: "claude-opus-*", firstTokenMilliseconds: 900, firstTokenSpread: 0.45, tokensPerSecond: 55,
      contextTokens: 1_000_000),
    .init(
      pattern: "claude-*", firstTokenMilliseconds: 600, firstTokenSpread: 0.4, tokensPerSecond: 80,
      contextTokens: 1_000_000),
    .init(pattern: "*"),
  ]

  /// The models shown in a list when the options name none.
  package static let openAIModels = [
    "gpt-5.4", "gpt-5.4-mini", "gpt-5.4-nano", "gpt-4o", "gpt-4o-mini", "text-embedding-3-small",
    "text-embedding-3-large",
  ]
  package static let anthropicModels = [
    "claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5", "claude-fable-5-2", "claude-sonnet-4-5",
  ]
}
