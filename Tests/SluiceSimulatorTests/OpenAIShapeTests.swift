import SluiceDialects
import SluiceSimulator
import Testing

/// What the OpenAI half sends has the shape of the protocol samples, member for member.
@Suite struct OpenAIShapeTests {
  private func expectShape(
    _ reply: HTTPReply, _ sample: String, status: Int = 200, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    #expect(reply.status == status, "\(reply.text)", sourceLocation: sourceLocation)
    #expect(reply["content-type"] == "application/json", sourceLocation: sourceLocation)
    let found = Shape.differences(reply.json, try Fixture.json("openai/\(sample)"))
    #expect(found == [], sourceLocation: sourceLocation)
  }

  @Test func chat() async throws {
    try await Harness.with { simulator in
      let reply = try await simulator.openAI("/v1/chat/completions", try Fixture.text("openai/chat.request.json"))
      try expectShape(reply, "chat.response.json")
      let usage = try #require(reply.json["usage"])
      let text = try #require(reply.json["choices"]?.array?.first?["message"]?["content"]?.string)
      #expect(usage["completion_tokens"]?.int == TokenRule.count(text))
      #expect(usage["total_tokens"]?.int == (usage["prompt_tokens"]?.int ?? 0) + TokenRule.count(text))
      #expect(reply.json["model"]?.string == "gpt-5.4-mini")
    }
  }

  @Test func headers() async throws {
    var options = SimulatorOptions(openAILimits: .openAI, clock: .manual(startingAt: 0))
    options.latency = .none
    try await Harness.with(options) { simulator in
      let reply = try await simulator.chat()
      let sample = try Fixture.headerNames("openai/headers.success.txt")
      #expect(sample.subtracting(reply.headers.map(\.name)) == [])
      #expect(reply["x-ratelimit-limit-requests"] == "10000")
      #expect(reply["x-ratelimit-remaining-requests"] == "9999")
      #expect(reply["x-ratelimit-reset-requests"] == "6ms")
      #expect(reply["x-request-id"]?.hasPrefix("req_") == true)
    }
  }

  @Test func toolCalls() async throws {
    try await Harness.with { simulator in
      let reply = try await simulator.openAI("/v1/chat/completions", try Fixture.text("openai/chat-tools.request.json"))
      try expectShape(reply, "chat-tools.response.json")
      let choice = try #require(reply.json["choices"]?.array?.first)
      #expect(choice["finish_reason"]?.string == "tool_calls")
      let calls = try #require(choice["message"]?["tool_calls"]?.array)
      let cities = try calls.map { call in
        let arguments = try #require(call["function"]?["arguments"]?.string)
        return try JSONReader.read(Array(arguments.utf8))["city"]?.string
      }
      #expect(cities == ["Paris", "Oslo"])
      #expect(Set(calls.texts("id")).count == 2)
    }
  }

  @Test func toolResultsAreFollowedByText() async throws {
    try await Harness.with { simulator in
      let reply = try await simulator.openAI(
        "/v1/chat/completions", try Fixture.text("openai/chat-tool-results.request.json"))
      try expectShape(reply, "chat.response.json")
      #expect(reply.json["choices"]?.array?.first?["finish_reason"]?.string == "stop")
    }
  }

  @Test func toolChoiceAndParallelism() async throws {
    try await Harness.with { simulator in
      let tools =
        ",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"a\"}},"
        + "{\"type\":\"function\",\"function\":{\"name\":\"b\"}}]"
      func calls(_ extra: String) async throws -> [String] {
        let reply = try await simulator.chat("Go to Paris and Rome", extra: tools + extra)
        let calls = reply.json["choices"]?.array?.first?["message"]?["tool_calls"]?.array ?? []
        return calls.compactMap { $0["function"]?["name"]?.string }
      }
      let none = try await calls(",\"tool_choice\":\"none\"")
      let named = try await calls(",\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"b\"}}")
      let single = try await calls(",\"tool_choice\":\"required\",\"parallel_tool_calls\":false")
      #expect(none == [])
      #expect(named == ["b", "b"])
      #expect(single.count == 1)
    }
  }

  @Test func endings() async throws {
    try await Harness.with { simulator in
      let length = try await simulator.chat(extra: ",\"max_completion_tokens\":3")
      try expectShape(length, "chat.length.response.json")
      #expect(length.json["choices"]?.array?.first?["finish_reason"]?.string == "length")
      #expect(length.json["usage"]?["completion_tokens"]?.int == 3)
      let refusal = try await simulator.chat("please [[refuse]]")
      try expectShape(refusal, "chat.refusal.response.json")
      #expect(refusal.json["choices"]?.array?.first?["message"]?["refusal"]?.string?.isEmpty == false)
      #expect(refusal.json["choices"]?.array?.first?["message"]?["content"]?.isNull == true)
      let filter = try await simulator.chat("please [[filter]]")
      try expectShape(filter, "chat.content-filter.response.json")
      #expect(filter.json["choices"]?.array?.first?["finish_reason"]?.string == "content_filter")
      let stop = try await simulator.chat(extra: ",\"stop\":[\"hello\"]")
      let text = stop.json["choices"]?.array?.first?["message"]?["content"]?.string
      #expect(text?.contains("hello") == false)
      #expect(text?.hasPrefix("About “Say ") == true)
    }
  }

