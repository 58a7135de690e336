import SluiceDialects
import SluiceSimulator
import Testing

/// Refusals come with Anthropic's status, type and words.
@Suite struct AnthropicErrorTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var body: String
    var version = "2023-06-01"
    /// A part of the message.
    var says: String
    var testDescription: String { name }
  }

  static let base = "\"model\":\"claude-sonnet-5-5\",\"max_tokens\":9"
  static let message = "\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]"

  static func conversation(_ messages: String) -> String { "{\(base),\"messages\":[\(messages)]}" }

  static let toolUse =
    "{\"role\":\"assistant\",\"content\":[{\"type\":\"tool_use\",\"id\":\"t1\",\"name\":\"a\",\"input\":{}}]}"

  static let cases: [Case] = [
    Case(name: "no model", body: "{\"max_tokens\":9,\(message)}", says: "model: Field required"),
    Case(name: "no limit", body: "{\"model\":\"claude-sonnet-5-5\",\(message)}", says: "max_tokens: Field required"),
    Case(
      name: "limit of zero", body: "{\"model\":\"c\",\"max_tokens\":0,\(message)}",
      says: "max_tokens: Input should be greater than or equal to 1"),
    Case(
      name: "limit beyond the model's", body: "{\"model\":\"c\",\"max_tokens\":999999999,\(message)}",
      says: "which is the maximum allowed number of output tokens"),
    Case(name: "no messages", body: "{\(base)}", says: "messages: Field required"),
    Case(name: "no message", body: conversation(""), says: "messages: at least one message is required"),
    Case(
      name: "unknown role", body: conversation("{\"role\":\"boss\",\"content\":\"x\"}"),
      says: "messages.0.role: Input should be"),
    Case(
      name: "content of another type", body: conversation("{\"role\":\"user\",\"content\":5}"),
      says: "messages.0.content: Input should be a valid string"),
    Case(
      name: "empty text block",
      body: conversation("{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"\"}]}"), says: "non-empty"),
    Case(
      name: "tool use without result", body: conversation("\(toolUse),{\"role\":\"user\",\"content\":\"x\"}"),
      says: "without `tool_result` blocks"),
    Case(
      name: "result after text",
      body: conversation(
        "\(toolUse),{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"x\"},{\"type\":\"tool_result\",\"tool_use_id\":\"t1\"}]}"
      ), says: "without `tool_result` blocks"),
    Case(
      name: "result of nothing",
      body: conversation(
        "{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"t9\"}]}"),
      says: "unexpected `tool_use_id`"),
    Case(
      name: "prefill",
      body: conversation(
        "{\"role\":\"user\",\"content\":\"x\"},{\"role\":\"assistant\",\"content\":\"y\"}"),
      says: "does not support assistant message prefill"),
    Case(
      name: "sampling in the new version", body: "{\(base),\(message),\"temperature\":1}", version: "2026-10-21",
      says: "temperature: Extra inputs are not permitted"),
    Case(name: "temperature", body: "{\(base),\(message),\"temperature\":1.5}", says: "temperature"),
    Case(
      name: "small thinking budget",
      body: "{\(base),\(message),\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":5}}",
      says: "greater than or equal to 1024"),
    Case(
      name: "tool without schema", body: "{\(base),\(message),\"tools\":[{\"name\":\"a\"}]}",
      says: "tools.0.input_schema: Field required"),
    Case(name: "unknown version", body: "{\(base),\(message)}", version: "2020-01-01", says: "is not a valid version"),
    Case(name: "not JSON", body: "{", says: "not valid JSON"),
  ]

  @Test(arguments: cases) func refused(_ item: Case) async throws {
    try await Harness.with { simulator in
      let reply = try await simulator.anthropic(
        "/v1/messages", item.body, headers: ["x-api-key: k", "anthropic-version: \(item.version)"])
      #expect(reply.status == 400, "\(reply.text)")
      #expect(Shape.differences(reply.json, try Fixture.json("anthropic/error.400.invalid_request.json")) == [])
      #expect(reply.json["error"]?["type"]?.string == "invalid_request_error")
      #expect(reply.json["error"]?["message"]?.string?.contains(item.says) == true, "\(reply.text)")
      #expect(reply.json["request_id"]?.string == reply["request-id"])
    }
  }

  @Test func versionAndKeys() async throws {
    try await Harness.with { simulator in
      let body = Harness.messagesBody()
      let missing = try await simulator.anthropic("/v1/messages", body, headers: ["x-api-key: k"])
      #expect(missing.status == 400 && missing.text.contains("anthropic-version: header is required"))
      let version = "anthropic-version: 2026-10-21"
      #expect(try await simulator.anthropic("/v1/messages", body, headers: [version]).status == 401)
      let wrong = try await simulator.anthropic("/v1/messages", body, headers: [version, "x-api-key: invalid"])
      #expect(wrong.status == 401 && wrong.json["error"]?["type"]?.string == "authentication_error")
      let bearer = try await simulator.anthropic(
        "/v1/messages", body, headers: [version, "authorization: Bearer sk-ant-1"])
      #expect(bearer.status == 200)
      #expect(try await simulator.anthropic("/v1/messages/batches", "{}").status == 404)
    }
    try await Harness.with(SimulatorOptions(models: ["a"])) { simulator in
      let reply = try await simulator.messages()
      #expect(reply.status == 404 && reply.json["error"]?["type"]?.string == "not_found_error")
    }
  }

  @Test func promptsBeyondTheContext() async throws {
    let profile = SimulatorModelProfile(pattern: "claude-*", contextTokens: 50)
    try await Harness.with(SimulatorOptions(profiles: [profile])) { simulator in
      let reply = try await simulator.messages(String(repeating: "word ", count: 100))
      #expect(reply.status == 400)
      #expect(reply.text.contains("prompt is too long: "))
    }
  }
}
