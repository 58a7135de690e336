import SluiceDialects
import SluicePolicy
import Testing

@Suite("OpenAI's chat form")
struct OpenAIChatTests {
  static func read(_ text: String) throws -> (ChatRequest, TranslationNotes) {
    var notes = TranslationNotes()
    let request = try OpenAIChat.readRequest(
      try TranslationBench.json(text: text), model: "", streams: false, &notes)
    return (request, notes)
  }

  static let user = #""model":"m","messages":[{"role":"user","content":"x"}]"#

  @Test(
    "refused with the path",
    arguments: [
      (#"{"messages":[]}"#, "model"), (#"{"model":"m"}"#, "messages"), (#"{"model":"m","messages":[]}"#, "messages"),
      (#"{"model":"m","messages":{}}"#, "messages"), (#"{"model":"m","messages":["x"]}"#, "messages[0]"),
      (#"{"model":"m","messages":[{"role":"user","content":7}]}"#, "messages[0].content"),
      (#"{"model":"m","messages":[{"role":"king","content":"x"}]}"#, "messages[0].role"),
      (
        #"{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"ftp://x"}}]}]}"#,
        "messages[0].content[0].image_url.url"
      ),
      (
        #"{"model":"m","messages":[{"role":"system","content":[{"type":"file","file":{"file_id":"f"}}]}]}"#,
        "messages[0].content[0].type"
      ),
      (#"{\#(user),"n":2}"#, "n"), (#"{\#(user),"temperature":"hot"}"#, "temperature"),
      (#"{\#(user),"temperature":3}"#, "temperature"), (#"{\#(user),"stop":[1]}"#, "stop[0]"),
      (#"{\#(user),"max_tokens":0}"#, "max_tokens"), (#"{\#(user),"functions":[]}"#, "functions"),
      (#"{\#(user),"tools":[{"type":"custom","custom":{"name":"x"}}]}"#, "tools[0].type"),
      (#"{\#(user),"tools":[{"type":"function","function":{}}]}"#, "tools[0].function.name"),
      (#"{\#(user),"tool_choice":"perhaps"}"#, "tool_choice"), (#"{\#(user),"modalities":["audio"]}"#, "modalities"),
      (#"{\#(user),"reasoning_effort":"much"}"#, "reasoning_effort"),
      (#"{\#(user),"response_format":{"type":"json_schema"}}"#, "response_format.json_schema"),
    ])
  func refusals(_ text: String, _ path: String) throws {
    let refusal = #expect(throws: TranslationRefusal.self) { try Self.read(text) }
    #expect(refusal?.field == path)
  }

  @Test(
    "a schema may stand where TGI and the clients of Hugging Face have it",
    arguments: [
      (#"{"type":"json_object","value":{"type":"object","properties":{}}}"#, nil),
      (#"{"type":"json","value":{"type":"object","properties":{}}}"#, nil),
      (#"{"type":"json_schema","value":{"name":"n","schema":{"type":"object","properties":{}}}}"#, "n"),
      (#"{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object","properties":{}}}}"#, "n"),
    ])
  func schemas(_ format: String, name: String?) throws {
    let (request, notes) = try Self.read(#"{\#(Self.user),"response_format":\#(format)}"#)
    let schema: JSONValue = ["type": "object", "properties": .object([])]
    #expect(request.responseFormat == .schema(name: name, schema: schema, isStrict: nil))
    #expect(notes.dropped == [])
  }

  @Test(arguments: [#"{"type":"json_object"}"#, #"{"type":"json_object","value":{"type":"object"}}"#])
  func anyObject(_ format: String) throws {
    #expect(try Self.read(#"{\#(Self.user),"response_format":\#(format)}"#).0.responseFormat == .json)
  }

  @Test func hintsAreNamed() throws {
    let (_, notes) = try Self.read(#"{\#(Self.user),"logit_bias":{"1":2},"verbosity":"low","store":null,"n":1}"#)
    #expect(notes.dropped == ["logit_bias", "verbosity"])
  }

  @Test func mistralGetsNothingThatItDoesNotKnow() throws {
    let (request, _) = try Self.read(
      #"{\#(Self.user),"user":"u","temperature":1.9,"seed":3,"tool_choice":"required","stream":true,"#
        + #""tools":[{"type":"function","function":{"name":"f"}}]}"#)
    var streamed = request
    streamed.streams = true
    var notes = TranslationNotes()
    let body = try OpenAIChat.writeRequest(streamed, for: ChatTarget(provider: .mistral, model: "x"), &notes)
    #expect(body["temperature"] == .double(1.5))
    #expect(body["random_seed"] == 3)
    #expect(body["tool_choice"] == "any")
    for name in ["user", "seed", "stream_options", "max_completion_tokens"] { #expect(body[name] == nil, "\(name)") }
    #expect(notes.dropped == ["user"])
    let ids = Set((0..<2000).map { ForeignNames.mistralIDs.id("call_\($0)") })
    #expect(ids.count == 2000)
    #expect(ids.allSatisfy { $0.utf8.count == 9 && ForeignNames.mistralIDs.allows($0) })
    #expect(ForeignNames.mistralIDs.id("D681PevKs") == "D681PevKs")
  }

  @Test func picturesInResultsFollowTheLastResult() throws {
    let picture = Media(type: "image/png", source: .base64("aGk="))
    let request = ChatRequest(
      model: "m",
      messages: [
        ChatMessage(.assistant, ["1", "2"].map { .toolCall(ToolCall(id: $0, name: "f", arguments: "{}")) }),
        ChatMessage(.tool, [.toolResult(ToolResult(callID: "1", content: [.image(picture), .text("t")]))]),
        ChatMessage(.tool, [.toolResult(ToolResult(callID: "2", content: [.text("u")]))]),
      ])
    var notes = TranslationNotes()
    let body = try OpenAIChat.writeRequest(request, for: ChatTarget(provider: .openai, model: "m"), &notes)
    #expect(body["messages"]?.array?.compactMap { $0["role"]?.string } == ["assistant", "tool", "tool", "user"])
  }

  @Test func foreignToolNamesComeBack() throws {
    var notes = TranslationNotes()
    var request = ChatRequest(model: "m", messages: [ChatMessage(.user, text: "x")])
    request.tools = [ToolDefinition(name: "a.b:c"), ToolDefinition(name: "plain")]
    let body = try OpenAIChat.writeRequest(request, for: ChatTarget(provider: .openai, model: "m"), &notes)
    let name = try #require(body["tools"]?.array?[0]["function"]?["name"]?.string)
    #expect(name.hasPrefix("a_b_c_") && ForeignNames.openAINames.allows(name))
    #expect(notes.toolNames == [name: "a.b:c"])
  }

  // MARK: Streams

  static func deltas(_ chunks: [String], done: Bool = true) throws -> [ChatDelta] {
    let frames = chunks.map { "data: \($0)\n\n" }.joined() + (done ? "data: [DONE]\n\n" : "")
    return try TranslationBench.deltas(OpenAIStreamReader.self, Array(frames.utf8), size: 5)
  }

  static func chunk(_ delta: String, finish: String = "null") -> String {
    #"{"id":"i","model":"m","choices":[{"index":0,"delta":\#(delta),"finish_reason":\#(finish)}]}"#
  }

  @Test func serversMayBeOdd() throws {
    // No index, arguments as an object, no id; the end mark is missing; usage stands in every chunk.
    let usage = #","usage":{"prompt_tokens":1,"completion_tokens":2}}"#
    let first = Self.chunk(#"{"tool_calls":[{"function":{"name":"f","arguments":{"a":1}}}]}"#)
    let chunks = [
      String(first.prefix(first.count - 1)) + usage,
      Self.chunk(#"{"tool_calls":[{"id":"x","function":{"name":"g"}},{"function":{"arguments":"[]"}}]}"#),
      Self.chunk("{}", finish: #""stop""#),
    ]
    let deltas = try Self.deltas(chunks, done: false)
    let answer = try TranslationBench.answer(deltas)
    #expect(answer.finish == .toolUse)
    #expect(answer.usage == TokenUsage(input: 1, output: 2))
    let calls = ChatMessage(.assistant, answer.parts).toolCalls
    #expect(calls.map(\.arguments) == [#"{"a":1}"#, "[]"])
    #expect(calls[0].id.hasPrefix("call_") && calls[1].id == "x")
  }

  @Test func callsThatAllHaveTheSameIndexAreToldByTheirIds() throws {
    let deltas = try Self.deltas([
      Self.chunk(#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}]}"#),
      Self.chunk(#"{"tool_calls":[{"index":0,"id":"b","function":{"name":"f"}}]}"#, finish: #""tool_calls""#),
    ])
    let calls = ChatMessage(.assistant, try TranslationBench.answer(deltas).parts).toolCalls
    #expect(calls.map(\.id) == ["a", "b"])
    #expect(calls.map(\.arguments) == ["{}", "{}"])
  }

  @Test func anEndMarkAloneIsNoEnd() throws {
    #expect(try Self.deltas([Self.chunk(#"{"content":"x"}"#)]).last == .text("x"))
    let error = try Self.deltas([Self.chunk(#"{"content":"x"}"#), #"{"error":{"message":"m","code":500}}"#])
    guard case .failure(let failure) = error.last else { return #expect(Bool(false)) }
    #expect(failure.message == "m")
    let text = try Self.deltas([#"{"error":"plain","error_type":"generation"}"#])
    guard case .failure = text.last else { return #expect(Bool(false)) }
    let broken = try Self.deltas([Self.chunk("{}", finish: #""error""#)])
    guard case .failure = broken.last else { return #expect(Bool(false)) }
  }

  @Test func callsAreBounded() throws {
    let chunks = (0...1024).map {
      Self.chunk(#"{"tool_calls":[{"index":\#($0),"id":"c\#($0)","function":{"name":"f"}}]}"#)
    }
    #expect(throws: UnreadableAnswer.self) { try Self.deltas(chunks) }
    #expect(throws: UnreadableAnswer.self) { try Self.deltas(["nonsense"]) }
  }

  @Test func whatIsWrittenReadsTheSame() throws {
    for name in ["chat-stream", "chat-stream-tools"] {
      let bytes = try Fixture.bytes("openai/\(name).response.sse")
      let deltas = try TranslationBench.deltas(OpenAIStreamReader.self, bytes)
      let written = try TranslationBench.write(OpenAIStreamWriter.self, deltas)
      #expect(try TranslationBench.deltas(OpenAIStreamReader.self, Array(written.utf8), size: 3) == deltas)
      #expect(written.hasSuffix("data: [DONE]\n\n"))
      var quiet = TranslationBench.reply
      quiet.includesUsage = false
      #expect(!(try TranslationBench.write(OpenAIStreamWriter.self, deltas, quiet)).contains("usage"))
    }
  }

  @Test func failuresEndWithoutAnEndMark() throws {
    let failure = ProviderFailure(.overloaded, reach: .endpoint, status: 200, message: "busy")
    let written = try TranslationBench.write(
      OpenAIStreamWriter.self, [.start(id: "", model: ""), .text("x"), .failure(failure), .text("y"), .end])
    #expect(written.contains("busy") && !written.contains("[DONE]") && !written.contains(#""y""#))
    #expect(written.contains("chatcmpl-fallback-id") && written.contains("asked-model"))
  }

  // MARK: Embeddings

  @Test func embeddingsBothWays() throws {
    var notes = TranslationNotes()
    let read = { (text: String) throws in
      var notes = TranslationNotes()
      return try OpenAIEmbeddings.readRequest(
        try TranslationBench.json(text: text), model: "", .embeddings, &notes)
    }
    let request = try read(#"{"model":"m","input":["a",[1,2]],"encoding_format":"base64","dimensions":2}"#)
    #expect(request.inputs == [.text("a"), .tokens([1, 2])])
    #expect(try read(#"{"model":"m","input":[5,6]}"#).inputs == [.tokens([5, 6])])
    for bad in [#"{"model":"m","input":[]}"#, #"{"model":"m","input":[-1]}"#, #"{"model":"m","input":[{}]}"#] {
      #expect(throws: TranslationRefusal.self) { try read(bad) }
    }
    let upstream = try OpenAIEmbeddings.writeRequest(
      request, for: ChatTarget(provider: .openai, model: "x"), &notes)
    #expect(upstream["encoding_format"] == "base64" && upstream["dimensions"] == 2)
    #expect(throws: TranslationRefusal.self) {
      try OpenAIEmbeddings.writeRequest(request, for: ChatTarget(provider: .mistral, model: "x"), &notes)
    }
    let numbers = try OpenAIEmbeddings.readAnswer(try TranslationBench.json("mistral/embeddings.response.json"))
    #expect(numbers.vectors == [[0.1, -0.2]])
    let coded = OpenAIEmbeddings.writeAnswer(numbers, request, TranslationBench.reply)
    #expect(coded["data"]?.array?[0]["embedding"] == "zczMPc3MTL4=")
    #expect(try OpenAIEmbeddings.readAnswer(coded) == numbers)
    for file in ["embeddings", "embeddings-base64"] {
      let answer = try OpenAIEmbeddings.readAnswer(try TranslationBench.json("openai/\(file).response.json"))
      #expect(!answer.vectors.isEmpty && answer.vectors.allSatisfy { !$0.isEmpty })
    }
    for bad in [#"{"data":[{"embedding":"===="}]}"#, #"{"data":[{"embedding":["x"]}]}"#, #"{"data":[{"index":9}]}"#] {
      #expect(throws: UnreadableAnswer.self) { try OpenAIEmbeddings.readAnswer(try TranslationBench.json(text: bad)) }
    }
  }
}
