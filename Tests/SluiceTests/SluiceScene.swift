import Sluice
import SluiceSimulator
import Testing

/// A simulator and a Sluice that is configured for it, for the time of one test.
struct SluiceScene: Sendable {
  let simulator: SimulatorServer
  let sluice: Sluice

  /// Two keys for OpenAI (`a`, `b`), one for Anthropic.
  static func configuration(_ address: SimulatorAddress, attempts: Int = 3) -> String {
    """
    version: 1
    profile: testing
    pools:
      openai:
        provider: openai
        base_url: "\(address.openAIBaseURL)"
        keys: [{name: a, key: sk-key-a}, {name: b, key: sk-key-b}]
        retry: {attempts: \(attempts)}
        models: ["gpt-*", "text-embedding-*"]
      anthropic:
        provider: anthropic
        base_url: "\(address.anthropicBaseURL)"
        keys: [{name: main, key: sk-ant-key-c}]
    routes:
      - {model: "quick", to: [{pool: openai, model: gpt-4o-mini}]}
      - {model: "mixed", to: [{pool: openai, model: gpt-4o}, {pool: anthropic, model: claude-sonnet-4-5}]}
    """
  }

  static func run(
    attempts: Int = 3, faults: [SimulatorFault] = [], _ body: (SluiceScene) async throws -> Void
  ) async throws {
    let simulator = SimulatorServer(SimulatorOptions(answerTokens: 24))
    let address = try await simulator.start()
    try await simulator.setFaults(faults)
    let text = configuration(address, attempts: attempts)
    let sluice = try await Sluice(configuration: .yaml(text, environment: [:]))
    let scene = SluiceScene(simulator: simulator, sluice: sluice)
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

  /// Asks the simulator again and again, each time by a hop to its loop; no clock is involved.
  func eventually(_ condition: (SimulatorStats) -> Bool) async -> Bool {
    for _ in 0..<20_000 {
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
