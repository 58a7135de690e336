import Sluice
import SluiceSimulator
import Testing

/// Providers that say nothing. The other clocks are so long that a test in which the wrong one ends the call is late.
struct SluiceClockTests {
  private static let late = Duration.seconds(300)

  private func run(
    _ timeouts: String, _ fault: SimulatorFault.Kind, attempts: Int = 1, _ body: (SluiceScene) async throws -> Void
  ) async throws {
    let took = try await ContinuousClock().measure {
      try await SluiceScene.run(
        attempts: attempts, settings: ["timeouts: {\(timeouts)}"], faults: [SimulatorFault(fault)], body)
    }
    #expect(took < Self.late)
  }

  @Test(arguments: ["gpt-4o-mini", "claude-sonnet-4-5"]) func firstByte(model: String) async throws {
    try await run("first_byte: 100ms, first_token: 10m, between_bytes: 10m, total: 10m", .hang(.request)) { scene in
      let error = await scene.failure { _ = try await scene.sluice.chat(model: model, [.user("Hi")]) }
      #expect(error?.code == .timeout)
      #expect(await scene.eventually { $0.connections.open == 0 }, "the provider is told")
    }
  }

  @Test func firstToken() async throws {
    try await run("first_byte: 10m, first_token: 100ms, between_bytes: 10m, total: 10m", .hang(.request)) { scene in
      let error = await scene.failure {
        for try await _ in scene.sluice.stream(model: "gpt-4o-mini", [.user("Hi")]) {}
      }
      #expect(error?.code == .timeout)
    }
  }

  @Test func betweenBytes() async throws {
    let stall = SimulatorFault.Kind.stall(.events(4), nil)
    try await run("first_byte: 10m, first_token: 10m, between_bytes: 100ms, total: 10m", stall) { scene in
      var pieces = 0
      let error = await scene.failure {
        for try await _ in scene.sluice.stream(model: "gpt-4o-mini", [.user("Hi")]) { pieces += 1 }
      }
      #expect(error?.code == .timeout)
      #expect(pieces > 0)
    }
  }

  /// All tries together, and what is streamed after them.
  @Test func total() async throws {
    try await run("first_token: 10m, total: 300ms", .hang(.request), attempts: 3) { scene in
      let error = await scene.failure { _ = try await scene.sluice.chat(model: "gpt-4o-mini", [.user("Hi")]) }
      #expect(error?.code == .timeout)
      #expect(await scene.simulator.stats().requests.total == 1, "nothing is begun that has no time left")
    }
    let stall = SimulatorFault.Kind.stall(.events(4), nil)
    try await run("first_token: 10m, between_bytes: 10m, total: 300ms", stall) { scene in
      let error = await scene.failure {
        for try await _ in scene.sluice.stream(model: "claude-sonnet-4-5", [.user("Hi")]) {}
      }
      #expect(error?.code == .timeout)
    }
  }
}
