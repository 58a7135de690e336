import SluiceDialects
import SluiceSimulator
import Testing

/// Streams have the frames of the samples, in their order, and say what the plain answer says.
@Suite struct OpenAIStreamTests {
  private func deltas(_ reply: HTTPReply, _ name: String) -> String {
    reply.eventData.compactMap { $0["choices"]?.array?.first?["delta"]?[name]?.string }.joined()
  }

  @Test func textWithUsage() async throws {
    try await Harness.with { simulator in
      let reply = try await simulator.openAI(
        "/v1/chat/completions", try Fixture.text("openai/chat-stream.request.json"))
      #expect(reply.status == 200)
      #expect(reply["content-type"]?.hasPrefix("text/event-stream") == true)
      #expect(reply.events.last?.data == "[DONE]")
      #expect(reply.events.compactMap(\.name).isEmpty)
      let sample = try Fixture.events("openai/chat-stream.response.sse")
      let frames = reply.eventData
      let pairs = [(frames[0], sample[0]), (frames[1], sample[1]), (frames[frames.count - 2], sample[3])]
      for (frame, expected) in pairs + [(frames[frames.count - 1], sample[4])] {
        #expect(Shape.differences(frame, expected) == [])
      }
      let usages = frames.dropLast().map { $0["usage"] }
      #expect(Set(usages) == [.null])
      let plain = try await simulator.chat()
      let text = plain.json["choices"]?.array?.first?["message"]?["content"]?.string
      #expect(deltas(reply, "content") == text)
      #expect(frames.last?["usage"] == plain.json["usage"])
      // One token is one frame.
      #expect(frames.count == 3 + (plain.json["usage"]?["completion_tokens"]?.int ?? 0))
    }
  }

  @Test func withoutUsageOrPadding() async throws {
    try await Harness.with { simulator in
      let reply = try await simulator.chat(
        extra: ",\"stream\":true,\"stream_options\":{\"include_obfuscation\":false}")
      let sample = try Fixture.events("openai/chat-stream-no-usage.response.sse")
      let frames = reply.eventData
      #expect(Shape.differences(frames[0], sample[0]) == [])
      #expect(Shape.differences(frames[1], sample[1]) == [])
      #expect(Shape.differences(try #require(frames.last), sample[2]) == [])
    }
  }

  @Test func toolCalls() async throws {
    try await Harness.with { simulator in
      let body = try Fixture.text("openai/chat-tools.request.json")
      let options = "\"stream\":true,\"stream_options\":{\"include_usage\":true,\"include_obfuscation\":false},"
      let reply = try await simulator.openAI(
        "/v1/chat/completions", body.replacing("{\n  \"model\"", with: "{\(options)\"model\"", maxReplacements: 1))
      let sample = try Fixture.events("openai/chat-stream-tools.response.sse")
      let frames = reply.eventData
      for index in 0..<3 { #expect(Shape.differences(frames[index], sample[index]) == []) }
      #expect(Shape.differences(frames[frames.count - 2], sample[6]) == [])
      #expect(Shape.differences(frames[frames.count - 1], sample[7]) == [])
      var arguments: [Int: String] = [:]
      for frame in frames {
        for call in frame["choices"]?.array?.first?["delta"]?["tool_calls"]?.array ?? [] {
          arguments[try #require(call["index"]?.int), default: ""] += call["function"]?["arguments"]?.string ?? ""
        }
      }
      #expect(arguments == [0: "{\"city\":\"Paris\"}", 1: "{\"city\":\"Oslo\"}"])
    }
  }

  @Test func refusal() async throws {
    try await Harness.with { simulator in
      let reply = try await simulator.chat("[[refuse]]", extra: ",\"stream\":true")
      #expect(deltas(reply, "refusal") == "I can't help with that.")
      #expect(deltas(reply, "content") == "")
    }
  }

  @Test func responsesEventOrder() async throws {
    try await Harness.with { simulator in
      let reply = try await simulator.openAI(
        "/v1/responses", "{\"model\":\"gpt-5.4-mini\",\"input\":\"Hi\",\"stream\":true}")
      let names = reply.events.compactMap(\.name)
      var order: [String] = []
      for name in names where order.last != name { order.append(name) }
      #expect(
        order == [
          "response.created", "response.in_progress", "response.output_item.added", "response.content_part.added",
          "response.output_text.delta", "response.output_text.done", "response.content_part.done",
          "response.output_item.done", "response.completed",
        ])
      let frames = reply.eventData
      let numbers = frames.compactMap { $0["sequence_number"]?.int }
      #expect(numbers == Array(0..<frames.count))
      #expect(names == frames.texts("type"))
      #expect(!reply.text.contains("[DONE]"))
      let sample = try Fixture.events("openai/responses-stream.response.sse")
      for frame in frames {
        let expected = try #require(sample.first(like: frame))
        #expect(Shape.differences(frame, expected, ignoring: ["tools", "instructions"]) == [])
      }
      let delta = frames.compactMap { $0["delta"]?.string }.joined()
      let final = try #require(frames.last?["response"]?["output"]?.array?.first?["content"]?.array?.first?["text"])
      #expect(final.string == delta)
    }
  }

  @Test func responsesToolCalls() async throws {
    try await Harness.with { simulator in
      let body = try Fixture.text("openai/responses.request.json").replacing(
        "\"store\": false", with: "\"stream\": true")
      let reply = try await simulator.openAI("/v1/responses", body)
      let sample = try Fixture.events("openai/responses-stream.response.sse")
      let frames = reply.eventData
      #expect(frames.first(type: "response.function_call_arguments.done") != nil)
      for frame in frames where frame["item_id"] != nil {
        let expected = try #require(sample.first(like: frame))
        #expect(Shape.differences(frame, expected) == [], "\(frame["type"]?.string ?? "")")
      }
    }
  }
}
