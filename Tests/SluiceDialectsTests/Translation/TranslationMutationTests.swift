import SluiceDialects
import SluicePolicy
import Testing

/// Requests, answers and streams, damaged at random and cut again and again: a clean refusal or an answer, never a trap.
@Suite("Damaged translations")
struct TranslationMutationTests {
  static func exercise(_ bytes: [UInt8]) {
    guard let body = try? JSONReader.read(bytes) else { return }
    let formats: [any ChatClientFormat.Type] = [
      OpenAIChat.self, AnthropicChat.self, ResponsesChat.self, OpenAICompletions.self,
    ]
    for format in formats {
      var notes = TranslationNotes()
      guard var request = try? format.readRequest(body, model: "", streams: true, &notes) else { continue }
      ToolCallRepair.complete(&request)
      for provider in [Provider.openai, .mistral, .local] {
        _ = try? OpenAIChat.writeRequest(request, for: ChatTarget(provider: provider, model: "m"), &notes)
      }
      _ = try? AnthropicChat.writeRequest(request, for: ChatTarget(provider: .anthropic, model: "m"), &notes)
    }
    for format in [OpenAIChat.self, AnthropicChat.self] as [any ChatProviderFormat.Type] {
      guard let answer = try? format.readAnswer(body) else { continue }
      for writer in formats { _ = writer.writeAnswer(answer, TranslationBench.reply) }
    }
    var notes = TranslationNotes()
    _ = try? OpenAIEmbeddings.readRequest(body, model: "", .embeddings, &notes)
    _ = try? OpenAIEmbeddings.readAnswer(body)
  }

  static func exercise<Reader: ChatStreamReader>(_ reader: Reader.Type, stream: [UInt8]) {
    guard let deltas = try? TranslationBench.deltas(reader, stream, size: 4096) else { return }
    _ = try? TranslationBench.write(OpenAIStreamWriter.self, deltas)
    _ = try? TranslationBench.write(AnthropicStreamWriter.self, deltas)
    _ = try? TranslationBench.write(ResponsesStreamWriter.self, deltas)
    _ = try? TranslationBench.write(CompletionsStreamWriter.self, deltas)
  }

  static let folders = ["openai", "anthropic", "mistral", "translation", "vllm"]

  @Test("documents", arguments: folders)
  func documents(_ folder: String) throws {
    var random = SplitMix64(seed: 7)
    for name in try Fixture.names(folder, where: { $0.hasSuffix(".json") && !$0.hasPrefix("expected") }) {
      let original = try Fixture.bytes("\(folder)/\(name)")
      for _ in 0..<25 { Self.exercise(MutationTests.mutated(original, &random)) }
      // Values of another type everywhere, which flipped bytes seldom make.
      let text = String(decoding: original, as: UTF8.self)
      for (from, to) in [("{", "["), ("\"", "7"), ("[", "{"), (":", ":[],\"x\":"), ("true", "1")] {
        for _ in 0..<4 { Self.exercise(Array(text.replacing(from, with: to, maxReplacements: 1).utf8)) }
      }
      for value in ["7", "\"\"", "[null]", "{}"] {
        Self.retyped(try JSONReader.read(original), value).forEach { Self.exercise(Array($0.jsonText.utf8)) }
      }
    }
  }

  /// The document with each of its members in turn replaced.
  static func retyped(_ value: JSONValue, _ text: String) -> [JSONValue] {
    guard let other = try? TranslationBench.json(text: text) else { return [] }
    switch value {
    case .object(let members):
      return members.indices.flatMap { index -> [JSONValue] in
        ([other] + retyped(members[index].value, text)).map { replacement in
          var changed = members
          changed[index].value = replacement
          return .object(changed)
        }
      }
    case .array(let items):
      return items.indices.prefix(4).flatMap { index -> [JSONValue] in
        ([other] + retyped(items[index], text)).map { replacement in
          var changed = items
          changed[index] = replacement
          return .array(changed)
        }
      }
    default: return []
    }
  }

  @Test("streams", arguments: folders)
  func streams(_ folder: String) throws {
    var random = SplitMix64(seed: 11)
    for name in try Fixture.names(folder, where: { $0.hasSuffix(".response.sse") }) {
      let original = try Fixture.bytes("\(folder)/\(name)")
      for _ in 0..<30 {
        let bytes = MutationTests.mutated(original, &random)
        Self.exercise(OpenAIStreamReader.self, stream: bytes)
        Self.exercise(AnthropicStreamReader.self, stream: bytes)
      }
      for end in stride(from: 0, to: original.count, by: 31) {
        Self.exercise(OpenAIStreamReader.self, stream: Array(original[..<end]))
        Self.exercise(AnthropicStreamReader.self, stream: Array(original[..<end]))
      }
    }
  }
}
