import SluiceDialects
import SluiceSimulator
import Testing

/// Refusals come with OpenAI's status, type, code and parameter.
@Suite struct OpenAIErrorTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var path = "/v1/chat/completions"
    var body: String
    var status = 400
    var type = "invalid_request_error"
    var code: String?
    var param: String?
    var testDescription: String { name }
  }

  static let message = "\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]"

  static let cases: [Case] = [
    Case(name: "no model", body: "{\(message)}"),
    Case(name: "model of another type", body: "{\"model\":3,\(message)}", code: "invalid_type", param: "model"),
    Case(
      name: "no messages", body: "{\"model\":\"gpt-5.4\"}", code: "missing_required_parameter", param: "messages"),
    Case(
      name: "messages of another type", body: "{\"model\":\"gpt-5.4\",\"messages\":\"x\"}", code: "invalid_type",
      param: "messages"),
    Case(
      name: "no message", body: "{\"model\":\"gpt-5.4\",\"messages\":[]}", code: "empty_array", param: "messages"),
    Case(
      name: "unknown role", body: "{\"model\":\"gpt-5.4\",\"messages\":[{\"role\":\"boss\",\"content\":\"x\"}]}",
      code: "invalid_value", param: "messages[0].role"),
    Case(
      name: "no content", body: "{\"model\":\"gpt-5.4\",\"messages\":[{\"role\":\"user\"}]}",
      code: "missing_required_parameter", param: "messages[0].content"),
    Case(
      name: "temperature", body: "{\"model\":\"gpt-5.4\",\(message),\"temperature\":3}",
      code: "decimal_above_max_value", param: "temperature"),
    Case(
      name: "n", body: "{\"model\":\"gpt-5.4\",\(message),\"n\":0}", code: "integer_below_min_value", param: "n"),
    Case(
      name: "stream of another type", body: "{\"model\":\"gpt-5.4\",\(message),\"stream\":\"yes\"}",
      code: "invalid_type", param: "stream"),
    Case(
      name: "too many stops", body: "{\"model\":\"gpt-5.4\",\(message),\"stop\":[\"a\",\"b\",\"c\",\"d\",\"e\"]}",
      code: "invalid_type", param: "stop"),
    Case(
      name: "older limit on a reasoning model", body: "{\"model\":\"o3-mini\",\(message),\"max_tokens\":5}",
      code: "unsupported_parameter", param: "max_tokens"),
    Case(
      name: "what the simulator cannot do", body: "{\"model\":\"gpt-5.4\",\(message),\"logprobs\":true}",
      code: "unsupported_parameter", param: "logprobs"),
    Case(
      name: "tool choice without tools", body: "{\"model\":\"gpt-5.4\",\(message),\"tool_choice\":\"required\"}",
      param: "tool_choice"),
    Case(
      name: "tool call without answer",
      body:
        "{\"model\":\"gpt-5.4\",\"messages\":[{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"c\"}]},"
        + "{\"role\":\"user\",\"content\":\"x\"}]}",
      param: "messages[1].role"),
    Case(name: "not JSON", body: "{\"model\":"),
    Case(name: "no object", body: "[]"),
    Case(
      name: "embeddings without input", path: "/v1/embeddings", body: "{\"model\":\"text-embedding-3-small\"}",
      code: "missing_required_parameter", param: "input"),
    Case(
      name: "too many dimensions", path: "/v1/embeddings",
      body: "{\"model\":\"text-embedding-3-small\",\"input\":\"a\",\"dimensions\":2000}",
      code: "integer_above_max_value", param: "dimensions"),
    Case(
      name: "unknown earlier response", path: "/v1/responses",
      body: "{\"model\":\"gpt-5.4\",\"input\":\"a\",\"previous_response_id\":\"resp_1\"}",
      code: "previous_response_not_found", param: "previous_response_id"),
    Case(name: "unknown path", path: "/v1/teapots", body: "{}", status: 404),
  ]

  @Test(arguments: cases) func refused(_ item: Case) async throws {
    try await Harness.with { simulator in
      let reply = try await simulator.openAI(item.path, item.body)
      #expect(reply.status == item.status, "\(reply.text)")
      let sample = try Fixture.json("openai/error.400.context_length.json")
      #expect(Shape.differences(reply.json, sample) == [])
      let error = try #require(reply.json["error"])
      #expect(error["type"]?.string == item.type)
      #expect(error["code"]?.string == item.code)
      #expect(error["param"]?.string == item.param)
      #expect(error["message"]?.string?.isEmpty == false)
      #expect(reply["x-request-id"]?.hasPrefix("req_") == true)
    }
  }

  @Test func keys() async throws {
    try await Harness.with { simulator in
      let path = "/v1/chat/completions"
      let missing = try await simulator.openAI(path, Harness.chatBody(), headers: [])
      #expect(missing.status == 401)
      #expect(missing.json["error"]?["code"]?.isNull == true)
      for key in ["Bearer sk-invalid-1", "Basic abc", "Bearer a b", "Bearer "] {
        let reply = try await simulator.openAI(path, Harness.chatBody(), headers: ["authorization: \(key)"])
        #expect(reply.status == 401, "\(key)")
        #expect(reply.json["error"]?["code"]?.string == "invalid_api_key", "\(key)")
      }
      #expect(try await simulator.send("GET", "/v1/models", nil, []).status == 401)
    }
    try await Harness.with(SimulatorOptions(keys: ["sk-a"])) { simulator in
      let listed = try await simulator.chat(key: "sk-a")
      let other = try await simulator.chat(key: "sk-b")
      #expect(listed.status == 200 && other.status == 401)
    }
  }

  @Test func unknownModelsOnlyWhereModelsAreListed() async throws {
    try await Harness.with(SimulatorOptions(models: ["gpt-one"])) { simulator in
      let reply = try await simulator.chat()
      #expect(reply.status == 404)
      #expect(reply.json["error"]?["code"]?.string == "model_not_found")
      let list = try await simulator.send("GET", "/v1/models", nil, [Harness.openAIKey])
      #expect(list.json["data"]?.array?.texts("id") == ["gpt-one"])
    }
  }

  @Test func promptsBeyondTheContext() async throws {
    let profile = SimulatorModelProfile(pattern: "gpt-*", contextTokens: 50)
    try await Harness.with(SimulatorOptions(profiles: [profile])) { simulator in
      let reply = try await simulator.chat(String(repeating: "word ", count: 100))
      #expect(reply.status == 400)
      #expect(reply.json["error"]?["code"]?.string == "context_length_exceeded")
      #expect(reply.json["error"]?["param"]?.string == "messages")
    }
  }

  @Test func wrongMethod() async throws {
    try await Harness.with { simulator in
      let reply = try await simulator.send("GET", "/v1/chat/completions", nil, [Harness.openAIKey])
      #expect(reply.status == 405)
    }
  }
}
