import SluiceDialects
import SluicePolicy
import Testing

/// What the official SDKs make of the sample answers, in OpenAI's terms: our readers and OpenAI's writer must agree.
@Suite("Answers in OpenAI's terms")
struct ExpectedViewTests {
  static let folders = ["openai", "anthropic", "azure-openai", "mistral", "vllm", "llamacpp", "tgi", "huggingface"]

  static func names() throws -> [String] {
    let table = try TranslationBench.json("translation/expected-openai-view.json").members ?? []
    return table.map(\.name).filter { name in folders.contains { name.hasPrefix("\($0)/") } }
  }

  @Test func samplesAgree() throws {
    let table = try TranslationBench.json("translation/expected-openai-view.json")
    let names = try Self.names()
    #expect(names.count == 24)
    for name in names {
      let expected = try #require(table[name])
      let bytes = try Fixture.bytes(name)
      let answer = try Self.answer(name, bytes)
      let view = Self.view(OpenAIChat.writeAnswer(answer, TranslationBench.reply), like: expected)
      #expect(TranslationBench.normal(view) == TranslationBench.normal(expected), "\(name)")
    }
  }

  static func answer(_ name: String, _ bytes: [UInt8]) throws -> ChatAnswer {
    let isAnthropic = name.hasPrefix("anthropic")
    if name.hasSuffix(".json") {
      let body = try JSONReader.read(bytes)
      return isAnthropic ? try AnthropicChat.readAnswer(body) : try OpenAIChat.readAnswer(body)
    }
    let deltas =
      isAnthropic
      ? try TranslationBench.deltas(AnthropicStreamReader.self, bytes)
      : try TranslationBench.deltas(OpenAIStreamReader.self, bytes)
    return try TranslationBench.answer(deltas)
  }

  /// The fields of the table, in its flat form; counts that the table leaves out are zero.
  static func view(_ answer: JSONValue, like expected: JSONValue) -> JSONValue {
    let message = answer["choices"]?.array?.first?["message"] ?? .null
    var view = JSONObject()
    view["content"] = message["content"]
    view["finish_reason"] = answer["choices"]?.array?.first?["finish_reason"]
    view["reasoning_content"] = message.given("reasoning_content")
    view["refusal"] = message.given("refusal")
    if let calls = message["tool_calls"]?.array {
      view["tool_calls"] = .array(
        calls.map { call in
          [
            "id": call["id"] ?? .null, "name": call["function"]?["name"] ?? .null,
            "arguments": ToolArguments.object(call["function"]?["arguments"]?.string ?? ""),
          ]
        })
    }
    guard let usage = answer.given("usage") else { return view.value }
    var counts = JSONObject()
    for name in ["prompt_tokens", "completion_tokens", "total_tokens"] { counts[name] = usage[name] }
    let details = [
      ("cached_tokens", "prompt_tokens_details"), ("cache_write_tokens", "prompt_tokens_details"),
      ("reasoning_tokens", "completion_tokens_details"),
    ]
    for (name, group) in details {
      let count = usage[group]?[name] ?? 0
      if expected["usage"]?[name] != nil || count != 0 { counts[name] = count }
    }
    view["usage"] = counts.value
    return view.value
  }
}
