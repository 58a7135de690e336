import Sluice
import SluiceSimulator
import Testing

/// Every provider by a model that leads to it.
private let models = ["gpt-4o-mini", "claude-sonnet-4-5"]

struct SluiceClientTests {
  @Test(arguments: models) func chatAnswers(model: String) async throws {
    try await SluiceScene.run { scene in
      let answer = try await scene.sluice.chat(model: model, [.system("Be brief."), .user("What is a pool?")])
      #expect(!answer.text.isEmpty)
      #expect(answer.usage.inputTokens > 0 && answer.usage.outputTokens > 0)
      #expect(answer.model == model)
      #expect(answer.finishReason != nil)
    }
  }

  @Test(arguments: models) func streamSaysWhatChatSays(model: String) async throws {
    try await SluiceScene.run { scene in
      let messages = [ChatMessage.user("Tell me about warm connections.")]
      let whole = try await scene.sluice.chat(model: model, messages)
      var text = ""
      var pieces = 0
      var reason: String?
      var usage: ChatUsage?
      for try await delta in scene.sluice.stream(model: model, messages) {
        text += delta.text
        pieces += 1
        reason = delta.finishReason ?? reason
        usage = delta.usage ?? usage
      }
      #expect(text == whole.text)
      #expect(pieces > 3)
      #expect(reason == whole.finishReason)
      #expect(usage?.outputTokens == whole.usage.outputTokens)
    }
  }

  @Test func streamedConnectionServesAgain() async throws {
    try await SluiceScene.run { scene in
      for _ in 0..<3 {
        for try await _ in scene.sluice.stream(model: "claude-haiku-4-5", [.user("again")]) {}
      }
      let stats = await scene.simulator.stats()
      #expect(stats.requests.completed == 3)
      // A pool may warm a connection beside the one in use; one for each stream would mean that none served again.
      #expect(stats.connections.opened < 3)
    }
  }

  @Test func embedKeepsTheOrder() async throws {
    try await SluiceScene.run { scene in
      let vectors = try await scene.sluice.embed(model: "text-embedding-3-small", ["a", "b", "a"])
      #expect(vectors.count == 3)
      #expect(vectors[0] == vectors[2] && vectors[0] != vectors[1])
      #expect(vectors[0].count > 100)
    }
  }

  @Test func routesLeadAcrossProtocols() async throws {
    let fault = SimulatorFault(.status(.init(503)), match: .init(provider: "openai"))
    try await SluiceScene.run(attempts: 1, faults: [fault]) { scene in
      let answer = try await scene.sluice.chat(model: "mixed", [.user("Who answers?")])
      #expect(answer.model == "claude-sonnet-4-5")
      let pinned = try await scene.sluice.chat(model: "anthropic/claude-haiku-4-5", [.user("Hello")])
      #expect(pinned.model == "claude-haiku-4-5")
    }
  }

  @Test func unknownModelNamesTheNearest() async throws {
    try await SluiceScene.run { scene in
      let error = await scene.failure { _ = try await scene.sluice.chat(model: "openai/", [.user("Hi")]) }
      #expect(error?.code == .unknownModel)
      #expect(error?.message.contains("anthropic, openai") == true)
      let refused = await scene.failure { _ = try await scene.sluice.chat(model: "gtp-4o", [.user("Hi")]) }
      #expect(refused?.code == .notAllowed)
      let embedding = await scene.failure { _ = try await scene.sluice.embed(model: "anthropic/claude", ["a"]) }
      #expect(embedding?.code == .unsupported)
    }
  }

  @Test func misspelledRouteIsSuggested() async throws {
    let text = """
      version: 1
      pools:
        one: {provider: openai, base_url: "http://127.0.0.1:9/v1", keys: [sk-a]}
        two: {provider: openai, base_url: "http://127.0.0.1:9/v1", keys: [sk-b]}
      routes:
        - {model: "quick", to: [one]}
      """
    let sluice = try await Sluice(configuration: .yaml(text, environment: [:]))
    let error = await #expect(throws: SluiceError.self) { try await sluice.chat(model: "quikc", [.user("Hi")]) }
    #expect(error?.code == .unknownModel)
    #expect(error?.message.contains("'quick'") == true)
    await sluice.shutdown()
  }

  @Test func brokenConfigurationNamesThePlace() async throws {
    let error = await #expect(throws: SluiceError.self) {
      _ = try await Sluice(configuration: .yaml("version: 1\npools: {a: {provider: opnai}}", environment: [:]))
    }
    #expect(error?.code == .configuration)
    #expect(error?.message.contains(":2:") == true)
  }
}
