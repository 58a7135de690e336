import Sluice
import SluiceSimulator
import Testing

/// Providers that say nothing. The clocks that are not meant are longer than the tests' own limit.
@Suite(.timeLimit(.minutes(5)))
struct SluiceClockTests {
  private func run(
    _ timeouts: String, _ fault: SimulatorFault.Kind, attempts: Int = 1, _ body: (SluiceScene) async throws -> Void
  ) async throws {
    try await SluiceScene.run(attempts: attempts, timeouts: timeouts, faults: [SimulatorFault(fault)], body)
  }

  @Test(arguments: ["gpt-4o-mini", "claude-sonnet-4-5"]) func firstByte(model: String) async throws {
    try await run("first_byte: 100ms, first_token: 20m, between_bytes: 20m, total: 20m", .hang(.request)) { scene in
      let error = await scene.failure { _ = try await scene.sluice.chat(model: model, [.user("Hi")]) }
      #expect(error?.code == .timeout)
      #expect(error?.message.contains("(head)") == true)
      #expect(await scene.eventually { $0.connections.open == 0 }, "the provider is told")
    }
  }

  @Test func firstToken() async throws {
    try await run("first_byte: 20m, first_token: 100ms, between_bytes: 20m, total: 20m", .hang(.request)) { scene in
      let error = await scene.failure {
        for try await _ in scene.sluice.stream(model: "gpt-4o-mini", [.user("Hi")]) {}
      }
      #expect(error?.code == .timeout)
    }
  }

  @Test func betweenBytes() async throws {
    let stall = SimulatorFault.Kind.stall(.events(4), nil)
    try await run("first_byte: 20m, first_token: 20m, between_bytes: 100ms, total: 20m", stall) { scene in
      let error = await scene.failure {
        for try await _ in scene.sluice.stream(model: "gpt-4o-mini", [.user("Hi")]) {}
      }
      #expect(error?.code == .timeout)
      #expect(error?.message.contains("(between)") == true)
    }
  }

  /// All tries together, and what is streamed after them.
  @Test func total() async throws {
    try await run("first_token: 20m, total: 300ms", .hang(.request), attempts: 3) { scene in
      let error = await scene.failure { _ = try await scene.sluice.chat(model: "gpt-4o-mini", [.user("Hi")]) }
      // Where the machine takes all the time before anything is sent, it is over while waiting for a connection.
      #expect(error?.code == .timeout || error?.code == .poolBusy)
      #expect(await scene.simulator.stats().requests.total <= 1, "nothing is begun that has no time left")
    }
    let stall = SimulatorFault.Kind.stall(.events(4), nil)
    try await run("first_token: 20m, between_bytes: 20m, total: 300ms", stall) { scene in
      let error = await scene.failure {
        for try await _ in scene.sluice.stream(model: "claude-sonnet-4-5", [.user("Hi")]) {}
      }
      #expect(error?.code == .timeout || error?.code == .poolBusy)
    }
  }
}
