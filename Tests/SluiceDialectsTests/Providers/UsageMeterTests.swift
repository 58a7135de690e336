import SluiceDialects
import SluicePolicy
import Testing

@Suite("Usage of whole answers")
struct UsageMeterTests {
  struct Row: Sendable, CustomTestStringConvertible {
    var file: String
    var usage: TokenUsage?
    var finish: FinishReason?
    var safety: SafetySignal?
    var failure: FailureClass?
    var testDescription: String { file }
  }

  static let rows: [Row] = [
    Row(file: "openai/chat.response.json", usage: TokenUsage(input: 19, output: 5), finish: .stop),
    Row(file: "openai/chat.length.response.json", usage: TokenUsage(input: 19, output: 5), finish: .length),
    Row(file: "openai/chat-tools.response.json", usage: TokenUsage(input: 19, output: 5), finish: .toolUse),
    Row(
      file: "openai/chat.refusal.response.json", usage: TokenUsage(input: 19, output: 5), finish: .stop,
      safety: .refusal),
    Row(
      file: "openai/chat.content-filter.response.json", usage: TokenUsage(input: 19, output: 5),
      finish: .contentFilter, safety: .contentFilter),
    Row(
      file: "openai/chat.reasoning-cached.response.json",
      usage: TokenUsage(input: 1500, output: 310, cachedInput: 1024, reasoning: 256), finish: .stop),
    Row(file: "openai/embeddings.response.json", usage: TokenUsage(input: 2)),
    Row(file: "openai/embeddings-base64.response.json", usage: TokenUsage(input: 1)),
    Row(file: "openai/input-tokens.response.json", usage: TokenUsage(input: 37)),
    Row(file: "openai/responses.response.json", usage: TokenUsage(input: 37, output: 21), finish: .stop),
    Row(file: "openai/responses-incomplete.response.json", usage: TokenUsage(input: 37, output: 21), finish: .length),
    Row(file: "openai/responses-failed.response.json", failure: .server),
    Row(file: "openai/models.response.json"),
    Row(file: "anthropic/messages.response.json", usage: TokenUsage(input: 21, output: 12), finish: .stop),
    Row(file: "anthropic/messages-tools.response.json", usage: TokenUsage(input: 21, output: 12), finish: .toolUse),
    Row(
      file: "anthropic/messages-thinking.response.json", usage: TokenUsage(input: 21, output: 64, reasoning: 40),
      finish: .stop),
    Row(file: "anthropic/messages-max-tokens.response.json", usage: TokenUsage(input: 21, output: 12), finish: .length),
    Row(
      file: "anthropic/messages-stop-sequence.response.json", usage: TokenUsage(input: 21, output: 12),
      finish: .stopSequence),
    Row(
      file: "anthropic/messages-context-window.response.json", usage: TokenUsage(input: 21, output: 12),
      finish: .contextWindow),
    Row(
      file: "anthropic/messages-refusal.response.json", usage: TokenUsage(input: 21, output: 12), finish: .refusal,
      safety: .refusal),
    Row(
      file: "anthropic/messages-cached.response.json",
      usage: TokenUsage(input: 2350, output: 12, cachedInput: 2000, cacheWrite: 300), finish: .stop),
    Row(file: "anthropic/count-tokens.response.json", usage: TokenUsage(input: 14)),
    Row(file: "anthropic/models.response.json"),
  ]

  static func dialect(_ file: String) -> ProviderDialect { file.hasPrefix("openai") ? .openai : .anthropic }

  @Test("samples", arguments: rows)
  func sample(_ row: Row) throws {
    let measure = try Fixture.bytes(row.file).withSlice { UsageMeter.measure(Self.dialect(row.file), .chat, body: $0) }
    #expect(measure.usage == row.usage)
    #expect(measure.finish == row.finish)
    #expect(measure.safety == row.safety)
    #expect(measure.failure?.failureClass == row.failure)
  }

  @Test func everySampleIsInTheTable() throws {
    for folder in ["openai", "anthropic"] {
      for name in try Fixture.names(folder, where: { $0.hasSuffix(".response.json") }) {
        #expect(Self.rows.contains { $0.file == "\(folder)/\(name)" }, "\(name)")
      }
    }
  }

  @Test(
    "the tail of a long answer is enough",
    arguments: rows.filter { $0.usage != nil && !$0.file.contains("-tokens.response") })
  func tail(_ row: Row) throws {
    let bytes = try Fixture.bytes(row.file)
    for cut in [0, bytes.count / 4] {
      let measure = bytes.withSlice { UsageMeter.measure(Self.dialect(row.file), .chat, tail: $0.suffix(from: cut)) }
      #expect(measure.usage == row.usage)
    }
  }

  @Test func textThatLooksLikeUsageIsNotUsage() {
    let body = #"{"choices":[{"message":{"content":"\"usage\":{\"prompt_tokens\":9}"},"finish_reason":"stop"}]}"#
    #expect(withBytes(body) { UsageMeter.measure(.openai, .chat, body: $0) }.usage == nil)
    #expect(withBytes(body) { UsageMeter.measure(.openai, .chat, tail: $0) }.usage == nil)
  }

  @Test(
    "nonsense counts are left out",
    arguments: [
      #"{"usage":{"prompt_tokens":-3,"completion_tokens":"x"}}"#,
      #"{"usage":{"prompt_tokens":99999999999999999999999}}"#, #"{"usage":7}"#, #"{"usage":{}}"#, "", "{",
    ])
  func nonsense(_ body: String) {
    #expect(withBytes(body) { UsageMeter.measure(.openai, .chat, body: $0) }.usage == nil)
  }

  @Test func hugeCountsSaturate() {
    let body = #"{"usage":{"input_tokens":9223372036854775807,"cache_read_input_tokens":9223372036854775807}}"#
    #expect(withBytes(body) { UsageMeter.measure(.anthropic, .messages, body: $0) }.usage?.input == .max)
  }
}
