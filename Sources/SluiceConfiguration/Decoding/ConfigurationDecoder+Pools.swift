internal import SluiceDialects
internal import SluicePolicy

extension ConfigurationDecoder {
  /// Most endpoints that one pool can have.
  static let mostEndpoints = EndpointSet.capacity

  mutating func decodePools(_ root: ObjectReader) -> [PoolConfiguration] {
    let entries = root.map("pools")
    if entries.isEmpty, case .object? = root.object["pools"]?.content, !problems.hasErrors {
      problems.error(at: root.position(of: "pools"), "no pool is configured")
    }
    return entries.compactMap { name, position, reader in
      if name == "agent" {
        problems.error(at: position, "'agent' cannot be the name of a pool: models called agent/… are agents")
      }
      return decodePool(name, reader)
    }
  }

  private mutating func decodePool(_ name: String, _ reader: ObjectReader) -> PoolConfiguration? {
    let provider = reader.text("provider").flatMap(Provider.init(rawValue:))
    // Everything is read even without a provider, so that its problems show as well.
    let options = decodeOptions(reader.nested("options"), provider: provider)
    let endpoints = decodeEndpoints(reader, provider: provider, options: options)
    var pool = PoolConfiguration(name: name, provider: provider ?? .openai, endpoints: endpoints)
    decodeConnections(reader.nested("connections"), into: &pool)
    decodePolicies(reader, into: &pool)
    pool.transport.proxy = reader.secret("proxy")
    reader.read("tls_verify", &pool.transport.verify)
    pool.transport.authorities = reader.text("tls_ca")
    if !pool.transport.verify, pool.transport.authorities != nil {
      problems.error(at: reader.position(of: "tls_ca"), "tls_ca has no effect with 'tls_verify: false'")
    }
    pool.fallbackDirect = reader.text("fallback") == "direct"
    pool.models = reader.texts("models")
    pool.options = options
    checkConnections(pool, reader.nested("connections"))
    return provider == nil ? nil : pool
  }

  private mutating func decodePolicies(_ reader: ObjectReader, into pool: inout PoolConfiguration) {
    let balance = reader.nested("balance")
    pool.strategy = balance.text("strategy").flatMap(BalanceStrategy.init(rawValue:)) ?? .powerOfTwo
    pool.affinity = balance.text("affinity").flatMap(PoolConfiguration.Affinity.init(rawValue:)) ?? .header
    balance.read("region_hold", &pool.regionHold)
    if pool.strategy != .powerOfTwo, balance.isGiven("affinity"), pool.affinity != .none {
      problems.error(at: balance.position(of: "affinity"), "affinity counts only with 'strategy: power_of_two'")
    }
    let timeouts = reader.nested("timeouts")
    pool.timeouts.firstByte = timeouts.duration("first_byte")
    pool.timeouts.firstToken = timeouts.duration("first_token")
    timeouts.read("between_bytes", &pool.timeouts.betweenBytes)
    timeouts.read("total", &pool.timeouts.total)
    let retry = reader.nested("retry")
    retry.read("attempts", &pool.retry.attempts)
    retry.read("budget", &pool.retry.budget)
    let health = reader.nested("health")
    health.read("interval", &pool.health.interval)
    health.read("timeout", &pool.health.timeout)
    health.read("unhealthy_after", &pool.health.unhealthyAfter)
    health.read("healthy_after", &pool.health.healthyAfter)
    pool.heartbeat.pace = Self.pace(reader.nested("heartbeat"))
  }

  /// The schema has refused other words.
  private static func pace(_ reader: ObjectReader) -> HeartbeatSettings.Pace {
    if let interval = reader.duration("interval") { return .every(interval) }
    return reader.text("interval") == "off" ? .off : .auto
  }

  // MARK: - Connections

  private func decodeConnections(_ reader: ObjectReader, into pool: inout PoolConfiguration) {
    reader.read("min", &pool.connections.min)
    reader.read("max", &pool.connections.max)
    reader.read("pool_max", &pool.connections.poolMax)
    // A default gives way to the value that was written.
    switch (reader.isGiven("max"), reader.isGiven("pool_max")) {
    case (false, true): pool.connections.max = min(pool.connections.max, pool.connections.poolMax)
    case (true, false): pool.connections.poolMax = max(pool.connections.max, pool.connections.poolMax)
    default: break
    }
    reader.read("keep_warm", &pool.connections.keepWarm)
    reader.read("reconnect_delay", &pool.connections.reconnectDelay)
    reader.read("idle_timeout", &pool.connections.idleTimeout)
    reader.read("max_age", &pool.connections.maxAge)
    reader.read("keepalive", &pool.transport.keepalive)
    reader.read("connect_timeout", &pool.connections.connectTimeout)
    // The schema has refused other words.
    pool.transport.version = reader.text("protocol").flatMap(PoolConfiguration.HTTPVersion.init(rawValue:)) ?? .auto
  }

  private mutating func checkConnections(_ pool: PoolConfiguration, _ reader: ObjectReader) {
    let limits = pool.connections
    if limits.min > limits.max {
      problems.error(at: reader.position(of: "min"), "min (\(limits.min)) is larger than max (\(limits.max))")
    }
    if limits.max > limits.poolMax {
      problems.error(at: reader.position(of: "max"), "max (\(limits.max)) is larger than pool_max (\(limits.poolMax))")
    }
    let origins = Set(pool.endpoints.map(\.url)).count
    let (least, overflow) = limits.min.multipliedReportingOverflow(by: origins)
    if limits.min <= limits.max, overflow || least > limits.poolMax {
      problems.error(
        at: reader.position(of: "min"),
        "min (\(limits.min)) for each of \(origins) base URLs is more than pool_max (\(limits.poolMax))")
    }
    if limits.reconnectDelay > limits.reconnectDelayMax {
      problems.error(at: reader.position(of: "reconnect_delay"), "reconnect_delay is longer than a minute")
    }
    if limits.idleTimeout > limits.maxAge, reader.isGiven("idle_timeout"), reader.isGiven("max_age") {
      problems.error(
        at: reader.position(of: "idle_timeout"),
        "idle_timeout (\(Quantity.text(limits.idleTimeout))) is longer than max_age (\(Quantity.text(limits.maxAge)))")
    }
  }
}
