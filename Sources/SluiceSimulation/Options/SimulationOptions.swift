package import SluicePolicy

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
  /// Slots per resource: 1, or more for multiplexed resources.
  package var capacity: Int
  /// Load and faults last so long; then faults stop and load goes on; then both stop and everything has to settle.
  package var faultyTime: Interval
  package var calmTime: Interval = .seconds(15)
  package var settleTime: Interval = .minutes(2)

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
    settings.connections.idleTimeout = .seconds(Int64(random.range(2, 40)))
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
      \(settings.balance.strategy.rawValue), connections \(connections.min)…\(connections.max) (pool \(connections.poolMax)), \
      queue \(settings.queue.capacity), capacity \(capacity), \(arrivalsPerSecond) calls/s held \(holdTime), faults \(faults)
      """
  }
}

/// How often things go wrong while faults are on; probabilities per occasion.
package struct FaultRates: Sendable, CustomStringConvertible {
  package var connectRefused: Double
  package var connectHangs: Double
  package var remoteIdleClose: Double
  package var silentDeath: Double
  package var goAway: Double
  package var capacityChange: Double
  package var exchangeFails: Double
  package var rateLimited: Double
  package var credentialRejected: Double
  package var cancelled: Double
  package var lateOrDuplicate: Double
  package var administration: Double

  init(_ random: inout SimulationRandom) {
    // A run has a few kinds of trouble, not all of them: what is masked by one shows without it.
    func rate(_ most: Double) -> Double { random.chance(0.5) ? random.unit() * most : 0 }
    connectRefused = rate(0.5)
    connectHangs = rate(0.3)
    remoteIdleClose = rate(0.5)
    silentDeath = rate(0.1)
    goAway = rate(0.1)
    capacityChange = rate(0.2)
    exchangeFails = rate(0.4)
    rateLimited = rate(0.2)
    credentialRejected = rate(0.02)
    cancelled = rate(0.3)
    lateOrDuplicate = rate(0.2)
    administration = rate(0.5)
  }

  static let none: FaultRates = {
    var random = SimulationRandom(seed: 0, stream: .options)
    var rates = FaultRates(&random)
    rates.connectRefused = 0
    rates.connectHangs = 0
    rates.remoteIdleClose = 0
    rates.silentDeath = 0
    rates.goAway = 0
    rates.capacityChange = 0
    rates.exchangeFails = 0
    rates.rateLimited = 0
    rates.credentialRejected = 0
    rates.cancelled = 0
    rates.lateOrDuplicate = 0
    rates.administration = 0
    return rates
  }()

  package var description: String {
    let all = [
      ("refused", connectRefused), ("hang", connectHangs), ("idle close", remoteIdleClose),
      ("death", silentDeath),
      ("goaway", goAway), ("capacity", capacityChange), ("fail", exchangeFails),
      ("429", rateLimited),
      ("401", credentialRejected), ("cancel", cancelled), ("late", lateOrDuplicate),
      ("admin", administration),
    ]
    let present = all.filter { $0.1 > 0 }.map { "\($0.0) \(Int(($0.1 * 100).rounded()))%" }
    return present.isEmpty ? "none" : present.joined(separator: ", ")
  }
}
