package import SluicePolicy

/// How a run ends: the pool is drained or closed, after it has settled or in the middle of load and faults.
package struct Ending: Sendable, CustomStringConvertible {
  package var closes: Bool
  package var inTrouble: Bool

  package var description: String { "\(closes ? "closed" : "drained") \(inTrouble ? "in trouble" : "at rest")" }
}

/// Everything one run is made of, derived from its seed alone. Printed with every failure.
package struct SimulationOptions: Sendable {
  package var seed: UInt64
  package var loops: Int
  package var settings: PoolSettings
  package var faults: FaultRates
  /// Calls per simulated second at the middle of the run.
  package var arrivalsPerSecond: Double
  /// Average time a slot is held.
  package var holdTime: Interval
  package var averageConnectTime: Interval
  /// How many times as far each origin is, by its index in the settings.
  package var distances: [Int]
  /// Slots per resource: 1, or more for multiplexed resources.
  package var capacity: Int
  /// Load and faults last so long; then faults stop and load goes on; then both stop and everything has to settle.
  package var faultyTime: Interval
  package var calmTime: Interval = .seconds(15)
  package var settleTime: Interval = .minutes(2)
  package var ending: Ending
  /// Something on the way forgets flows that were silent for so long.
  package var natLimit: Interval?

  package init(seed: UInt64) {
    var random = SimulationRandom(seed: seed, stream: .options)
    self.seed = seed
    faultyTime = .seconds(Int64(random.range(5, 40)))
    loops = random.range(1, 4)
    settings = Self.settings(&random)
    faults = FaultRates(&random)
    arrivalsPerSecond = Double(random.range(2, 60))
    holdTime = .milliseconds(Int64(random.range(5, 400)))
    averageConnectTime = .milliseconds(Int64(random.range(1, 80)))
    capacity = random.chance(0.3) ? random.range(2, 8) : 1
    ending = Ending(closes: random.chance(0.25), inTrouble: random.chance(0.2))
    distances = settings.origins.map { _ in 1 }
    drawHeartbeats()
    var regional = SimulationRandom(seed: seed, stream: .regions)
    if settings.origins.count > 1, regional.chance(0.6) { spread(&regional) }
  }

  /// From a stream of its own: a seed stands for the same load and faults as before there were heartbeats.
  private mutating func drawHeartbeats() {
    var random = SimulationRandom(seed: seed, stream: .heartbeats)
    let heartbeat = 0.2 + random.unit() * 1.8
    settings.heartbeat.shortest = .milliseconds(Int64(heartbeat * 1000))
    settings.heartbeat.longest = .seconds(Int64(random.range(2, 40)))
    switch random.range(0, 9) {
    case 0: settings.heartbeat.pace = .off
    case 1, 2: settings.heartbeat.pace = .every(.milliseconds(Int64(random.range(500, 20_000))))
    default: break
    }
    if random.chance(0.5) { settings.connections.warmVerifyInterval = .seconds(Int64(random.range(3, 90))) }
    // Beyond the time for which an idle resource is trusted, so that callers never meet what was forgotten.
    if random.chance(0.4) { natLimit = .milliseconds(Int64(random.range(1500, 40_000))) }
    if settings.connections.min > 1, random.chance(0.5) { keepSeveral(random.range(3, 6)) }
  }

  private mutating func keepSeveral(_ least: Int) {
    let limits = settings.connections
    settings.connections.min = least
    settings.connections.limit(max: limits.max, poolMax: limits.poolMax, origins: settings.origins.count)
  }

  /// The origins stand in regions, some of them in the same.
  private mutating func spread(_ random: inout SimulationRandom) {
    let regions = settings.origins.indices.map { random.chance(0.8) ? $0 : 0 }
    let far = (0..<regions.count).map { _ in random.range(1, 4) }
    distances = regions.map { far[$0] }
    for index in settings.endpoints.indices {
      settings.endpoints[index].region = "region-\(regions[settings.endpoints[index].origin])"
    }
    settings.balance.regionHold = .milliseconds(Int64(random.range(200, 6_000)))
  }

  private static func settings(_ random: inout SimulationRandom) -> PoolSettings {
    let originCount = random.range(1, 3)
    let origins = (0..<originCount).map {
      OriginSettings(identity: "origin-\($0)", name: "origin\($0)")
    }
    var settings = PoolSettings(name: "simulated", origins: origins, endpoints: [])
    settings.endpoints = (0..<random.range(originCount, 6)).map {
      Self.endpoint($0, originCount, &random)
    }
    settings.connections.min = random.range(0, 2)
    settings.connections.limit(max: random.range(1, 8), poolMax: random.range(1, 20), origins: originCount)
    settings.connections.idleTimeout = random.chance(0.1) ? .max : .seconds(Int64(random.range(2, 40)))
    settings.connections.maxAge = .seconds(Int64(random.range(5, 120)))
    settings.connections.keepWarm = random.chance(0.5) ? .hours(1) : .zero
    settings.connections.connectTimeout = .milliseconds(Int64(random.range(200, 3000)))
    settings.connections.reconnectDelay = .milliseconds(Int64(random.range(10, 500)))
    settings.connections.reconnectDelayMax = .seconds(5)
    settings.connections.concurrentConnects = random.range(1, 8)
    settings.connections.warmRatio = 1 + random.unit()
    settings.queue.capacity = random.chance(0.2) ? random.range(0, 3) : random.range(4, 200)
    settings.queue.ageing = .seconds(Int64(random.range(1, 10)))
    settings.balance.strategy = random.pick(BalanceStrategy.allCases)
    settings.health.ejection = .milliseconds(Int64(random.range(200, 5000)))
    settings.health.ejectionMax = .seconds(20)
    settings.health.unhealthyAfter = random.range(1, 5)
    settings.health.healthyAfter = random.range(1, 3)
    settings.health.slowStart = .seconds(Int64(random.range(0, 5)))
    settings.health.interval = .seconds(Int64(random.range(1, 30)))
    settings.health.timeout = .milliseconds(Int64(random.range(100, 900)))
    settings.journalEntries = 64
    return settings
  }

  static func endpoint(_ number: Int, _ originCount: Int, _ random: inout SimulationRandom)
    -> EndpointSettings
  {
    EndpointSettings(
      identity: "endpoint-\(number)", name: "endpoint\(number)", origin: number % originCount,
      weight: random.range(1, 4), role: number > 0 && random.chance(0.15) ? .backup : .primary,
      maxConcurrent: random.chance(0.2) ? random.range(1, 4) : nil)
  }
}

