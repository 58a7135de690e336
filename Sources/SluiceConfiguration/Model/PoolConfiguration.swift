public import SluiceDialects
public import SluicePolicy

/// One pool: endpoints of one provider with one queue and one set of policies.
public struct PoolConfiguration: Hashable, Sendable {
  /// The clocks of an exchange.
  public struct Timeouts: Hashable, Sendable {
    /// First byte of an answer that is not streamed. Nil: the gateway learns it, by model and size of the prompt; until
    /// it knows enough, and in the library, `total` alone bounds it.
    public var firstByte: Interval?
    /// First byte of a stream. Nil: 120 s; the gateway gives more to long prompts and slow models.
    public var firstToken: Interval?
    /// Silence within a stream.
    public var betweenBytes: Interval = .seconds(30)
    /// The whole exchange, all tries included.
    public var total: Interval = .minutes(10)

    /// The defaults of the production profile.
    public init() {}
  }

  /// What keeps related requests on one endpoint.
  public enum Affinity: String, CaseIterable, Sendable {
    /// Nothing.
    case none
    /// What clients send as `x-sluice-affinity`.
    case header
    /// Also the body's `user`.
    case user
    /// Also the beginning of the prompt, where the provider has it cached.
    case promptPrefix = "prompt_prefix"
  }

  /// When a failed request is tried again.
  public struct Retry: Hashable, Sendable {
    /// Tries in this pool, the first included.
    public var attempts = 3
    /// Retries in relation to requests: 0…1.
    public var budget = 0.2

    /// The defaults of the production profile.
    public init() {}
  }

  /// What connections to the provider speak.
  public enum HTTPVersion: String, CaseIterable, Sendable {
    /// HTTP/2 where TLS finds that the provider speaks it, else HTTP/1.1.
    case auto
    /// HTTP/1.1.
    case http1
    /// HTTP/2 and nothing else; without TLS by prior knowledge.
    case http2
  }

  /// How connections are opened; part of what makes an origin.
  public struct Transport: Hashable, Sendable {
    /// HTTP proxy as URL; a secret, since it may hold a password.
    public var proxy: Secret?
    /// Check certificates.
    public var verify = true
    /// Path of a PEM file of authorities to trust instead of the system's.
    public var authorities: String?
    /// TCP keep-alive after so much silence. Zero: none.
    public var keepalive: Interval = .seconds(30)
    /// What the next connection speaks.
    public var version = HTTPVersion.auto

    /// Direct, checked by the system's authorities.
    public init() {}
  }

  /// Name in paths, headers, metrics; 1–64 letters, digits, `.`, `_`, `-`.
  public var name: String
  /// The protocol that the endpoints speak.
  public var provider: Provider
  /// URL × key, at least one; names and identities are unique.
  public var endpoints: [EndpointConfiguration]
  /// How many connections, and for how long.
  public var connections = ConnectionSettings()
  /// How an endpoint is chosen.
  public var strategy = BalanceStrategy.powerOfTwo
  /// What keeps related requests on one endpoint; only `powerOfTwo` heeds it.
  public var affinity = Affinity.header
  /// How long a region that was out has to be well before it serves again.
  public var regionHold = Interval.minutes(1)
  /// The clocks of an exchange.
  public var timeouts = Timeouts()
  /// When a failed request is tried again.
  public var retry = Retry()
  /// When an endpoint is taken out, and how it comes back.
  public var health = HealthSettings()
  /// How warm paths are kept while nobody uses them.
  public var heartbeat = HeartbeatSettings()
  /// How connections are opened.
  public var transport = Transport()
  /// Open a connection for one request when the pool itself cannot serve.
  public var fallbackDirect = false
  /// Patterns of the models that it serves. Nil: all.
  public var models: [String]?
  /// What only this provider has.
  package var options = ProviderOptions.none

  /// A pool with the defaults of the production profile.
  public init(name: String, provider: Provider, endpoints: [EndpointConfiguration]) {
    self.name = name
    self.provider = provider
    self.endpoints = endpoints
  }
}

/// One base URL with one credential: the unit of balancing and health.
public struct EndpointConfiguration: Hashable, Sendable {
  /// How a credential is sent.
  public enum Authentication: String, CaseIterable, Sendable {
    /// In the provider's own header for API keys.
    case apiKey = "api_key"
    /// As `authorization: Bearer`.
    case bearer
  }

  /// Name in metrics and headers, unique in the pool.
  public var name: String
  /// Where it is.
  public var url: BaseURL
  /// Region, where the file names one: the nearest serves first.
  public var region: String?
  /// The credential. Nil for servers that want none.
  public var key: Secret?
  /// How the credential is sent.
  public var authentication: Authentication
  /// OpenAI organisation.
  public var organization: String?
  /// OpenAI project.
  public var project: String?
  /// Share of the load: 1…1000.
  public var weight = 1
  /// Backups serve only while no primary one can.
  public var role = EndpointRole.primary

  /// A primary endpoint of weight 1.
  public init(name: String, url: BaseURL, key: Secret?, authentication: Authentication = .bearer) {
    self.name = name
    self.url = url
    self.key = key
    self.authentication = authentication
  }

  /// What makes it the same endpoint across reloads, whatever its name or place in the file: the URL and the hash of
  /// the secret with what goes along with it. Holds no secret; differs from one run of the process to the next.
  package var identity: String {
    let scope = [authentication.rawValue, organization ?? "", project ?? ""].joined(separator: "|")
    return "\(url)#\(key?.fingerprint ?? "")#\(scope)"
  }
}

extension EndpointConfiguration.Authentication {
  /// What `auto` stands for.
  static func automatic(_ provider: Provider) -> EndpointConfiguration.Authentication {
    switch provider {
    case .anthropic, .gemini, .azureOpenAI, .bedrock: .apiKey
    case .openai, .cohere, .mistral, .huggingface, .local: .bearer
    }
  }
}
