/// What a simulator listens on, how fast it answers, and what it refuses.
///
/// The defaults suit a test: an ephemeral port on loopback, answers without delay, no rate limit, any model.
public struct SimulatorOptions: Sendable {
  /// The address to listen on.
  public var host: String
  /// The port to listen on; 0 lets the system choose.
  public var port: Int
  /// Everything random — texts, latency, which request a fault with a rate hits — follows from this number.
  public var seed: UInt64
  /// How long answers take.
  public var latency: SimulatorLatency
  /// The limits of each OpenAI key.
  public var openAILimits: SimulatorLimits
  /// The limits of each Anthropic key.
  public var anthropicLimits: SimulatorLimits
  /// The limits of each key of the other providers, by the provider's name (`gemini`, `mistral`, …).
  public var otherLimits: [String: SimulatorLimits] = [:]
  /// The models that exist. `nil`: every name is served and a built-in list is shown.
  public var models: [String]?
  /// The keys that are accepted. `nil`: every well-formed key that does not contain `invalid`.
  public var keys: Set<String>?
  /// Speed and size of models, first match wins; the built-in table follows.
  public var profiles: [SimulatorModelProfile]
  /// Length of prose answers in tokens. `nil`: drawn for each request (log-normal, median 48).
  public var answerTokens: Int?
  /// Largest request body in bytes; more is answered with 413.
  public var maxBodyBytes: Int
  /// Largest number of connections; more are closed as soon as they are accepted.
  public var maxConnections: Int
  /// Largest number of scripted faults.
  public var maxFaults: Int
  /// Streams that one connection of HTTP/2 may have at a time, 0 to 2,147,483,647; can be changed while it runs.
  public var maxConcurrentStreams = 100
  /// Serves TLS, with HTTP/2 and HTTP/1.1 to choose from, instead of plain TCP.
  public var tls: SimulatorTLS?
  /// Where time comes from.
  public var clock: SimulatorClock

  /// Creates options; everything has a default.
  public init(
    host: String = "127.0.0.1", port: Int = 0, seed: UInt64 = 1, latency: SimulatorLatency = .none,
    openAILimits: SimulatorLimits = .unlimited, anthropicLimits: SimulatorLimits = .unlimited,
    models: [String]? = nil, keys: Set<String>? = nil, profiles: [SimulatorModelProfile] = [],
    answerTokens: Int? = nil, maxBodyBytes: Int = 64 << 20, maxConnections: Int = 20_000, maxFaults: Int = 64,
    clock: SimulatorClock = .system
  ) {
    self.host = host
    self.port = port
    self.seed = seed
    self.latency = latency
    self.openAILimits = openAILimits
    self.anthropicLimits = anthropicLimits
    self.models = models
    self.keys = keys
    self.profiles = profiles
    self.answerTokens = answerTokens
    self.maxBodyBytes = maxBodyBytes
    self.maxConnections = maxConnections
    self.maxFaults = maxFaults
    self.clock = clock
  }

  /// Options that behave like the hosted services: realistic latency and published limits.
  public static func realistic(host: String = "127.0.0.1", port: Int = 0, seed: UInt64 = 1) -> SimulatorOptions {
    SimulatorOptions(
      host: host, port: port, seed: seed, latency: .realistic, openAILimits: .openAI, anthropicLimits: .anthropic)
  }

  /// What RFC 9113 §6.5.2 has room for, and more than anybody means.
  static let streamLimits = 0...Int(Int32.max)

  func limits(of provider: ProviderCall.Provider) -> SimulatorLimits {
    switch provider {
    case .openai: openAILimits
    case .anthropic: anthropicLimits
    default: otherLimits[provider.rawValue] ?? (latency == .realistic ? Self.usual(provider) : .unlimited)
    }
  }

  /// What the providers publish for production keys, or thereabouts.
  private static func usual(_ provider: ProviderCall.Provider) -> SimulatorLimits {
    switch provider {
    case .azureOpenAI: SimulatorLimits(requestsPerMinute: 6_000, tokensPerMinute: 1_000_000)
    case .gemini: SimulatorLimits(requestsPerMinute: 2_000, tokensPerMinute: 4_000_000)
    case .cohere: SimulatorLimits(requestsPerMinute: 500)
    case .mistral: SimulatorLimits(requestsPerMinute: 1_200, tokensPerMinute: 2_000_000)
    case .huggingface: SimulatorLimits(requestsPerMinute: 1_000)
    case .bedrock: SimulatorLimits(requestsPerMinute: 1_000, tokensPerMinute: 2_000_000)
    case .openai, .anthropic, .local: .unlimited
    }
  }
}

/// How long answers take.
public enum SimulatorLatency: String, Sendable, CaseIterable {
  /// Time to first token is log-normal and tokens come at the model's rate, as in its profile.
  case realistic
  /// Everything at once.
  case none
}

/// Where a simulator's time comes from.
public enum SimulatorClock: Sendable, Hashable {
  /// The system's clocks.
  case system
  /// Time stands still at this Unix time (seconds) until ``SimulatorServer/advanceClock(by:)`` moves it.
  case manual(startingAt: Int64)
}

/// Limits of one key, enforced as continuously refilled buckets (GCRA). `nil` is no limit, and no header about it.
public struct SimulatorLimits: Sendable, Hashable {
  /// Requests per minute.
  public var requestsPerMinute: Int?
  /// Tokens per minute: prompt and answer together with OpenAI, the prompt alone with Anthropic.
  public var tokensPerMinute: Int?
  /// Answer tokens per minute; Anthropic only. Reserved from `max_tokens`, corrected when the answer is known.
  public var outputTokensPerMinute: Int?
  /// The part of a minute's limit that may be spent at once, 0 to 1.
  public var burst: Double

  /// Creates limits; what is not given is not limited.
  public init(
    requestsPerMinute: Int? = nil, tokensPerMinute: Int? = nil, outputTokensPerMinute: Int? = nil, burst: Double = 1
  ) {
    self.requestsPerMinute = requestsPerMinute
    self.tokensPerMinute = tokensPerMinute
    self.outputTokensPerMinute = outputTokensPerMinute
    self.burst = burst
  }

  /// No limit at all.
  public static let unlimited = SimulatorLimits()
  /// A usual limit of one OpenAI key.
  public static let openAI = SimulatorLimits(requestsPerMinute: 10_000, tokensPerMinute: 2_000_000)
  /// A usual limit of one Anthropic key.
  public static let anthropic = SimulatorLimits(
    requestsPerMinute: 4_000, tokensPerMinute: 4_000_000, outputTokensPerMinute: 800_000)
}

/// Where a running simulator is reached.
public struct SimulatorAddress: Sendable, Hashable, CustomStringConvertible {
  /// The host it listens on.
  public var host: String
  /// The port it listens on.
  public var port: Int
  /// Whether it speaks TLS.
  public var isSecure = false

  /// `http://host:port` or `https://host:port`, the base URL of Anthropic's SDKs.
  public var url: String {
    "\(isSecure ? "https" : "http")://\(host.contains(":") ? "[\(host)]" : host):\(port)"
  }
  /// The base URL of OpenAI's SDKs.
  public var openAIBaseURL: String { url + "/v1" }
  /// The base URL of Anthropic's SDKs.
  public var anthropicBaseURL: String { url }
  /// The same as ``url``.
  public var description: String { url }
}

/// Why a simulator refused what its owner asked for.
public struct SimulatorError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What is wrong, in words.
  public var description: String
}