extension ConnectionSettings {
  /// Sets the limits as near to what is wanted as the minimum allows.
  mutating func limit(max wanted: Int, poolMax: Int, origins: Int) {
    max = Swift.max(1, min, wanted)
    self.poolMax = Swift.max(1, min * origins, poolMax)
  }
}

extension SimulationOptions: CustomStringConvertible {
  package var description: String {
    let connections = settings.connections
    return """
      seed \(seed): \(loops) loops, \(settings.origins.count) origins, \(settings.endpoints.count) endpoints, \
      \(settings.balance.strategy.rawValue), connections \(connections.min)…\(connections.max) \
      (pool \(connections.poolMax)), queue \(settings.queue.capacity), capacity \(capacity), \
      \(arrivalsPerSecond) calls/s held \(holdTime), \(ending), \(natLimit.map { "flows forgotten after \($0), " } ?? "")\
      faults \(faults)
      """
  }
}

extension SimulationOptions {
  /// What `description` says and every single setting: one line each, found by reflection so that none is forgotten.
  package var inFull: [String] { ["\(self)"] + Self.lines("", settings) }

  private static func lines(_ path: String, _ value: Any) -> [String] {
    let mirror = Mirror(reflecting: value)
    let isNested = mirror.displayStyle == .struct && !(value is any CustomStringConvertible)
    guard isNested || mirror.displayStyle == .collection else { return ["\(path) = \(value)"] }
    return mirror.children.enumerated().flatMap { index, child in
      let name = child.label.map { path.isEmpty ? $0 : "\(path).\($0)" } ?? "\(path)[\(index)]"
      return lines(name, child.value)
    }
  }
}
