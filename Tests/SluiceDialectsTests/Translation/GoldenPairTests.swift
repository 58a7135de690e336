import SluiceDialects
import SluicePolicy
import Testing

/// The golden pairs: one OpenAI request and its form for every provider, and an Anthropic client in front of OpenAI.
@Suite("Golden pairs")
struct GoldenPairTests {
  struct Pair: Sendable, CustomTestStringConvertible {
    var name: String
    var provider: Provider
    var model: String
    var version: String?
    var testDescription: String { name }

    var target: ChatTarget {
      ChatTarget(
        provider: provider, model: model,
        options: ProviderOptions(version.map { ["version": .text($0)] } ?? [:]))
    }
  }

  static let anthropic: [Pair] = [
    Pair(name: "a.anthropic.2023-06-01", provider: .anthropic, model: "claude-sonnet-4-5", version: "2023-06-01"),
    Pair(name: "a.anthropic.2026-10-21", provider: .anthropic, model: "claude-sonnet-5-5", version: "2026-10-21"),
    Pair(name: "b.anthropic.2026-10-21", provider: .anthropic, model: "claude-sonnet-5-5", version: "2026-10-21"),
    Pair(name: "c.anthropic.2026-10-21", provider: .anthropic, model: "claude-sonnet-5-5", version: "2026-10-21"),
  ]

  static let mistral: [Pair] = [
    Pair(name: "a.mistral", provider: .mistral, model: "mistral-large-latest"),
    Pair(name: "b.mistral", provider: .mistral, model: "mistral-medium-latest"),
    Pair(name: "c.mistral", provider: .mistral, model: "mistral-large-latest"),
  ]

  static func request(_ letter: Character, _ notes: inout TranslationNotes) throws -> ChatRequest {
    var request = try OpenAIChat.readRequest(
      try TranslationBench.json("translation/\(letter).openai.json"), model: "", streams: false, &notes)
    ToolCallRepair.complete(&request)
    return request
  }

  @Test("OpenAI to Anthropic", arguments: anthropic)
  func toAnthropic(_ pair: Pair) throws {
    var notes = TranslationNotes()
    let request = try Self.request(try #require(pair.name.first), &notes)
    let written = try AnthropicChat.writeRequest(request, for: pair.target, &notes)
    let golden = try TranslationBench.json("translation/\(pair.name).json")
    #expect(TranslationBench.normal(written) == TranslationBench.normal(golden))
    if pair.name == "a.anthropic.2026-10-21" { #expect(notes.dropped == ["seed", "temperature", "top_p"]) }
    if pair.name == "a.anthropic.2023-06-01" { #expect(notes.dropped == ["seed"]) }
  }

  @Test("OpenAI to Mistral", arguments: mistral)
  func toMistral(_ pair: Pair) throws {
    var notes = TranslationNotes()
    let request = try Self.request(try #require(pair.name.first), &notes)
    let written = try OpenAIChat.writeRequest(request, for: pair.target, &notes)
    var golden = try TranslationBench.json("translation/\(pair.name).json").jsonText
    // The golden file's ids are examples; ours follow from the client's.
    for (theirs, ours) in [("A1a1A1a1A", "call_a1"), ("B2b2B2b2B", "call_b2")] {
      golden = golden.replacing(theirs, with: ForeignNames.mistralIDs.id(ours))
    }
    let expected = TranslationBench.normal(try TranslationBench.json(text: golden))
    #expect(TranslationBench.normal(written) == expected)
    #expect(notes.dropped.isEmpty)
  }

  @Test("OpenAI to itself", arguments: ["a", "b", "c"])
  func toItself(_ letter: String) throws {
    var notes = TranslationNotes()
    let request = try Self.request(Character(letter), &notes)
    let target = ChatTarget(provider: .openai, model: "gpt-5.4-mini")
    let written = try OpenAIChat.writeRequest(request, for: target, &notes)
    let text = try TranslationBench.json("translation/\(letter).openai.json").jsonText
    // Both words name the same role.
    let golden = try TranslationBench.json(text: text.replacing("\"developer\"", with: "\"system\""))
    #expect(TranslationBench.normal(written) == TranslationBench.normal(golden))
  }

  @Test func anthropicClientToOpenAI() throws {
    var notes = TranslationNotes()
    let client = try TranslationBench.json("translation/d.anthropic-client.json")
    let request = try AnthropicChat.readRequest(client, model: "", streams: true, &notes)
    let target = ChatTarget(provider: .openai, model: "gpt-5.4-mini")
    let written = try OpenAIChat.writeRequest(request, for: target, &notes)
    let golden = try TranslationBench.json("translation/d.openai-backend.json")
    #expect(TranslationBench.normal(written) == TranslationBench.normal(golden))
    #expect(request.includesUsage)
  }

  @Test(
    "OpenAI streams for Anthropic's clients", arguments: ["chat-stream", "chat-stream-tools"], [1, 7, 4096])
  func streams(_ name: String, _ size: Int) throws {
    let bytes = try Fixture.bytes("openai/\(name).response.sse")
    let deltas = try TranslationBench.deltas(OpenAIStreamReader.self, bytes, size: size)
    let written = try TranslationBench.write(AnthropicStreamWriter.self, deltas)
    let golden = try Fixture.bytes("translation/d.openai-\(name).as-anthropic.sse")
    #expect(written == String(decoding: golden, as: UTF8.self))
  }
}
