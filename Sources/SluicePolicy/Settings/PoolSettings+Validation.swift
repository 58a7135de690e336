/// One thing that is wrong with settings.
public struct PoolSettingsProblem: Hashable, Sendable {
  /// Dotted path of the field, as in `connections.max`.
  public var path: String
  /// What is wrong, to be read after the path, as in `must not exceed max (50)`.
  public var message: String

  /// One problem at one field.
  public init(path: String, message: String) {
    self.path = path
    self.message = message
  }
}

/// Thrown by `PoolSettings.validated()`; never empty.
public struct PoolSettingsError: Error, Hashable, Sendable, CustomStringConvertible {
  /// In the order of the fields.
  public var problems: [PoolSettingsProblem]

  /// `problems` should not be empty.
  public init(problems: [PoolSettingsProblem]) {
    self.problems = problems
  }

  /// Path and message of each problem, separated by semicolons.
  public var description: String { problems.map { "\($0.path): \($0.message)" }.joined(separator: "; ") }
}

extension PoolSettings {
  /// The settings themselves, if nothing is wrong with them.
  public func validated() throws(PoolSettingsError) -> PoolSettings {
    let problems = problems()
    if !problems.isEmpty { throw PoolSettingsError(problems: problems) }
    return self
  }

  /// Everything that is wrong, in the order of the fields.
  public func problems() -> [PoolSettingsProblem] {
    var check = SettingsCheck()
    checkOrigins(&check)
    checkEndpoints(&check)
    checkConnections(&check)
    checkQueue(&check)
    checkHealth(&check)
    checkHeartbeat(&check)
    check.positive("balance.latency_decay", balance.latencyDecay)
    check.positive("balance.region_hold", balance.regionHold)
    if !(0..<1).contains(balance.regionMargin) { check.fail("balance.region_margin", "must be at least 0 and below 1") }
    check.range("journal_entries", journalEntries, 0...65_536)
    return check.problems
  }

  private func checkOrigins(_ check: inout SettingsCheck) {
    if origins.isEmpty { check.fail("origins", "at least one is needed") }
    if origins.count > EndpointSet.capacity { check.fail("origins", "at most \(EndpointSet.capacity) are possible") }
    check.unique("origins", origins.map(\.identity))
  }

  private func checkEndpoints(_ check: inout SettingsCheck) {
    if endpoints.isEmpty { check.fail("endpoints", "at least one is needed") }
    if endpoints.count > EndpointSet.capacity {
      check.fail("endpoints", "at most \(EndpointSet.capacity) are possible")
    }
    check.unique("endpoints", endpoints.map(\.identity))
    for (index, endpoint) in endpoints.enumerated() {
      if !origins.indices.contains(endpoint.origin) {
        check.fail("endpoints[\(index)].origin", "there is no origin \(endpoint.origin)")
      }
      check.range("endpoints[\(index)].weight", endpoint.weight, 1...1000)
      if let most = endpoint.maxConcurrent { check.range("endpoints[\(index)].concurrent", most, 1...1_000_000) }
    }
  }

  private func checkConnections(_ check: inout SettingsCheck) {
    let limits = connections
    check.range("connections.max", limits.max, 1...100_000)
    check.range("connections.pool_max", limits.poolMax, 1...100_000)
    check.range("connections.min", limits.min, 0...100_000)
    if limits.min > limits.max { check.fail("connections.min", "must not exceed max (\(limits.max))") }
    let (least, overflow) = limits.min.multipliedReportingOverflow(by: origins.count)
    if overflow || least > limits.poolMax {
      check.fail("connections.min", "times \(origins.count) origins exceeds pool_max (\(limits.poolMax))")
    }
    check.range("connections.concurrent_connects", limits.concurrentConnects, 1...1000)
    check.range("connections.fail_fast_after", limits.failFastAfter, 1...1000)
    check.notNegative("connections.keep_warm", limits.keepWarm)
    check.notNegative("connections.verify_after", limits.verifyAfter)
    check.positive("connections.reconnect_delay", limits.reconnectDelay)
    check.positive("connections.idle_timeout", limits.idleTimeout)
    check.positive("connections.max_age", limits.maxAge)
    check.positive("connections.connect_timeout", limits.connectTimeout)
    check.positive("connections.verify_timeout", limits.verifyTimeout)
    check.positive("connections.warm_verify_interval", limits.warmVerifyInterval)
    check.positive("connections.close_grace", limits.closeGrace)
    if limits.reconnectDelayMax < limits.reconnectDelay {
      check.fail("connections.reconnect_delay_max", "must be at least reconnect_delay")
    }
    check.range("connections.warm_ratio", limits.warmRatio, 1...10)
    check.range("connections.slot_utilization", limits.slotUtilization, 0.1...1)
    check.range("connections.jitter", limits.jitter, 0...0.5)
  }

  private func checkQueue(_ check: inout SettingsCheck) {
    check.range("queue.capacity", queue.capacity, 0...1_000_000)
    check.positive("queue.ageing", queue.ageing)
    var sum = 0.0
    for priority in PriorityClass.allCases {
      check.range("queue.reserved.\(priority.label)", queue.reserved[priority], 0...1)
      sum += queue.reserved[priority]
    }
    if sum > 1 { check.fail("queue.reserved", "adds up to more than 1") }
  }

  private func checkHealth(_ check: inout SettingsCheck) {
    check.positive("health.interval", health.interval)
    check.positive("health.timeout", health.timeout)
    check.positive("health.ejection", health.ejection)
    check.positive("health.default_cooling", health.defaultCooling)
    check.notNegative("health.slow_start", health.slowStart)
    check.range("health.unhealthy_after", health.unhealthyAfter, 1...1000)
    check.range("health.healthy_after", health.healthyAfter, 1...1000)
    check.range("health.ejection_share", health.ejectionShare, 0...0.5)
    if health.ejectionMax < health.ejection { check.fail("health.ejection_max", "must be at least ejection") }
    if health.coolingMax < health.defaultCooling {
      check.fail("health.cooling_max", "must be at least default_cooling")
    }
  }
}

extension PoolSettings {
  fileprivate func checkHeartbeat(_ check: inout SettingsCheck) {
    if case .every(let interval) = heartbeat.pace { check.positive("heartbeat.interval", interval) }
    check.positive("heartbeat.shortest", heartbeat.shortest)
    if heartbeat.longest < heartbeat.shortest { check.fail("heartbeat.longest", "must be at least shortest") }
  }
}

/// Collects problems.
private struct SettingsCheck {
  var problems: [PoolSettingsProblem] = []

  mutating func fail(_ path: String, _ message: String) {
    problems.append(PoolSettingsProblem(path: path, message: message))
  }

  mutating func range<Value: Comparable>(_ path: String, _ value: Value, _ allowed: ClosedRange<Value>) {
    if !allowed.contains(value) {
      fail(path, "must be between \(allowed.lowerBound) and \(allowed.upperBound), is \(value)")
    }
  }

  mutating func positive(_ path: String, _ value: Interval) {
    if value <= .zero { fail(path, "must be longer than zero") }
  }

  mutating func notNegative(_ path: String, _ value: Interval) {
    if value < .zero { fail(path, "must not be negative") }
  }

  mutating func unique(_ path: String, _ identities: [String]) {
    var seen: Set<String> = []
    for identity in identities where !seen.insert(identity).inserted {
      fail(path, "two with the identity \"\(identity)\"")
    }
  }
}
