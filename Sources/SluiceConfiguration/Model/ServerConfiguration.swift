public import SluicePolicy

/// The gateway's own side: where it listens and what it bears.
public struct ServerConfiguration: Hashable, Sendable {
  /// Certificate and key for HTTPS, as paths of PEM files.
  public struct TLS: Hashable, Sendable {
    /// Certificate chain, own certificate first.
    public var certificate: String
    /// Private key.
    public var privateKey: String

    /// Both are paths of PEM files.
    public init(certificate: String, privateKey: String) {
      self.certificate = certificate
      self.privateKey = privateKey
    }
  }

  /// At least one.
  public var listen: [ListenAddress] = [.tcp(host: "127.0.0.1", port: 8080)]
  /// HTTPS instead of HTTP on the TCP addresses.
  public var tls: TLS?
  /// Bearer token of the admin pages. Nil: they answer on loopback only.
  public var adminToken: Secret?
  /// Event loops. Nil: one per processor.
  public var threads: Int?
  /// Largest body of a request, in bytes.
  public var maxRequestBody = 32 << 20
  /// Most bytes of request bodies kept for retries, process-wide.
  public var maxBuffered = 512 << 20
  /// Largest head of a request, in bytes.
  public var maxHead = 64 << 10
  /// Most open client connections.
  public var maxConnections = 20_000
  /// Names by which clients may call it, beside its own addresses; lower case.
  public var hosts: [String] = []
  /// How long a client may take for the head of a request.
  public var headTimeout: Interval = .seconds(10)
  /// How long a client's body may make no progress.
  public var bodyTimeout: Interval = .seconds(30)
  /// Bytes a second that a client's body has to come with; 0: any.
  public var minBodyRate = 500
  /// How long a client's connection may be without a request.
  public var idleTimeout: Interval = .seconds(75)
  /// How long exchanges in flight may take to finish at shutdown.
  public var drainTimeout: Interval = .seconds(30)
  /// Pause after which a silent stream gets a comment. Zero: never.
  public var keepaliveComment: Interval = .seconds(15)

  /// The defaults of the production profile.
  public init() {}
}

/// How many requests may wait for a pool, and for how long.
public struct AdmissionConfiguration: Hashable, Sendable {
  /// Most waiting requests of each pool: 0…1,000,000.
  public var capacity = 1_000
  /// Longest wait of a request.
  public var timeout: Interval = .seconds(60)

  /// The defaults.
  public init() {}
}

/// Who may use the gateway.
public struct AccessConfiguration: Hashable, Sendable {
  /// One access key; the gateway knows only its hash.
  public struct Key: Hashable, Sendable {
    /// Name in logs and metrics.
    public var name: String
    /// SHA-256 of the key: 32 bytes.
    public var sha256: [UInt8]
    /// Priority where callers have to wait.
    public var priority: PriorityClass
    /// Patterns of the models that it may use. Nil: all.
    public var models: [String]?

    /// `sha256` has 32 bytes.
    public init(name: String, sha256: [UInt8], priority: PriorityClass = .normal, models: [String]? = nil) {
      self.name = name
      self.sha256 = sha256
      self.priority = priority
      self.models = models
    }
  }

  /// Names and hashes are unique.
  public var keys: [Key]

  /// Names and hashes have to be unique.
  public init(keys: [Key]) {
    self.keys = keys
  }
}
