import SluiceDialects
import SluiceSimulator
import Testing

/// What the Anthropic half sends has the shape of the protocol samples, member for member.
@Suite struct AnthropicTests {
  private func expectShape(
    _ reply: HTTPReply, _ sample: String, ignoring: Set<String> = [],
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    #expect(reply.status == 200, "\(reply.text)", sourceLocation: sourceLocation)
    let found = Shape.differences(reply.json, try Fixture.json("anthropic/\(sample)"), ignoring: ignoring)
    #expect(found == [], sourceLocation: sourceLocation)
  }

  @Test func message() async throws {
    try await Harness.with { simulator in
      let reply = try await simulator.anthropic("/v1/messages", try Fixture.text("anthropic/messages.request.json"))
      try expectShape(reply, "messages.response.json")
      #expect(reply.json["stop_reason"]?.string == "end_turn")
      let text = try #require(reply.json["content"]?.array?.first?["text"]?.string)
      #expect(reply.json["usage"]?["output_tokens"]?.int == TokenRule.count(text))
    }
  }

  @Test func headers() async throws {
    let options = SimulatorOptions(anthropicLimits: .anthropic, clock: .manual(startingAt: 1_795_246_259))
    try await Harness.with(options) { simulator in
      let reply = try await simulator.messages()
      let sample = try Fixture.headerNames("anthropic/headers.success.txt")
      #expect(sample.subtracting(reply.headers.map(\.name)) == [])
      #expect(reply["anthropic-ratelimit-requests-limit"] == "4000")
      #expect(reply["anthropic-ratelimit-requests-remaining"] == "3999")
      #expect(reply["anthropic-ratelimit-requests-reset"] == "2026-11-21T07:31:00Z")
      #expect(reply["request-id"]?.hasPrefix("req_01") == true)
    }
  }

  @Test func toolUse() async throws {
    try await Harness.with { simulator in
      let reply = try await simulator.anthropic(
        "/v1/messages", try Fixture.text("anthropic/messages-tools.request.json"))
      let sample = try Fixture.json("anthropic/messages-tools.response.json")
      #expect(Shape.differences(reply.json, sample, ignoring: ["content"]) == [])
      #expect(reply.json["stop_reason"]?.string == "tool_use")
      let calls = (reply.json["content"]?.array ?? []).filter { $0["type"]?.string == "tool_use" }
      let cities = calls.compactMap { $0["input"]?["city"]?.string }
      #expect(cities == ["Paris", "Oslo"])
      #expect(Shape.differences(try #require(calls.first), try #require(sample["content"]?.array?[1])) == [])
      let after = try await simulator.anthropic(
        "/v1/messages", try Fixture.text("anthropic/messages-tool-results.request.json"))
      try expectShape(after, "messages.response.json")
    }
  }

  @Test func thinkingWithAStructuredAnswer() async throws {
    try await Harness.with { simulator in
      let body = try Fixture.text("anthropic/messages-thinking.request.json")
      let reply = try await simulator.anthropic("/v1/messages", body)
      try expectShape(reply, "messages-thinking.response.json")
      let content = try #require(reply.json["content"]?.array)
      #expect(content.texts("type") == ["thinking", "text"])
      let answer = try JSONReader.read(Array((content[1]["text"]?.string ?? "").utf8))
      #expect(answer["answer"]?.int != nil)
      let thinking = try #require(reply.json["usage"]?["output_tokens_details"]?["thinking_tokens"]?.int)
      #expect(thinking == TokenRule.count(content[0]["thinking"]?.string ?? ""))
      let hidden = try await simulator.messages(
        extra: ",\"thinking\":{\"type\":\"adaptive\",\"display\":\"omitted\"}")
      #expect(hidden.json["content"]?.array?.first?["thinking"]?.string == "")
    }
  }

  @Test func endings() async throws {
    try await Harness.with { simulator in
      let length = try await simulator.anthropic(
        "/v1/messages", Harness.messagesBody().replacing("256", with: "4"))
      try expectShape(length, "messages-max-tokens.response.json")
      #expect(length.json["stop_reason"]?.string == "max_tokens")
      #expect(length.json["usage"]?["output_tokens"]?.int == 4)
      let stop = try await simulator.messages(extra: ",\"stop_sequences\":[\"zzz\",\"hello\"]")
      try expectShape(stop, "messages-stop-sequence.response.json")
      #expect(stop.json["stop_reason"]?.string == "stop_sequence")
      #expect(stop.json["stop_sequence"]?.string == "hello")
      let refusal = try await simulator.messages("[[refuse]]")
      try expectShape(refusal, "messages-refusal.response.json")
      #expect(refusal.json["stop_reason"]?.string == "refusal")
    }
  }

