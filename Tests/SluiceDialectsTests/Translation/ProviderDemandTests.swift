import SluiceDialects
import SluicePolicy
import Testing

/// What providers refuse, though clients may send it, and what clients cannot read, though providers send it.
@Suite("What providers and clients insist on")
struct ProviderDemandTests {
  private func write(
    _ format: any ChatFormat.Type, _ messages: [ChatMessage], facts: ModelFacts = ModelFacts(),
    _ change: (inout ChatRequest) -> Void = { _ in }
  ) throws -> (body: JSONValue, dropped: [String]) {
    var request = ChatRequest(model: "m", messages: messages)
    change(&request)
    var notes = TranslationNotes()
    let target = ChatTarget(provider: .openai, model: "m", facts: facts)
    return (try format.writeRequest(request, for: target, &notes), notes.dropped)
  }

  // MARK: Tools

  @Test(
    "parameters are the schema of an object",
    arguments: [ConverseChat.self, CohereChat.self, OllamaChat.self] as [any ChatFormat.Type],
    ["", "{}", #"{"properties":{}}"#])
  func parameters(_ format: any ChatFormat.Type, _ schema: String) throws {
    var tool = ToolDefinition(name: "f")
    if !schema.isEmpty { tool.parameters = try JSONReader.read(Array(schema.utf8)) }
    let (body, _) = try write(format, [ChatMessage(.user, text: "a")]) { $0.tools = [tool] }
    let converse = body["toolConfig"]?["tools"]?.array?.first?["toolSpec"]?["inputSchema"]?["json"]
    let written = converse ?? body["tools"]?.array?.first?["function"]?["parameters"]
    #expect(written?["type"] == .string("object"))
  }

  private func arguments(_ deltas: [ChatDelta]) -> [String] {
    deltas.compactMap { if case .toolArguments(let index, let text) = $0 { "\(index):\(text)" } else { nil } }
  }

  @Test("Converse's calls without arguments have empty ones", arguments: [true, false])
  func converse(_ closes: Bool) throws {
    var reader = ConverseStreamReader()
    var deltas: [ChatDelta] = []
    func read(_ name: String, _ data: String) throws {
      try withBytes(name) { name in
        withBytes(data) { data in
          Result<Void, UnreadableAnswer> { () throws(UnreadableAnswer) in
            try reader.read(event: name, data: data, into: &deltas)
          }
        }
      }.get()
    }
    func start(_ index: Int) throws {
      try read(
        "contentBlockStart",
        #"{"contentBlockIndex":\#(index),"start":{"toolUse":{"toolUseId":"t\#(index)","name":"f"}}}"#)
    }
    try start(3)
    if closes { try read("contentBlockStop", #"{"contentBlockIndex":3}"#) }
    try start(4)
    try read("contentBlockDelta", #"{"contentBlockIndex":4,"delta":{"toolUse":{"input":""}}}"#)
    try read("contentBlockDelta", #"{"contentBlockIndex":4,"delta":{"toolUse":{"input":"[1]"}}}"#)
    try read("contentBlockStop", #"{"contentBlockIndex":4}"#)
    try read("messageStop", #"{"stopReason":"tool_use"}"#)
    #expect(arguments(deltas) == (closes ? ["0:{}", "1:[1]"] : ["1:[1]", "0:{}"]))
  }

  @Test("Cohere's calls without arguments have empty ones", arguments: [true, false])
  func cohere(_ closes: Bool) throws {
    func event(_ type: String, _ index: Int, _ function: String) -> String {
      #"data: {"type":"\#(type)","index":\#(index),"delta":{"message":{"tool_calls":{"id":"c","function":{\#(function)}}}}}"#
        + "\n\n"
    }
    var text = event("tool-call-start", 0, #""name":"f","arguments":"""#)
    if closes { text += event("tool-call-end", 0, "") }
    text += event("tool-call-start", 1, #""name":"g""#) + event("tool-call-delta", 1, #""arguments":"[1]""#)
    text += event("tool-call-end", 1, "")
    text += #"data: {"type":"message-end","delta":{"finish_reason":"TOOL_CALL"}}"# + "\n\n"
    let deltas = try WireSamples.deltas(CohereChat.self, .serverSentEvents, Array(text.utf8))
    #expect(arguments(deltas) == (closes ? ["0:{}", "1:[1]"] : ["1:[1]", "0:{}"]))
  }

  @Test func callsInResponsesHaveArguments() throws {
    let call = ToolCall(id: "c", name: "f", arguments: "")
    let answer = ChatAnswer(id: "a", model: "m", parts: [.toolCall(call)], finish: .toolUse, usage: nil)
    let body = ResponsesChat.writeAnswer(answer, WireSamples.reply)
    #expect(body["output"]?.array?.first?["arguments"] == .string("{}"))
    var writer = ResponsesStreamWriter(WireSamples.reply)
    var out: [UInt8] = []
    for delta in [
      ChatDelta.start(id: "a", model: "m"), .toolCall(index: 0, id: "c", name: "f", signature: nil),
      .finish(.toolUse, stopSequence: nil), .end,
    ] { try writer.write(delta, to: &out) }
    let text = String(decoding: out, as: UTF8.self)
    #expect(text.contains(#""type":"response.function_call_arguments.done""#))
    #expect(text.split(separator: #""arguments":"{}""#).count == 4, "the call's end, the item's, the response's")
  }

  // MARK: Empty turns

  private static let spoken = [
    ChatMessage(.user, text: "a"), ChatMessage(.assistant, [.text(" \n"), .reasoning(ReasoningPart("unsigned"))]),
    ChatMessage(.user, [.text("b"), .text("\t")]),
  ]

  @Test func turnsOfWhichNothingIsLeftDoNotDivideOthers() throws {
    let converse = try write(ConverseChat.self, Self.spoken).body["messages"]?.array
    #expect(converse?.count == 1)
    #expect(converse?.first?["content"]?.jsonText == #"[{"text":"a"},{"text":"b"}]"#)
    let thoughts = [
      Self.spoken[0], ChatMessage(.assistant, [.reasoning(ReasoningPart("x", signature: "s"))]), Self.spoken[2],
    ]
    #expect(try write(GeminiChat.self, thoughts).body["contents"]?.array?.count == 1)
    #expect(try write(ConverseChat.self, thoughts).body["messages"]?.array?.count == 3, "a signed thought stays")
  }

  @Test func blankTextsDoNotReachAnthropic() throws {
    let messages = [ChatMessage(.system, text: " ")] + Self.spoken
    let (body, _) = try write(AnthropicChat.self, messages) { $0.maxOutputTokens = 5 }
    #expect(body["system"] == nil)
    #expect(body["messages"]?.array?.count == 1)
    #expect(
      body["messages"]?.array?.first?["content"]?.jsonText
        == #"[{"type":"text","text":"a"},{"type":"text","text":"b"}]"#)
  }

  @Test func documentsHaveDifferentNames() throws {
    func file(_ name: String?) -> ContentPart {
      .file(Media(type: "application/pdf", source: .base64("AAAA"), name: name))
    }
    let result = ToolResult(callID: "c", name: "f", content: [file(nil)])
    let messages = [
      ChatMessage(.user, [file(nil), file("a b"), file("a/b"), file("document-2")]),
      ChatMessage(.assistant, [.toolCall(ToolCall(id: "c", name: "f", arguments: ""))]),
      ChatMessage(.tool, [.toolResult(result)]),
    ]
    let text = try write(ConverseChat.self, messages).body["messages"]?.jsonText ?? ""
    let names = text.split(separator: #""document":{"format":"pdf","name":""#).dropFirst().map {
      $0.prefix { $0 != "\"" }
    }
    #expect(names == ["document", "a-b", "a-b-2", "document-2", "document-3"])
  }

  // MARK: Many of everything

  /// Work in proportion to the request: with the square of it, these would take many minutes.
  @Test(
    "long conversations", .timeLimit(.minutes(3)),
    arguments: [ConverseChat.self, GeminiChat.self, CohereChat.self, OllamaChat.self] as [any ChatFormat.Type])
  func longConversations(_ format: any ChatFormat.Type) throws {
    let count = 40_000
    let calls = (0..<count).map { ToolCall(id: "c\($0)", name: "f\($0)", arguments: "{}") }
    var results = ChatMessage(
      .tool, calls.map { .toolResult(ToolResult(callID: $0.id, name: $0.name, content: [.text("r")])) })
    results.endsCachedPrefix = true
    var late = ChatMessage(.user, Array(repeating: .text("a"), count: count))
    late.endsCachedPrefix = true
    var request = ChatRequest(
      model: "anthropic.m", messages: [ChatMessage(.assistant, calls.map { .toolCall($0) }), late, results])
    ToolCallRepair.complete(&request)
    #expect(request.messages.count == 4, "results behind the user's words come too late")
    request.tools = calls.map { ToolDefinition(name: $0.name) }
    request.toolChoice = .among(calls.map(\.name), required: true)
    request.messages.append(ChatMessage(.user, text: "b"))
    let (body, _) = try write(format, request.messages) {
      $0.tools = request.tools
      $0.toolChoice = request.toolChoice
    }
    let tools = body["tools"]?.array ?? body["toolConfig"]?["tools"]?.array ?? []
    #expect(!tools.isEmpty)
  }

  @Test func ollamasResultsFindTheirCallsHoweverManyThereAre() throws {
    let count = 20_000
    let calls = (0..<count).map { #"{"id":"c\#($0)","function":{"name":"f","arguments":{}}}"# }
    let results = (0..<count).reversed().map { #"{"role":"tool","tool_call_id":"c\#($0)","content":"r"}"# }
    let text =
      #"{"messages":[{"role":"assistant","tool_calls":["# + calls.joined(separator: ",") + "]},"
      + results.joined(separator: ",") + "]}"
    var notes = TranslationNotes()
    let document = try JSONReader.read(Array(text.utf8))
    var request = try OllamaChat.readRequest(document, model: "m", streams: false, &notes)
    ToolCallRepair.complete(&request)
    #expect(request.messages.count == count + 1)
    guard case .toolResult(let last)? = request.messages.last?.parts.first else { return #expect(Bool(false)) }
    #expect(last.callID == "c0" && last.name == "f")
  }

  @Test func aLongAnswerIsNotCopiedForEveryPiece() throws {
    var writer = ResponsesStreamWriter(WireSamples.reply)
    var out: [UInt8] = []
    try writer.write(.start(id: "a", model: "m"), to: &out)
    let piece = String(repeating: "a", count: 64)
    for _ in 0..<40_000 {
      out.removeAll(keepingCapacity: true)
      try writer.write(.text(piece), to: &out)
    }
    try writer.write(.end, to: &out)
    #expect(out.count > 3 * 64 * 40_000, "the text stands in its own end, its part's and the item's")
  }

  // MARK: Reasoning

  @Test(arguments: [OpenAIChat.self, CohereChat.self] as [any ChatFormat.Type])
  func modelsThatDoNotReasonAreNotAskedTo(_ format: any ChatFormat.Type) throws {
    var facts = ModelFacts()
    for (reasons, isAsked) in [(nil, true), (true, true), (false, false)] as [(Bool?, Bool)] {
      facts.reasons = reasons
      let (body, dropped) = try write(format, [ChatMessage(.user, text: "a")], facts: facts) {
        $0.reasoning = Reasoning(effort: .high)
      }
      #expect((body["reasoning_effort"] != nil || body["thinking"] != nil) == isAsked)
      #expect(dropped == (isAsked ? [] : ["reasoning_effort"]))
    }
    let (_, dropped) = try write(format, [ChatMessage(.user, text: "a")], facts: facts) {
      $0.reasoning = Reasoning(effort: Reasoning.Effort.none)
    }
    #expect(dropped.isEmpty, "it does not reason anyway")
  }

  // MARK: Numbers

  @Test(
    "numbers stay as they were written",
    arguments: [
      "9223372036854775808", "-9223372036854775809", "123456789012345678901234567890", "1e400", "-1E+999", "1e-400",
      "0.1234567890123456789", "0.30000000000000004", "3.141592653589793", "1.10000000000000000001",
    ])
  func number(_ text: String) throws {
    let value = try JSONReader.read(Array("[\(text)]".utf8))
    #expect(value.jsonText == "[\(text)]")
    let number = try #require(value.array?.first)
    #expect(number.int == nil)
    if let double = Double(text), double.isFinite {
      #expect(number.double == double)
    } else {
      #expect(number.double == nil)
    }
  }

  @Test func plainNumbersAreNumbers() throws {
    for (text, value) in [
      ("9223372036854775807", JSONValue.int(.max)), ("-9223372036854775808", .int(.min)), ("0.1", .double(0.1)),
      ("1e2", .double(100)), ("0.000", .double(0)), ("0e5", .double(0)),
      ("123456.789012345", .double(123456.789012345)),
    ] { #expect(try JSONReader.read(Array(text.utf8)) == value) }
    #expect(try JSONReader.read(Array("12.00000000000000000".utf8)).int == 12)
  }

  // MARK: The last event

  @Test("a last event without its line end counts", arguments: ["data: [DONE]", "data: [DONE]\n"])
  func lastEvent(_ end: String) throws {
    let stop = #"data: {"id":"c","choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}"# + "\n\n"
    var meter = StreamMeter(.openai, .chat)
    withBytes(stop + end) { meter.consume($0, now: Instant(nanoseconds: 1)) }
    #expect(!meter.isComplete)
    meter.finish(now: Instant(nanoseconds: 2))
    #expect(meter.isComplete && meter.end == .complete)
    var half = StreamMeter(.openai, .chat)
    withBytes(stop + "data: [DO") { half.consume($0, now: Instant(nanoseconds: 1)) }
    half.finish(now: Instant(nanoseconds: 2))
    #expect(!half.isComplete)
  }

  @Test func theLastLineOfOllamaNeedsNoEnd() throws {
    let dialect = try ProviderDialect(.local, options: ProviderOptions(["server": .text("ollama")]))
    var meter = StreamMeter(dialect, .ollamaChat, .lines)
    let last =
      #"{"model":"m","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","prompt_eval_count":3,"eval_count":5}"#
    withBytes(#"{"model":"m","message":{"role":"assistant","content":"a"},"done":false}"# + "\n" + last) {
      meter.consume($0, now: Instant(nanoseconds: 1))
    }
    #expect(meter.measure.usage == nil)
    meter.finish(now: Instant(nanoseconds: 2))
    #expect(meter.measure.usage == TokenUsage(input: 3, output: 5))
  }

  @Test func aTranslatedStreamKeepsItsLastEvent() throws {
    let body = Array(#"{"model":"m","max_tokens":5,"stream":true,"messages":[{"role":"user","content":"a"}]}"#.utf8)
    let translation = try body.withSlice { body in
      Result<Translation, TranslationRefusal> { () throws(TranslationRefusal) in
        try Translation(
          .init(.messages, body: body, model: "m", streams: true), to: .openai,
          ChatTarget(provider: .openai, model: "m"), reply: WireSamples.reply)
      }
    }.get()
    for (end, isWhole) in [("data: [DONE]", true), ("data: {\"half\":", false)] {
      var stream = try #require(translation.stream(.serverSentEvents))
      var out: [UInt8] = []
      let stop = #"data: {"id":"c","choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}"# + "\n\n"
      let finish = #"data: {"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"# + "\n\n"
      withBytes(stop + (isWhole ? finish : "") + end) { stream.consume($0, into: &out) }
      stream.finish(into: &out)
      #expect(String(decoding: out, as: UTF8.self).contains("message_stop") == isWhole)
      #expect(stream.problem == nil)
    }
  }
}
