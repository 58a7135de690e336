import Sluice
import SluiceSimulator
import Testing

struct SluiceFailureTests {
  @Test(arguments: [
    (400, "invalid_request"), (401, "credential"), (429, "rate_limited"), (500, "upstream"), (503, "upstream"),
  ])
  func statusBecomesCode(status: Int, code: String) async throws {
    let hint: Duration? = status == 429 ? .seconds(90) : nil
    let fault = SimulatorFault(.status(.init(status, retryAfter: hint, message: "so it is")))
    try await SluiceScene.run(attempts: 1, faults: [fault]) { scene in
      for model in ["gpt-4o-mini", "claude-sonnet-4-5"] {
        let error = await scene.failure { _ = try await scene.sluice.chat(model: model, [.user("Hi")]) }
        #expect(error?.code.description == code, "\(model): \(error.map(String.init(describing:)) ?? "no error")")
        #expect(error?.status == status)
        // What a provider says about a key may name the key.
        #expect(error?.message.contains("so it is") == (status != 401))
        if status == 429 { #expect((error?.retryAfter ?? .zero) > .seconds(60)) }
      }
    }
  }

  @Test func serverErrorIsRetriedOnTheOtherKey() async throws {
    try await SluiceScene.run(faults: [SimulatorFault(.status(.init(500)), count: 1)]) { scene in
      _ = try await scene.sluice.chat(model: "gpt-4o-mini", [.user("Hi")])
      let stats = await scene.simulator.stats()
      #expect(stats.requests.byStatus == [500: 1, 200: 1])
      #expect(stats.requests.byKey.values.sorted() == [1, 1])
    }
  }

  @Test func retriesAreBounded() async throws {
    try await SluiceScene.run(attempts: 2, faults: [SimulatorFault(.status(.init(500)))]) { scene in
      _ = await scene.failure { _ = try await scene.sluice.chat(model: "gpt-4o-mini", [.user("Hi")]) }
      #expect(await scene.simulator.stats().requests.total == 2)
    }
  }

  @Test func callersMistakeIsNotRetried() async throws {
    try await SluiceScene.run(faults: [SimulatorFault(.status(.init(400)))]) { scene in
      _ = await scene.failure { _ = try await scene.sluice.chat(model: "gpt-4o-mini", [.user("Hi")]) }
      #expect(await scene.simulator.stats().requests.total == 1)
    }
  }

  @Test func limitedKeyCoolsWhileTheOtherServes() async throws {
    let fault = SimulatorFault(.status(.init(429, retryAfter: .seconds(30))), count: 1)
    try await SluiceScene.run(attempts: 1, faults: [fault]) { scene in
      for _ in 0..<6 { _ = try await scene.sluice.chat(model: "gpt-4o-mini", [.user("Hi")]) }
      let stats = await scene.simulator.stats()
      #expect(stats.requests.byStatus == [429: 1, 200: 6])
      #expect(stats.requests.byKey.values.sorted() == [1, 6])
    }
  }

  @Test func rejectedKeyIsLeftOut() async throws {
    let fault = SimulatorFault(.status(.init(401)), match: .init(key: "sk-key-a"))
    try await SluiceScene.run(attempts: 1, faults: [fault]) { scene in
      for _ in 0..<8 { _ = try await scene.sluice.chat(model: "gpt-4o-mini", [.user("Hi")]) }
      let stats = await scene.simulator.stats()
      #expect(stats.requests.byStatus[200] == 8)
      #expect((stats.requests.byStatus[401] ?? 0) <= 1)
    }
  }

  /// One attempt only: what happens here is a replay, not a retry.
  @Test func requestOnDyingConnectionIsReplayed() async throws {
    let fault = SimulatorFault(.earlyClose(.onReuse), count: 1)
    try await SluiceScene.run(attempts: 1, faults: [fault]) { scene in
      for _ in 0..<2 { _ = try await scene.sluice.chat(model: "claude-sonnet-4-5", [.user("Hi")]) }
      let stats = await scene.simulator.stats()
      #expect(stats.requests.completed == 2)
      #expect(stats.connections.opened == 2)
    }
  }

  @Test(arguments: ["gpt-4o-mini", "claude-sonnet-4-5"])
  func streamWithoutEndMarkThrows(model: String) async throws {
    try await SluiceScene.run(faults: [SimulatorFault(.truncate(.events(4), clean: true))]) { scene in
      var pieces = 0
      let error = await scene.failure {
        for try await _ in scene.sluice.stream(model: model, [.user("Hi")]) { pieces += 1 }
      }
      #expect(error?.code == .streamCut)
      #expect(pieces > 0)
    }
  }

  @Test(arguments: ["gpt-4o-mini", "claude-sonnet-4-5"])
  func errorInsideStreamIsThrown(model: String) async throws {
    try await SluiceScene.run(faults: [SimulatorFault(.streamError(afterEvents: 4))]) { scene in
      let error = await scene.failure {
        for try await _ in scene.sluice.stream(model: model, [.user("Hi")]) {}
      }
      #expect(error?.code == .upstream)
    }
  }
}