  @Test func cachedTokensAreNotCountedAgain() async throws {
    try await Harness.with { simulator in
      let plain = try await simulator.messages("a question of many words [[cached=1]]").json["usage"]
      let cached = try await simulator.messages("a question of many words [[cached=5]]").json["usage"]
      #expect(cached?["cache_read_input_tokens"]?.int == 5)
      #expect(plain?["cache_read_input_tokens"]?.int == 1)
      #expect(cached?["input_tokens"]?.int == (plain?["input_tokens"]?.int).map { $0 - 4 })
    }
  }

  @Test func stream() async throws {
    try await Harness.with { simulator in
      let reply = try await simulator.messages(extra: ",\"stream\":true")
      let sample = try Fixture.events("anthropic/messages-stream.response.sse")
      let frames = reply.eventData
      let names = reply.events.compactMap(\.name)
      #expect(names == frames.texts("type"))
      var order: [String] = []
      for frame in frames {
        let type = frame["type"]?.string ?? ""
        if order.last != type { order.append(type) }
        let expected = try #require(sample.first(like: frame))
        #expect(Shape.differences(frame, expected) == [])
      }
      #expect(
        order == [
          "message_start", "content_block_start", "ping", "content_block_delta", "content_block_stop",
          "message_delta", "message_stop",
        ])
      let plain = try await simulator.messages()
      let text = frames.compactMap { $0["delta"]?["text"]?.string }.joined()
      #expect(text == plain.json["content"]?.array?.first?["text"]?.string)
      let usage = frames.last { $0["type"]?.string == "message_delta" }?["usage"]
      #expect(usage?["output_tokens"] == plain.json["usage"]?["output_tokens"])
    }
  }

  @Test func streamOfThinkingAndTools() async throws {
    try await Harness.with { simulator in
      let body = try Fixture.text("anthropic/messages-tools.request.json")
        .replacing(
          "{\n  \"model\"", with: "{\"stream\":true,\"thinking\":{\"type\":\"adaptive\"},\"model\"", maxReplacements: 1)
      let reply = try await simulator.anthropic("/v1/messages", body)
      let sample = try Fixture.events("anthropic/messages-stream-tools.response.sse")
      for frame in reply.eventData {
        let kind = frame["delta"]?["type"] ?? frame["content_block"]?["type"]
        let alike = sample.first {
          $0["type"] == frame["type"] && ($0["delta"]?["type"] ?? $0["content_block"]?["type"]) == kind
        }
        let expected = try #require(alike)
        #expect(Shape.differences(frame, expected, ignoring: ["usage"]) == [])
      }
      var inputs: [Int: String] = [:]
      for frame in reply.eventData {
        guard let piece = frame["delta"]?["partial_json"]?.string, let index = frame["index"]?.int else { continue }
        inputs[index, default: ""] += piece
      }
      #expect(inputs == [1: "{\"city\":\"Paris\"}", 2: "{\"city\":\"Oslo\"}"])
      let refusal = try await simulator.messages("[[refuse]]", extra: ",\"stream\":true")
      let end = try #require(refusal.eventData.first(type: "message_delta"))
      #expect(end["delta"]?["stop_details"]?["type"]?.string == "refusal")
    }
  }

  @Test func countingTokens() async throws {
    try await Harness.with { simulator in
      let body = try Fixture.text("anthropic/count-tokens.request.json")
      let reply = try await simulator.anthropic("/v1/messages/count_tokens", body)
      try expectShape(reply, "count-tokens.response.json")
      let message = try await simulator.anthropic(
        "/v1/messages", body.replacing("{\n  \"model\"", with: "{\"max_tokens\":9,\"model\"", maxReplacements: 1))
      #expect(message.json["usage"]?["input_tokens"] == reply.json["input_tokens"])
    }
  }

  @Test func pagesOfModels() async throws {
    try await Harness.with(SimulatorOptions(models: ["a", "b", "c"])) { simulator in
      func page(_ query: String) async throws -> JSONValue {
        let reply = try await simulator.send("GET", "/v1/models" + query, nil, Harness.anthropicHeaders)
        let sample = try Fixture.json("anthropic/models.response.json")
        #expect(Shape.differences(reply.json, sample) == [], "\(reply.text)")
        return reply.json
      }
      func ids(_ page: JSONValue) -> [String] { page["data"]?.array?.compactMap { $0["id"]?.string } ?? [] }
      let all = try await page("")
      #expect(ids(all) == ["a", "b", "c"] && all["has_more"]?.bool == false)
      let first = try await page("?limit=2")
      #expect(ids(first) == ["a", "b"] && first["has_more"]?.bool == true && first["last_id"]?.string == "b")
      #expect(ids(try await page("?limit=2&after_id=b")) == ["c"])
      let before = try await page("?limit=1&before_id=c")
      #expect(ids(before) == ["b"] && before["has_more"]?.bool == true)
      #expect(ids(try await page("?after_id=c")) == [])
      let one = try await simulator.send("GET", "/anthropic/v1/models/b", nil, Harness.anthropicHeaders)
      #expect(one.json["id"]?.string == "b")
    }
  }
}
