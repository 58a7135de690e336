/// Where connections go. Two endpoints with the same origin share them.
public struct OriginSettings: Hashable, Sendable {
  /// What makes it the same origin across a reconfiguration (base URL, TLS settings, proxy).
  public var identity: String
  /// For people: in logs, metrics and documents. Need not be unique.
  public var name: String

  /// Takes any text; `PoolSettings.validated()` refuses two origins with one identity.
  public init(identity: String, name: String) {
    self.identity = identity
    self.name = name
  }
}

/// Backup endpoints serve only while no primary one can.
public enum EndpointRole: UInt8, Sendable {
  case primary, backup
}

/// One origin with one credential.
public struct EndpointSettings: Hashable, Sendable {
  /// What makes it the same endpoint across a reconfiguration (origin and hash of the secret; never the secret).
  public var identity: String
  /// For people: in logs, metrics and documents. Need not be unique.
  public var name: String
  /// Index into `PoolSettings.origins`.
  public var origin: Int
  /// Share of the load relative to the others: 1…1000.
  public var weight: Int
  /// Whether it serves always or only while no primary endpoint can.
  public var role: EndpointRole
  /// Most slots lent at once for this endpoint.
  public var maxConcurrent: Int?
  /// Endpoints of the nearest region serve first; `nil`: none, which counts as one more region beside named ones.
  public var region: String?

  /// Checked by `PoolSettings.validated()`, not here. `maxConcurrent` of `nil`: no limit of its own.
  public init(
    identity: String, name: String, origin: Int, weight: Int = 1, role: EndpointRole = .primary,
    maxConcurrent: Int? = nil, region: String? = nil
  ) {
    self.identity = identity
    self.name = name
    self.origin = origin
    self.weight = weight
    self.role = role
    self.maxConcurrent = maxConcurrent
    self.region = region
  }
}

/// Everything one pool's machine has to know.
public struct PoolSettings: Hashable, Sendable {
  /// For people: in logs, metrics and documents.
  public var name: String
  /// 1…256 with different identities; endpoints refer to them by index.
  public var origins: [OriginSettings]
  /// 1…256 with different identities.
  public var endpoints: [EndpointSettings]
  /// How many resources, how they are opened and when they are given up.
  public var connections = ConnectionSettings()
  /// Who may wait, and for how long before being lifted.
  public var queue = QueueSettings()
  /// How an endpoint is chosen.
  public var balance = BalanceSettings()
  /// When an endpoint is taken out, and how it comes back.
  public var health = HealthSettings()
  /// How warm paths are kept while nobody uses them.
  public var heartbeat = HeartbeatSettings()
  /// Callers may ask for a direct one-off connection when the pool itself cannot serve. Read by the driver.
  public var fallbackDirect = false
  /// Entries of the event journal; 0 turns it off.
  public var journalEntries = 256

  /// Defaults for everything else; `validated()` checks the whole.
  public init(name: String, origins: [OriginSettings], endpoints: [EndpointSettings]) {
    self.name = name
    self.origins = origins
    self.endpoints = endpoints
  }
}
