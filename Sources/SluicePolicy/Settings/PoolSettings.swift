/// Where connections go. Two endpoints with the same origin share them.
public struct OriginSettings: Hashable, Sendable {
  /// What makes it the same origin across a reconfiguration (base URL, TLS settings, proxy).
  public var identity: String
  public var name: String

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
  public var name: String
  /// Index into `PoolSettings.origins`.
  public var origin: Int
  /// Share of the load relative to the others: 1…1000.
  public var weight: Int
  public var role: EndpointRole
  /// Most slots lent at once for this endpoint.
  public var maxConcurrent: Int?

  public init(
    identity: String, name: String, origin: Int, weight: Int = 1, role: EndpointRole = .primary,
    maxConcurrent: Int? = nil
  ) {
    self.identity = identity
    self.name = name
    self.origin = origin
    self.weight = weight
    self.role = role
    self.maxConcurrent = maxConcurrent
  }
}

/// Everything one pool's machine has to know.
public struct PoolSettings: Hashable, Sendable {
  public var name: String
  public var origins: [OriginSettings]
  public var endpoints: [EndpointSettings]
  public var connections = ConnectionSettings()
  public var queue = QueueSettings()
  public var balance = BalanceSettings()
  public var health = HealthSettings()
  /// Callers may ask for a direct one-off connection when the pool itself cannot serve. Read by the driver.
  public var fallbackDirect = false
  /// Entries of the event journal; 0 turns it off.
  public var journalEntries = 256

  public init(name: String, origins: [OriginSettings], endpoints: [EndpointSettings]) {
    self.name = name
    self.origins = origins
    self.endpoints = endpoints
  }
}
