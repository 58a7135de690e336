import Foundation
import Sluice
import SluiceSimulator
import Testing

/// Every provider in its own protocol, address and credential: one pool each, in front of one simulator.
struct SluiceProviderTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var provider: String
    var path: String
    var key = "sk-key"
    var options = "{}"
    var model: String
    /// Nothing: the provider has no embeddings.
    var embedder: String?
    var testDescription: String { provider }
  }

  static let cases = [
    Case(provider: "openai", path: "/openai/v1", model: "gpt-4o-mini", embedder: "text-embedding-3-small"),
    Case(provider: "azure_openai", path: "/azure", model: "gpt-4o", embedder: "text-embedding-3-small"),
    Case(provider: "anthropic", path: "/anthropic", model: "claude-sonnet-4-5"),
    Case(provider: "gemini", path: "/gemini", model: "gemini-2.5-flash", embedder: "gemini-embedding-001"),
    Case(provider: "cohere", path: "/cohere", model: "command-a-03-2025", embedder: "embed-english-v3.0"),
    Case(provider: "mistral", path: "/mistral", model: "mistral-small-latest", embedder: "mistral-embed"),
    Case(provider: "huggingface", path: "/huggingface/v1", model: "meta-llama/Llama-3.3-70B-Instruct"),
    Case(provider: "local", path: "/local/v1", model: "llama3.1", embedder: "nomic-embed-text"),
    Case(
      provider: "bedrock", path: "/bedrock", key: "AKIDEXAMPLE:simulator-secret", options: "{region: eu-west-1}",
      model: "amazon.nova-pro-v1:0", embedder: "cohere.embed-english-v3"),
  ]

  static func configuration(_ address: SimulatorAddress) -> String {
    let pools = cases.map { item in
      """
        \(item.provider):
          provider: \(item.provider)
          base_url: "\(address.url)\(item.path)"
          keys: ["\(item.key)"]
          retry: {attempts: 1}
          health: {interval: 24h}
          connections: {connect_timeout: 5m}
          timeouts: {total: 1h}
          options: \(item.options)
      """
    }
    return "version: 1\nprofile: testing\npools:\n" + pools.joined(separator: "\n")
  }

  private func run(
    _ faults: [SimulatorFault] = [], _ body: (SluiceScene) async throws -> Void
  ) async throws {
    try await SluiceScene.run(faults: faults, configuration: Self.configuration, body)
  }

  @Test(arguments: cases) func chatAnswers(_ item: Case) async throws {
    try await run { scene in
      let answer = try await scene.sluice.chat(
        model: "\(item.provider)/\(item.model)", [.system("Be brief."), .user("What is a pool?")])
      #expect(!answer.text.isEmpty)
      #expect(answer.model == item.model)
      #expect(answer.finishReason == "stop")
      #expect(answer.usage.inputTokens > 0 && answer.usage.outputTokens > 0)
    }
  }

  @Test(arguments: cases) func streamSaysWhatChatSays(_ item: Case) async throws {
    try await run { scene in
      let model = "\(item.provider)/\(item.model)"
      let messages = [ChatMessage.user("Hi"), .assistant("Hello."), .user("Tell me about warm connections.")]
      let whole = try await scene.sluice.chat(model: model, messages)
      var text = ""
      var reasons: [String] = []
      var usage: ChatUsage?
      var pieces = 0
      for try await delta in scene.sluice.stream(model: model, messages) {
        text += delta.text
        pieces += 1
        if let reason = delta.finishReason { reasons.append(reason) }
        usage = delta.usage ?? usage
      }
      #expect(pieces > 3)
      #expect(reasons == ["stop"])
      #expect(text == whole.text)
      #expect(usage == whole.usage)
    }
  }

  @Test(arguments: cases) func optionsArrive(_ item: Case) async throws {
    try await run { scene in
      var options = ChatOptions()
      options.maxTokens = 3
      options.temperature = 0.5
      options.stop = ["END OF IT"]
      let answer = try await scene.sluice.chat(
        model: "\(item.provider)/\(item.model)", [.user("Tell me everything.")], options: options)
      #expect(answer.usage.outputTokens == 3)
      #expect(answer.finishReason == "length")
    }
  }

  @Test(arguments: cases) func embedsOrSaysThatItCannot(_ item: Case) async throws {
    try await run { scene in
      guard let embedder = item.embedder else {
        let error = await scene.failure { _ = try await scene.sluice.embed(model: "\(item.provider)/any", ["a"]) }
        #expect(error?.code == .unsupported)
        #expect(error?.message.contains("'\(item.provider)'") == true)
        #expect(await scene.simulator.stats().requests.total == 0)
        return
      }
      let vectors = try await scene.sluice.embed(model: "\(item.provider)/\(embedder)", ["a", "b", "a"])
      #expect(vectors.count == 3)
      #expect(vectors[0] == vectors[2] && vectors[0] != vectors[1])
      #expect(vectors[0].count >= 64)
    }
  }

  @Test(arguments: cases) func refusalIsTheProvidersOwn(_ item: Case) async throws {
    try await run([SimulatorFault(.status(.init(503, message: "so it is")))]) { scene in
      let error = await scene.failure {
        _ = try await scene.sluice.chat(model: "\(item.provider)/\(item.model)", [.user("Hi")])
      }
      #expect(error?.code == .upstream)
      #expect(error?.status == 503)
      #expect(error?.message.contains("so it is") == true)
    }
  }

  @Test(arguments: cases) func cutStreamIsNoAnswer(_ item: Case) async throws {
    try await run([SimulatorFault(.truncate(.events(6), clean: true))]) { scene in
      var text = ""
      let error = await scene.failure {
        for try await delta in scene.sluice.stream(model: "\(item.provider)/\(item.model)", [.user("Hi")]) {
          #expect(delta.finishReason == nil)
          text += delta.text
        }
      }
      #expect(error?.code == .streamCut)
      #expect(!text.isEmpty)
    }
  }

  @Test(arguments: cases) func errorInsideStreamIsThrown(_ item: Case) async throws {
    try await run([SimulatorFault(.streamError(afterEvents: 6))]) { scene in
      var text = ""
      let error = await scene.failure {
        for try await delta in scene.sluice.stream(model: "\(item.provider)/\(item.model)", [.user("Hi")]) {
          text += delta.text
        }
      }
      #expect(error?.code == .upstream)
      #expect(error?.status == 200)
      #expect(!text.isEmpty)
    }
  }

  /// The catalogue says whose model it is; no pool lists any, and none is named.
  @Test(arguments: cases.filter { !["azure_openai", "huggingface"].contains($0.provider) })
  func catalogueLeadsToTheProvider(_ item: Case) async throws {
    try await run { scene in
      let fault = SimulatorFault(.status(.init(400, message: "seen")), match: .init(provider: item.provider))
      try await scene.simulator.setFaults([fault])
      let error = await scene.failure { _ = try await scene.sluice.chat(model: item.model, [.user("Hi")]) }
      #expect(error?.message.contains("seen") == true)
      #expect(error?.message.contains("'\(item.provider)'") == true)
    }
  }

  /// Newer than the catalogue: the name's family has one pool.
  @Test(arguments: [("claude-next", "anthropic"), ("gemini-next", "gemini"), ("command-next", "cohere")])
  func newModelFindsItsFamily(model: String, provider: String) async throws {
    let fault = SimulatorFault(.status(.init(400, message: "seen")), match: .init(provider: provider))
    try await run([fault]) { scene in
      let error = await scene.failure { _ = try await scene.sluice.chat(model: model, [.user("Hi")]) }
      #expect(error?.message.contains("'\(provider)'") == true)
    }
  }

  /// A model that only the configured catalogue knows.
  @Test func configuredCatalogueLeadsToTheProvider() async throws {
    let file = FileManager.default.temporaryDirectory.appending(path: "sluice-\(UUID().uuidString).json")
    defer { try? FileManager.default.removeItem(at: file) }
    try Data(#"{"house-model": {"litellm_provider": "cohere_chat", "mode": "chat"}}"#.utf8).write(to: file)
    let fault = SimulatorFault(.status(.init(400, message: "seen")), match: .init(provider: "cohere"))
    try await SluiceScene.run(
      faults: [fault], configuration: { "catalogue: \(file.path)\n" + Self.configuration($0) }
    ) { scene in
      let error = await scene.failure { _ = try await scene.sluice.chat(model: "house-model", [.user("Hi")]) }
      #expect(error?.message.contains("'cohere'") == true)
      let unknown = await scene.failure { _ = try await scene.sluice.embed(model: "horse-model", ["a"]) }
      #expect(unknown?.code == .unknownModel)
    }
  }

  /// Access keys are never sent; the simulator checks the signature and knows one secret.
  @Test func requestsToBedrockAreSigned() async throws {
    try await run { scene in
      _ = try await scene.sluice.chat(model: "bedrock/amazon.nova-pro-v1:0", [.user("Hi")])
      for try await _ in scene.sluice.stream(model: "bedrock/amazon.nova-pro-v1:0", [.user("Hi")]) {}
      #expect(await scene.simulator.stats().requests.byStatus == [200: 2])
    }
    let other = { Self.configuration($0).replacing("simulator-secret", with: "another-secret") }
    try await SluiceScene.run(faults: [], configuration: other) { scene in
      let error = await scene.failure {
        _ = try await scene.sluice.chat(model: "bedrock/amazon.nova-pro-v1:0", [.user("Hi")])
      }
      #expect(error?.code == .credential)
      #expect(error?.status == 403)
      #expect(error?.message.contains("another-secret") == false)
    }
  }
}
