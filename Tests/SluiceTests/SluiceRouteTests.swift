import Sluice
import SluiceSimulator
import Testing

/// What happens along a route of several pools.
struct SluiceRouteTests {
  @Test func callersMistakeStaysWithItsPool() async throws {
    let fault = SimulatorFault(.status(.init(400, message: "no such thing")), match: .init(provider: "openai"))
    try await SluiceScene.run(faults: [fault]) { scene in
      let error = await scene.failure { _ = try await scene.sluice.chat(model: "mixed", [.user("Hi")]) }
      #expect(error?.code == .invalidRequest)
      #expect(error?.status == 400)
      #expect(await scene.simulator.stats().requests.total == 1)
    }
  }

  /// A model that the catalogue knows is not asked of another provider because its own one fails.
  @Test func modelsStayWithTheirProvider() async throws {
    let fault = SimulatorFault(.status(.init(503)), match: .init(provider: "openai"))
    try await SluiceScene.run(attempts: 1, faults: [fault]) { scene in
      let error = await scene.failure { _ = try await scene.sluice.chat(model: "gpt-4o-mini", [.user("Hi")]) }
      #expect(error?.status == 503)
      #expect(await scene.simulator.stats().requests.byPath == ["/v1/chat/completions": 1])
    }
  }

  /// The error that the caller gets is the one with a provider's words in it, not the last one.
  @Test func providersWordsOutlastABrokenConnection() async throws {
    let faults = [
      SimulatorFault(.status(.init(503, message: "so it is")), match: .init(provider: "openai")),
      SimulatorFault(.reset(.bytes(0)), match: .init(provider: "anthropic")),
    ]
    try await SluiceScene.run(attempts: 1, faults: faults) { scene in
      let error = await scene.failure { _ = try await scene.sluice.chat(model: "mixed", [.user("Hi")]) }
      #expect(error?.code == .upstream)
      #expect(error?.status == 503)
      #expect(error?.message.contains("so it is") == true)
      // Twice if the machine let the new connection wait for so long that it counted as one that may be stale.
      let tries = await scene.simulator.stats().faultHits["reset"] ?? 0
      #expect(tries == 1 || tries == 2, "the second pool was tried")
    }
  }

  @Test func embeddingsPassPoolsThatHaveNone() async throws {
    try await SluiceScene.run { scene in
      let vectors = try await scene.sluice.embed(model: "vectors", ["a", "b"])
      #expect(vectors.count == 2)
      #expect(await scene.simulator.stats().requests.total == 1)
    }
  }

  /// An outage is not multiplied: three attempts were ninety requests, were it not for the budget.
  @Test func retriesShareABudget() async throws {
    let fault = SimulatorFault(.status(.init(503)))
    try await SluiceScene.run(budget: 0, unhealthyAfter: 1000, faults: [fault]) { scene in
      let sluice = scene.sluice
      await withTaskGroup(of: Void.self) { tasks in
        for _ in 0..<30 {
          tasks.addTask { _ = try? await sluice.chat(model: "gpt-4o-mini", [.user("Hi")]) }
        }
      }
      let total = await scene.simulator.stats().requests.total
      // Ten are kept for a quiet caller, and one for every second that this takes.
      #expect(total > 30 && total < 60, "\(total) requests for thirty calls")
    }
  }

  @Test func providersHintIsWaitedFor() async throws {
    let fault = SimulatorFault(.status(.init(503, retryAfter: .seconds(1))), count: 1)
    try await SluiceScene.run(attempts: 2, faults: [fault]) { scene in
      let took = try await ContinuousClock().measure {
        _ = try await scene.sluice.chat(model: "gpt-4o-mini", [.user("Hi")])
      }
      #expect(took >= .seconds(1))
      #expect(await scene.simulator.stats().requests.total == 2)
    }
  }
}
