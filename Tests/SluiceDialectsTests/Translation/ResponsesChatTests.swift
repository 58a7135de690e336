import SluiceDialects
import SluicePolicy
import Testing

@Suite("Responses and legacy completions")
struct ResponsesChatTests {
  static func read(_ text: String) throws -> (ChatRequest, TranslationNotes) {
    var notes = TranslationNotes()
    let request = try ResponsesChat.readRequest(
      try TranslationBench.json(text: text), model: "", streams: false, &notes)
    return (request, notes)
  }

  @Test(
    "refused with the path",
    arguments: [
      (#"{"model":"m","input":"x","previous_response_id":"r"}"#, "previous_response_id"),
      (#"{"model":"m","input":"x","conversation":"c"}"#, "conversation"),
      (#"{"model":"m","input":"x","background":true}"#, "background"),
      (#"{"model":"m","input":"x","tools":[{"type":"web_search"}]}"#, "tools[0].type"),
      (#"{"model":"m","input":[{"type":"item_reference","id":"x"}]}"#, "input[0].type"),
      (#"{"model":"m","input":[]}"#, "input"), (#"{"model":"m"}"#, "input"),
      (
        #"{"model":"m","input":[{"role":"user","content":[{"type":"input_video"}]}]}"#, "input[0].content[0].type"
      ),
    ])
  func refusals(_ text: String, _ path: String) throws {
    let refusal = #expect(throws: TranslationRefusal.self) { try Self.read(text) }
    #expect(refusal?.field == path)
  }

  @Test func theSampleIsRead() throws {
    var notes = TranslationNotes()
    let body = try TranslationBench.json("openai/responses.request.json")
    let request = try ResponsesChat.readRequest(body, model: "", streams: false, &notes)
    #expect(
      request.messages == [ChatMessage(.system, text: "Be brief."), ChatMessage(.user, text: "Weather in Paris?")])
    #expect(request.tools.map(\.name) == ["get_weather"] && request.tools[0].isStrict == true)
    #expect(request.maxOutputTokens == 128 && notes.dropped.isEmpty)
  }

  @Test func oneTurnOfSeveralItemsIsOneMessage() throws {
    let (request, notes) = try Self.read(
      #"""
      {"model":"m","store":true,"include":["reasoning.encrypted_content"],"input":[
      {"role":"user","content":"q"},{"type":"reasoning","summary":[{"type":"summary_text","text":"t"}]},
      {"type":"message","role":"assistant","content":[{"type":"output_text","text":"a"}]},
      {"type":"function_call","call_id":"c","name":"f","arguments":"{}"},
      {"type":"function_call_output","call_id":"c","output":"r"}],"reasoning":{"effort":"low"},
      "text":{"format":{"type":"json_schema","name":"n","schema":{"type":"object"},"strict":true}}}
      """#)
    #expect(request.messages.map(\.role) == [.user, .assistant, .tool])
    #expect(
      request.messages[1].parts == [
        .reasoning(ReasoningPart("t")), .text("a"), .toolCall(ToolCall(id: "c", name: "f", arguments: "{}")),
      ])
    #expect(request.reasoning == Reasoning(effort: .low))
    #expect(request.responseFormat == .schema(name: "n", schema: ["type": "object"], isStrict: true))
    #expect(notes.dropped == ["store", "include"])
  }

  static let deltas: [ChatDelta] = [
    .start(id: "chatcmpl-D4", model: "gpt"), .text("Check"), .text("ing."),
    .toolCall(index: 0, id: "call_a1", name: "get_weather", signature: nil), .toolArguments(index: 0, "{\"city\":"),
    .toolArguments(index: 0, "\"Paris\"}"), .finish(.toolUse, stopSequence: nil),
    .usage(TokenUsage(input: 37, output: 21)), .end,
  ]

  /// The same kinds of events in the same order as in the sample, rising numbers, and the whole answer at the end.
  @Test func theStreamHasTheSamplesOrder() throws {
    func types(_ bytes: [UInt8]) throws -> [JSONValue] {
      try String(decoding: bytes, as: UTF8.self).split(separator: "\n").filter { $0.hasPrefix("data: ") }
        .map { try TranslationBench.json(text: String($0.dropFirst(6))) }
    }
    let written = try types(Array(try TranslationBench.write(ResponsesStreamWriter.self, Self.deltas).utf8))
    let sample = try types(try Fixture.bytes("openai/responses-stream.response.sse"))
    let names = { (events: [JSONValue]) in
      events.compactMap { $0["type"]?.string }.reduce(into: [String]()) { if $0.last != $1 { $0.append($1) } }
    }
    #expect(names(written) == names(sample))
    #expect(written.map { $0["sequence_number"]?.int } == Array(0..<written.count))
    let last = try #require(written.last?["response"])
    let whole = ResponsesChat.writeAnswer(
      ChatAnswer(
        id: "chatcmpl-D4", model: "gpt",
        parts: [
          .text("Checking."),
          .toolCall(ToolCall(id: "call_a1", name: "get_weather", arguments: "{\"city\":\"Paris\"}")),
        ], finish: .toolUse, usage: TokenUsage(input: 37, output: 21)), TranslationBench.reply)
    #expect(TranslationBench.normal(last) == TranslationBench.normal(whole))
    let model = try TranslationBench.json("openai/responses.response.json")
    for name in ["status", "usage"] { #expect(whole[name] == model[name]) }
    #expect(whole["output"]?.array?.map { $0["type"] } == model["output"]?.array?.map { $0["type"] })
  }

  @Test func ourOwnMeterTakesTheStream() throws {
    let written = try TranslationBench.write(ResponsesStreamWriter.self, Self.deltas)
    let meter = CompatibleProviderTests.meter(.openai, .responses, Array(written.utf8))
    #expect(meter.end == .complete)
    #expect(meter.measure.usage == TokenUsage(input: 37, output: 21))
  }

  @Test func endsThatAreNone() throws {
    let cut = try TranslationBench.write(
      ResponsesStreamWriter.self,
      [
        .start(id: "", model: ""), .reasoning("t"), .text("a"), .refusal("no"), .finish(.length, stopSequence: nil),
        .end,
      ])
    #expect(cut.contains("event: response.incomplete") && cut.contains("max_output_tokens"))
    #expect(cut.contains("response.refusal.done") && cut.contains("response.reasoning_summary_text.done"))
    var writer = ResponsesStreamWriter(TranslationBench.reply)
    var out: [UInt8] = []
    try writer.write(.start(id: "", model: ""), to: &out)
    out = []
    writer.fail(GatewayError(.upstreamBroke), to: &out)
    let text = String(decoding: out, as: UTF8.self)
    #expect(text.hasPrefix("event: error\n") && text.contains(#""sequence_number":2"#))
  }

  @Test func whatIsKeptIsBounded() throws {
    var writer = ResponsesStreamWriter(TranslationBench.reply)
    var out: [UInt8] = []
    let piece = String(repeating: "x", count: 1 << 20)
    for _ in 0..<16 {
      out = []
      try writer.write(.text(piece), to: &out)
    }
    #expect(throws: UnreadableAnswer.self) { try writer.write(.text("x"), to: &out) }
  }

  @Test func completions() throws {
    func read(_ text: String) throws -> ChatRequest {
      var notes = TranslationNotes()
      return try OpenAICompletions.readRequest(
        try TranslationBench.json(text: text), model: "", streams: false, &notes)
    }
    #expect(try read(#"{"model":"m","prompt":["p"],"max_tokens":4}"#).messages == [ChatMessage(.user, text: "p")])
    for bad in [#"{"model":"m"}"#, #"{"model":"m","prompt":["a","b"]}"#, #"{"model":"m","prompt":"a","echo":true}"#] {
      #expect(throws: TranslationRefusal.self) { try read(bad) }
    }
    let answer = ChatAnswer(id: "chatcmpl-1", parts: [.reasoning(ReasoningPart("t")), .text("x")], finish: .length)
    let body = OpenAICompletions.writeAnswer(answer, TranslationBench.reply)
    #expect(body["id"] == "cmpl-1" && body["object"] == "text_completion")
    #expect(body["choices"]?.array?[0]["text"] == "x" && body["choices"]?.array?[0]["finish_reason"] == "length")
    let stream = try TranslationBench.write(CompletionsStreamWriter.self, Self.deltas)
    #expect(stream.contains(#""text":"Check""#) && stream.hasSuffix("data: [DONE]\n\n"))
  }
}
