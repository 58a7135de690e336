import Sluice
import SluiceSimulator
import Testing

/// A simulator and a Sluice that is configured for it, for the time of one test.
struct SluiceScene: Sendable {
  let simulator: SimulatorServer
  let address: SimulatorAddress
  let sluice: Sluice

  /// Two keys for OpenAI (`a`, `b`), one for Anthropic. Nobody is probed: on a slow machine the probes would arrive
  /// between the requests, which faults and counters are about. For the same reason no clock ends anything that a
  /// test has not set.
  static func configuration(
    _ address: SimulatorAddress, attempts: Int = 3, budget: Int = 20, unhealthyAfter: Int = 3, timeouts: String = ""
  ) -> String {
    let both = """
      retry: {attempts: \(attempts), budget: \(budget)%}
          health: {interval: 24h, unhealthy_after: \(unhealthyAfter)}
          connections: {connect_timeout: 5m}
          timeouts: {\(timeouts.isEmpty ? "total: 1h" : timeouts)}
      """
    return """
      version: 1
      profile: testing
      server: {drain_timeout: 5m}
      admission: {timeout: 10m}
      pools:
        openai:
          provider: openai
          base_url: "\(address.openAIBaseURL)"
          keys: [{name: a, key: sk-key-a}, {name: b, key: sk-key-b}]
          models: ["gpt-*", "text-embedding-*"]
          \(both)
        anthropic:
          provider: anthropic
          base_url: "\(address.anthropicBaseURL)"
          keys: [{name: main, key: sk-ant-key-c}]
          \(both)
      routes:
        - {model: "quick", to: [{pool: openai, model: gpt-4o-mini}]}
        - {model: "mixed", to: [{pool: openai, model: gpt-4o}, {pool: anthropic, model: claude-sonnet-4-5}]}
        - {model: "vectors", to: [{pool: anthropic, model: claude}, {pool: openai, model: text-embedding-3-small}]}
      """
  }

  static func run(
    attempts: Int = 3, budget: Int = 20, unhealthyAfter: Int = 3, timeouts: String = "",
    faults: [SimulatorFault] = [], _ body: (SluiceScene) async throws -> Void
  ) async throws {
    try await run(
      faults: faults,
      configuration: { address in
        configuration(
          address, attempts: attempts, budget: budget, unhealthyAfter: unhealthyAfter, timeouts: timeouts)
      }, body)
  }

  static func run(
    faults: [SimulatorFault], configuration: (SimulatorAddress) -> String, _ body: (SluiceScene) async throws -> Void
  ) async throws {
    let simulator = SimulatorServer(SimulatorOptions(answerTokens: 24))
    let address = try await simulator.start()
    try await simulator.setFaults(faults)
    let sluice = try await Sluice(configuration: .yaml(configuration(address), environment: [:]))
    let scene = SluiceScene(simulator: simulator, address: address, sluice: sluice)
    do {
      try await body(scene)
    } catch {
      await scene.end()
      throw error
    }
    await scene.end()
  }

  private func end() async {
    await sluice.shutdown()
    await simulator.stop()
  }

  /// Asks the simulator again and again, each time by a hop to its loop; no clock is involved. So many times that a
  /// machine that runs all tests at once gets round to the rest meanwhile.
  func eventually(_ condition: (SimulatorStats) -> Bool) async -> Bool {
    for _ in 0..<400_000 {
      if condition(await simulator.stats()) { return true }
      await Task.yield()
    }
    return false
  }

  /// The error that the call ends with.
  func failure(_ body: () async throws -> Void) async -> SluiceError? {
    do {
      try await body()
      return nil
    } catch {
      return error as? SluiceError
    }
  }
}
