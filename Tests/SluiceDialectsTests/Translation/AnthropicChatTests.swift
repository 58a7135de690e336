import SluiceDialects
import SluicePolicy
import Testing

@Suite("Anthropic's chat form")
struct AnthropicChatTests {
  static func read(_ text: String) throws -> ChatRequest {
    var notes = TranslationNotes()
    return try AnthropicChat.readRequest(try TranslationBench.json(text: text), model: "", streams: false, &notes)
  }

  static func write(
    _ request: ChatRequest, version: String? = nil, facts: ModelFacts = ModelFacts()
  ) throws -> (JSONValue, [String]) {
    var notes = TranslationNotes()
    let target = ChatTarget(
      provider: .anthropic, model: "m", facts: facts,
      options: ProviderOptions(version.map { ["version": .text($0)] } ?? [:]))
    return (try AnthropicChat.writeRequest(request, for: target, &notes), notes.dropped)
  }

  static func conversation(_ messages: ChatMessage...) -> ChatRequest { ChatRequest(model: "m", messages: messages) }

  @Test(
    "refused with the path",
    arguments: [
      (#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#, "max_tokens"),
      (#"{"model":"m","max_tokens":1,"messages":[{"role":"tool","content":"x"}]}"#, "messages[0].role"),
      (
        #"{"model":"m","max_tokens":1,"messages":[{"role":"user","content":[{"type":"tool_use"}]}]}"#,
        "messages[0].content[0].type"
      ),
      (
        #"{"model":"m","max_tokens":1,"messages":[{"role":"user","content":[{"type":"image","source":{"type":"x"}}]}]}"#,
        "messages[0].content[0].source.type"
      ),
      (
        #"{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"x"}],"tools":[{"type":"web_search_1"}]}"#,
        "tools[0].type"
      ),
      (
        #"{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"x"}],"thinking":{"type":"enabled"}}"#,
        "thinking.budget_tokens"
      ),
      (#"{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"x"}],"temperature":2}"#, "temperature"),
    ])
  func refusals(_ text: String, _ path: String) throws {
    let refusal = #expect(throws: TranslationRefusal.self) { try Self.read(text) }
    #expect(refusal?.field == path)
  }

  @Test func samplesAreRead() throws {
    for name in ["messages", "messages-tools", "messages-tool-results", "messages-thinking"] {
      var notes = TranslationNotes()
      let body = try TranslationBench.json("anthropic/\(name).request.json")
      let request = try AnthropicChat.readRequest(body, model: "", streams: false, &notes)
      #expect(!request.messages.isEmpty && notes.dropped.isEmpty, "\(name)")
    }
  }

  @Test func maxTokensHaveADefaultAndALimit() throws {
    let request = Self.conversation(ChatMessage(.user, text: "x"))
    #expect(try Self.write(request).0["max_tokens"] == 4096)
    var facts = ModelFacts()
    facts.maxOutputTokens = 8000
    #expect(try Self.write(request, facts: facts).0["max_tokens"] == 8000)
    var greedy = request
    greedy.maxOutputTokens = 9000
    #expect(try Self.write(greedy, facts: facts).0["max_tokens"] == 8000)
  }

  @Test func samplingFollowsTheVersionAndTheModel() throws {
    var request = Self.conversation(ChatMessage(.user, text: "x"))
    request.sampling.temperature = 1.7
    request.sampling.topK = 5
    #expect(try Self.write(request).0["temperature"] == .double(1))
    #expect(try Self.write(request).0["top_k"] == 5)
    let (current, dropped) = try Self.write(request, version: "2026-10-21")
    #expect(current["temperature"] == nil && dropped == ["temperature", "top_k"])
    var facts = ModelFacts()
    facts.acceptsSampling = false
    #expect(try Self.write(request, facts: facts).0["temperature"] == nil)
  }

  @Test func olderModelsThinkOnABudget() throws {
    var request = Self.conversation(ChatMessage(.user, text: "x"))
    request.reasoning = Reasoning(effort: .high)
    request.maxOutputTokens = 5000
    #expect(try Self.write(request).0["thinking"] == ["type": "enabled", "budget_tokens": 4999])
    request.maxOutputTokens = 500
    #expect(try Self.write(request).0["thinking"] == nil)
    #expect(try Self.write(request).1 == ["reasoning_effort"])
    request.reasoning = Reasoning(effort: Reasoning.Effort.none)
    #expect(try Self.write(request).0["thinking"] == ["type": "disabled"])
  }

  @Test func aTurnThatLostItsThoughtsGoesOnWithoutThem() throws {
    let call = ContentPart.toolCall(ToolCall(id: "a", name: "f", arguments: "{}"))
    let result = ChatMessage(.tool, [.toolResult(ToolResult(callID: "a", content: [.text("r")]))])
    var bare = Self.conversation(
      ChatMessage(.user, text: "x"), ChatMessage(.assistant, [.reasoning(ReasoningPart("t")), call]), result)
    bare.reasoning = Reasoning(effort: .low)
    let (body, dropped) = try Self.write(bare, version: "2026-10-21")
    #expect(body["thinking"] == nil && dropped == ["reasoning_effort"])
    bare.messages[1].parts[0] = .reasoning(ReasoningPart("t", signature: "s"))
    let kept = try Self.write(bare, version: "2026-10-21").0
    #expect(kept["thinking"] == ["type": "adaptive"])
    let first = kept["messages"]?.array?[1]["content"]?.array?[0]
    #expect(first == ["type": "thinking", "thinking": "t", "signature": "s"])
  }

  @Test func theEndsOfAConversation() throws {
    let begun = Self.conversation(ChatMessage(.assistant, text: "So: \n"))
    let body = try Self.write(begun).0
    #expect(body["messages"]?.array?.map { $0["role"]?.string } == ["user", "assistant"])
    #expect(body["messages"]?.array?[1]["content"] == "So:")
    #expect(throws: TranslationRefusal.self) { try Self.write(begun, version: "2026-10-21") }
    #expect(throws: TranslationRefusal.self) { try Self.write(Self.conversation(ChatMessage(.system, text: "x"))) }
    let late = Self.conversation(ChatMessage(.user, text: "x"), ChatMessage(.system, text: "y"))
    #expect(try Self.write(late).0["messages"]?.array?.count == 1)
    #expect(try Self.write(late, version: "2026-10-21").0["messages"]?.array?[1]["role"] == "system")
  }

  @Test func promptCachingTravels() throws {
    let text = #"""
      {"model":"m","max_tokens":9,"system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral"}}],
      "messages":[{"role":"user","content":[{"type":"text","text":"x","cache_control":{"type":"ephemeral"}}]}]}
      """#
    let (body, _) = try Self.write(try Self.read(text))
    let mark: JSONValue = ["type": "ephemeral"]
    #expect(body["system"]?.array?[0]["cache_control"] == mark)
    #expect(body["messages"]?.array?[0]["content"]?.array?[0]["cache_control"] == mark)
  }

  @Test func mediaThatAnthropicDoesNotTakeAreRefused() throws {
    for part in [
      ContentPart.image(Media(type: "image/tiff", source: .base64("aGk="))),
      .audio(Media(type: "audio/wav", source: .base64("aGk="))),
      .file(Media(type: "text/csv", source: .base64("aGk="))),
      .image(Media(type: "", source: .stored(id: "f"))),
    ] {
      #expect(throws: TranslationRefusal.self) { try Self.write(Self.conversation(ChatMessage(.user, [part]))) }
    }
  }

  // MARK: Stream writer

  static let begin = [ChatDelta.start(id: "", model: "")]
  static let end: [ChatDelta] = [.finish(.toolUse, stopSequence: nil), .end]

  @Test func interleavedCallsComeOneAfterAnother() throws {
    let deltas: [ChatDelta] = [
      .text("hi"), .toolCall(index: 0, id: "a", name: "f", signature: nil), .toolArguments(index: 0, #"{"x":"}"#),
      .toolCall(index: 1, id: "b", name: "g", signature: nil), .toolArguments(index: 1, "{}"),
      .toolArguments(index: 0, #"\""}"#), .toolCall(index: 2, id: "c", name: "h", signature: nil),
      .toolArguments(index: 2, "[1]"),
    ]
    let written = try TranslationBench.write(AnthropicStreamWriter.self, Self.begin + deltas + Self.end)
    let read = try TranslationBench.deltas(AnthropicStreamReader.self, Array(written.utf8), size: 9)
    let answer = try TranslationBench.answer(read)
    let calls = ChatMessage(.assistant, answer.parts).toolCalls
    #expect(calls.map(\.id) == ["a", "b", "c"])
    #expect(calls.map(\.arguments) == [#"{"x":"}\""}"#, "{}", "[1]"])
    #expect(answer.finish == .toolUse)
    Self.checkBlocks(written)
  }

  /// One block open at a time, indexes rising from 0.
  static func checkBlocks(_ written: String) {
    var open: Int?
    var next = 0
    for line in written.split(separator: "\n") where line.hasPrefix("data: ") {
      guard let data = try? TranslationBench.json(text: String(line.dropFirst(6))) else { continue }
      switch data["type"]?.string {
      case "content_block_start":
        #expect(open == nil && data["index"]?.int == next)
        open = next
      case "content_block_delta": #expect(data["index"]?.int == open)
      case "content_block_stop":
        #expect(data["index"]?.int == open)
        (open, next) = (nil, next + 1)
      case "message_delta": #expect(open == nil)
      default: break
      }
    }
  }

  @Test func whatWaitsIsBounded() throws {
    var writer = AnthropicStreamWriter(TranslationBench.reply)
    var out: [UInt8] = []
    for delta in Self.begin + (0...1).map({ .toolCall(index: $0, id: "\($0)", name: "f", signature: nil) }) {
      try writer.write(delta, to: &out)
    }
    let piece = String(repeating: "x", count: 1 << 16)
    for _ in 0..<16 { try writer.write(.toolArguments(index: 1, piece), to: &out) }
    #expect(throws: UnreadableAnswer.self) { try writer.write(.toolArguments(index: 1, "x"), to: &out) }
    #expect(throws: UnreadableAnswer.self) { try writer.write(.toolArguments(index: 7, "x"), to: &out) }
  }

  @Test func thinkingKeepsItsSignature() throws {
    let bytes = try Fixture.bytes("anthropic/messages-stream-tools.response.sse")
    let deltas = try TranslationBench.deltas(AnthropicStreamReader.self, bytes)
    let written = try TranslationBench.write(AnthropicStreamWriter.self, deltas)
    let again = try TranslationBench.deltas(AnthropicStreamReader.self, Array(written.utf8), size: 33)
    #expect(again == deltas)
    Self.checkBlocks(written)
  }

  @Test func pingsComeOnlyInsideOfAMessage() throws {
    var writer = AnthropicStreamWriter(TranslationBench.reply)
    var out: [UInt8] = []
    writer.keepAlive(to: &out)
    #expect(out.isEmpty)
    try writer.write(.start(id: "", model: ""), to: &out)
    out = []
    writer.keepAlive(to: &out)
    #expect(String(decoding: out, as: UTF8.self) == "event: ping\ndata: {\"type\":\"ping\"}\n\n")
  }

  @Test func providersErrorsInStreams() throws {
    let bytes = try Fixture.bytes("anthropic/messages-stream-error.response.sse")
    let deltas = try TranslationBench.deltas(AnthropicStreamReader.self, bytes)
    guard case .failure(let failure) = deltas.last else { return #expect(Bool(false)) }
    #expect(failure.failureClass == .overloaded)
    let cut = Array(try Fixture.bytes("anthropic/messages-stream.response.sse").dropLast(60))
    #expect(try TranslationBench.deltas(AnthropicStreamReader.self, cut).last != .end)
  }
}
