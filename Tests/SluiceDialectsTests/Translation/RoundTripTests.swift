import SluiceDialects
import SluicePolicy
import Testing

/// Seeded conversations with tools, pictures, parallel calls and results go from OpenAI's form through the hub to
/// Anthropic's and back, and must still say the same.
@Suite("Round trips")
struct RoundTripTests {
  struct Generator {
    var random: SplitMix64
    var calls = 0

    mutating func pick(_ count: UInt64) -> Int { Int(random.next() % count) }

    mutating func text() -> String {
      let words = ["a", "Grüße", "\"quoted\"", "line\nbreak", "{}", "\\", "🙂", "Error: x"]
      return (0...pick(3)).map { _ in words[pick(UInt64(words.count))] }.joined(separator: " ")
    }

    mutating func user() -> JSONValue {
      guard pick(2) == 0 else { return ["role": "user", "content": .string(text())] }
      return [
        "role": "user",
        "content": [
          ["type": "text", "text": .string(text())],
          ["type": "image_url", "image_url": ["url": "data:image/png;base64,iVBORw0KGgo="]],
          ["type": "text", "text": .string(text())],
        ],
      ]
    }

    /// An assistant's turn: text, calls, or both; calls with their results behind them.
    mutating func turn() -> [JSONValue] {
      let count = pick(4)
      guard count > 0 else { return [["role": "assistant", "content": .string(text())]] }
      var list: [JSONValue] = []
      var results: [JSONValue] = []
      for _ in 0..<count {
        calls += 1
        let id = "call_\(calls)"
        let arguments: JSONValue = pick(3) == 0 ? [:] : ["city": .string(text()), "days": .int(pick(9))]
        list.append([
          "id": .string(id), "type": "function",
          "function": ["name": "get_weather", "arguments": .string(arguments.jsonText)],
        ])
        results.append(["role": "tool", "tool_call_id": .string(id), "content": .string(text())])
      }
      let content: JSONValue = pick(2) == 0 ? .null : .string(text())
      return [["role": "assistant", "content": content, "tool_calls": .array(list)]] + results
    }

    mutating func request() -> JSONValue {
      var messages: [JSONValue] = pick(2) == 0 ? [] : [["role": "system", "content": .string(text())]]
      for _ in 0...pick(4) {
        messages.append(user())
        messages += turn()
      }
      messages.append(user())
      let choices: [JSONValue] = [
        "auto", "required", "none", ["type": "function", "function": ["name": "get_weather"]],
      ]
      var body = JSONObject()
      body["model"] = "m"
      body["messages"] = .array(messages)
      body["tools"] = [
        [
          "type": "function",
          "function": [
            "name": "get_weather", "description": .string(text()),
            "parameters": ["type": "object", "properties": ["city": ["type": "string"]]],
          ],
        ]
      ]
      body["tool_choice"] = choices[pick(4)]
      body["max_completion_tokens"] = .int(1 + pick(1000))
      if pick(2) == 0 { body["temperature"] = .double(0.5) } else { body["stop"] = ["END", "STOP"] }
      return body.value
    }
  }

  @Test("OpenAI to Anthropic and back", arguments: 0..<300 as Range<UInt64>)
  func there(_ seed: UInt64) throws {
    var generator = Generator(random: SplitMix64(seed: seed))
    let original = generator.request()
    var notes = TranslationNotes()
    let first = try OpenAIChat.readRequest(original, model: "", streams: false, &notes)
    let anthropic = try AnthropicChat.writeRequest(
      first, for: ChatTarget(provider: .anthropic, model: "m"), &notes)
    let second = try AnthropicChat.readRequest(anthropic, model: "", streams: false, &notes)
    let back = try OpenAIChat.writeRequest(second, for: ChatTarget(provider: .openai, model: "m"), &notes)
    #expect(TranslationBench.normal(back) == TranslationBench.normal(original), "seed \(seed)")
    #expect(notes.dropped.isEmpty)
    Self.checkAnthropicRules(anthropic)
  }

  /// Roles take turns, and every call is answered by the next message, results first.
  static func checkAnthropicRules(_ body: JSONValue) {
    let messages = body["messages"]?.array ?? []
    for (index, message) in messages.enumerated() {
      #expect(message["role"]?.string == (index % 2 == 0 ? "user" : "assistant"))
      let calls = (message["content"]?.array ?? []).filter { $0["type"] == "tool_use" }.map { $0["id"] }
      guard !calls.isEmpty, index + 1 < messages.count else { continue }
      let answers = (messages[index + 1]["content"]?.array ?? []).prefix(calls.count)
      #expect(answers.map { $0["tool_use_id"] } == calls)
    }
  }
}