  @Test func usageTellsOfCacheAndThoughts() async throws {
    try await Harness.with { simulator in
      let body = ",\"reasoning_effort\":\"high\""
      let reply = try await simulator.chat("a question of many words [[cached=5]]", extra: body)
      try expectShape(reply, "chat.response.json")
      let usage = try #require(reply.json["usage"])
      #expect(usage["prompt_tokens_details"]?["cached_tokens"]?.int == 5)
      let thoughts = try #require(usage["completion_tokens_details"]?["reasoning_tokens"]?.int)
      #expect(thoughts > 0 && thoughts < usage["completion_tokens"]?.int ?? 0)
      let plain = try #require(try await simulator.chat("a question").json["usage"])
      #expect(plain["completion_tokens_details"]?["reasoning_tokens"]?.int == 0)
      #expect(plain["prompt_tokens_details"]?["cached_tokens"]?.int == 0)
      let all = try await simulator.chat("x [[cached=5000]]").json["usage"]
      #expect(all?["prompt_tokens_details"]?["cached_tokens"] == all?["prompt_tokens"])
    }
  }

  @Test func severalChoicesDiffer() async throws {
    try await Harness.with { simulator in
      let reply = try await simulator.chat(extra: ",\"n\":3")
      let choices = try #require(reply.json["choices"]?.array)
      let indices = choices.compactMap { $0["index"]?.int }
      let texts = choices.compactMap { $0["message"]?["content"]?.string }
      #expect(indices == [0, 1, 2])
      #expect(Set(texts).count == 3)
    }
  }

  @Test func structuredAnswersFitTheirSchema() async throws {
    try await Harness.with { simulator in
      let reply = try await simulator.openAI(
        "/v1/chat/completions", try Fixture.text("openai/chat-multimodal-json-schema.request.json"))
      let text = try #require(reply.json["choices"]?.array?.first?["message"]?["content"]?.string)
      let answer = try JSONReader.read(Array(text.utf8))
      #expect(answer["text"]?.string != nil)
      #expect(answer.members?.count == 1)
    }
  }

  @Test func embeddings() async throws {
    try await Harness.with { simulator in
      let body = try Fixture.text("openai/embeddings.request.json")
      let reply = try await simulator.openAI("/v1/embeddings", body)
      try expectShape(reply, "embeddings.response.json")
      let data = try #require(reply.json["data"]?.array)
      let vectors = data.map { $0["embedding"]?.array?.compactMap(\.double) ?? [] }
      #expect(vectors.map(\.count) == [4, 4])
      for vector in vectors {
        let length = vector.reduce(0) { $0 + $1 * $1 }
        #expect(abs(length - 1) < 1e-5)
      }
      let base64 = body.replacing("\"float\"", with: "\"base64\"")
      let encoded = try await simulator.openAI("/v1/embeddings", base64)
      try expectShape(encoded, "embeddings-base64.response.json")
      let first = try #require(encoded.json["data"]?.array?.first?["embedding"]?.string)
      #expect(first == Base64Text.encode(littleEndian(vectors[0])))
    }
  }

  private func littleEndian(_ vector: [Double]) -> [UInt8] {
    vector.flatMap { number in
      (0..<4).map { UInt8(truncatingIfNeeded: Float(number).bitPattern >> (8 * UInt32($0))) }
    }
  }

  @Test func models() async throws {
    try await Harness.with { simulator in
      let list = try await simulator.send("GET", "/v1/models", nil, [Harness.openAIKey])
      try expectShape(list, "models.response.json")
      let one = try await simulator.send("GET", "/openai/v1/models/gpt-5.4-mini", nil, [Harness.openAIKey])
      #expect(one.json["id"]?.string == "gpt-5.4-mini")
      #expect(one["x-ratelimit-limit-requests"] == nil)
    }
  }

  @Test func completions() async throws {
    try await Harness.with { simulator in
      let body = "{\"model\":\"gpt-3.5-turbo-instruct\",\"prompt\":\"Once\",\"max_tokens\":5}"
      let reply = try await simulator.openAI("/v1/completions", body)
      #expect(reply.json["object"]?.string == "text_completion")
      #expect(reply.json["usage"]?["completion_tokens"]?.int == 5)
      let streamed = try await simulator.openAI("/v1/completions", body.replacing("}", with: ",\"stream\":true}"))
      let text = streamed.eventData.compactMap { $0["choices"]?.array?.first?["text"]?.string }.joined()
      #expect(text == reply.json["choices"]?.array?.first?["text"]?.string)
      #expect(streamed.events.last?.data == "[DONE]")
    }
  }

  @Test func responses() async throws {
    try await Harness.with { simulator in
      let body = try Fixture.text("openai/responses.request.json")
      let reply = try await simulator.openAI("/v1/responses", body)
      let sample = try Fixture.json("openai/responses.response.json")
      // The sample's first item is a message; here the call stands alone, and tools are repeated as they were sent.
      #expect(Shape.differences(reply.json, sample, ignoring: ["output"]) == [])
      let call = try #require(reply.json["output"]?.array?.first)
      #expect(Shape.differences(call, try #require(sample["output"]?.array?.last)) == [])
      #expect(call["name"]?.string == "get_weather")
      let plain = try await simulator.openAI(
        "/v1/responses", "{\"model\":\"gpt-5.4-mini\",\"input\":\"Hi there\",\"max_output_tokens\":4}")
      try expectShape(plain, "responses-incomplete.response.json")
      #expect(plain.json["status"]?.string == "incomplete")
      #expect(plain.json["incomplete_details"]?["reason"]?.string == "max_output_tokens")
      let count = try await simulator.openAI(
        "/v1/responses/input_tokens", "{\"model\":\"gpt-5.4-mini\",\"input\":\"Hi there\"}")
      try expectShape(count, "input-tokens.response.json")
      #expect(count.json["input_tokens"]?.int == plain.json["usage"]?["input_tokens"]?.int)
    }
  }
}
