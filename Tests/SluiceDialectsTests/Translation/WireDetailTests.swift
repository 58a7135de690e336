import SluiceDialects
import SluicePolicy
import Testing

/// What is particular to one of the wire formats.
@Suite("Wire format details")
struct WireDetailTests {
  private func read(_ format: any ChatFormat.Type, _ text: String) throws -> (ChatRequest, TranslationNotes) {
    var notes = TranslationNotes()
    let value = try JSONReader.read(Array(text.utf8))
    return (try format.readRequest(value, model: "m", streams: false, &notes), notes)
  }

  private func write(
    _ format: any ChatFormat.Type, _ request: ChatRequest, _ provider: Provider,
    _ options: [String: ProviderOptions.Value] = [:]
  ) throws -> (JSONValue, TranslationNotes) {
    var notes = TranslationNotes()
    let target = WireSamples.target(provider, "m", ProviderOptions(options))
    return (try format.writeRequest(request, for: target, &notes), notes)
  }

  // MARK: Gemini

  @Test func geminiClientsMaySpellEitherWay() throws {
    let (request, notes) = try read(
      GeminiChat.self,
      #"""
      {"system_instruction":{"parts":[{"text":"s"}]},"contents":[{"parts":[{"text":"a"},
       {"inline_data":{"mime_type":"image/png","data":"-_-_-w"}}]}],
       "generation_config":{"max_output_tokens":5,"top_p":0.5,"thinking_config":{"thinking_budget":0},
        "response_mime_type":"application/json",
        "response_schema":{"type":"OBJECT","properties":{"snake_case":{"type":"STRING","nullable":true}}}},
       "tools":[{"function_declarations":[{"name":"f","parameters":{"type":"OBJECT","properties":{"a_b":{"type":"INTEGER"}}}}]}],
       "tool_config":{"function_calling_config":{"mode":"any","allowed_function_names":["f"]}},
       "safety_settings":[],"labels":{"a":"b"}}
      """#)
    #expect(request.messages.first == ChatMessage(.system, text: "s"))
    #expect(request.messages.last?.parts.last == .image(Media(type: "image/png", source: .base64("+/+/+w=="))))
    #expect(request.maxOutputTokens == 5 && request.sampling.topP == 0.5)
    #expect(request.reasoning?.effort == Reasoning.Effort.none)
    #expect(request.toolChoice == .tool("f"))
    guard case .schema(_, let schema, _) = request.responseFormat else { return #expect(Bool(false)) }
    #expect(schema.jsonText == #"{"type":"object","properties":{"snake_case":{"type":["string","null"]}}}"#)
    #expect(request.tools[0].parameters?["properties"]?["a_b"]?["type"] == .string("integer"))
    #expect(notes.dropped == ["safetySettings", "labels"])
  }

  @Test func geminiSafetySettingsComeFromThePool() throws {
    let request = ChatRequest(model: "m", messages: [ChatMessage(.user, text: "a")])
    let options: [String: ProviderOptions.Value] = [
      "safety_settings": .textMap(["harassment": "block_none", "HARM_CATEGORY_HATE_SPEECH": "OFF"])
    ]
    let (body, _) = try write(GeminiChat.self, request, .gemini, options)
    #expect(
      body["safetySettings"]?.jsonText
        == #"[{"category":"HARM_CATEGORY_HATE_SPEECH","threshold":"OFF"},{"category":"HARM_CATEGORY_HARASSMENT","threshold":"BLOCK_NONE"}]"#
    )
    #expect(try write(GeminiChat.self, request, .gemini).0["safetySettings"] == nil)
  }

  @Test("signatures travel in ids and back", arguments: ["c2lnLTE=", "a+b/c+d/", "YQ=="])
  func signedIDs(_ signature: String) {
    let joined = SignedCallID.join("fc-1", signature)
    #expect(joined.utf8.allSatisfy { $0 != 0x2B && $0 != 0x2F && $0 != 0x3D })
    #expect(SignedCallID.split(joined) == ("fc-1", signature))
  }

  @Test func signaturesThatCannotTravelAreLeftOut() {
    #expect(SignedCallID.join("a", nil) == "a")
    #expect(SignedCallID.join("a", "no base64!") == "a")
    #expect(SignedCallID.join("a", String(repeating: "A", count: SignedCallID.limit + 4)) == "a")
    #expect(SignedCallID.split("plain") == ("plain", nil))
    #expect(SignedCallID.split("x--ts-") == ("x--ts-", nil))
    #expect(SignedCallID.split("x--ts-!!") == ("x--ts-!!", nil))
  }

  @Test func aSignatureComesBackToGeminiThroughAClientWithoutAPlaceForIt() throws {
    let body = try WireSamples.json("gemini/generate-tools.response.json")
    let answer = try GeminiChat.readAnswer(body)
    let shown = OllamaChat.writeAnswer(answer, WireSamples.reply)
    let calls = try #require(shown["message"]?["tool_calls"])
    let next = JSONValue.object([
      JSONMember(
        name: "messages",
        value: .array([
          .object([
            JSONMember(name: "role", value: .string("assistant")), JSONMember(name: "tool_calls", value: calls),
          ])
        ]))
    ])
    var notes = TranslationNotes()
    let request = try OllamaChat.readRequest(next, model: "m", streams: false, &notes)
    let (written, _) = try write(GeminiChat.self, request, .gemini)
    let parts = try #require(written["contents"]?.array?.last?["parts"]?.array)
    #expect(parts[0]["thoughtSignature"] == .string("c2lnLTE="))
    #expect(parts[0]["functionCall"]?["id"] == .string("fc-1"))
    #expect(parts[1]["thoughtSignature"] == nil)
  }

  @Test func geminiCallsWithoutIDsAreMatchedByNameAndOrder() throws {
    let (request, _) = try read(
      GeminiChat.self,
      #"""
      {"contents":[{"role":"user","parts":[{"text":"?"}]},
       {"role":"model","parts":[{"functionCall":{"name":"f","args":{"a":1}}},{"functionCall":{"name":"f","args":{"a":2}}}]},
       {"role":"user","parts":[{"text":"and"},{"functionResponse":{"name":"f","response":{"output":"x"}}},
        {"functionResponse":{"name":"f","response":{"error":"bad"}}}]}]}
      """#)
    #expect(request.messages.map(\.role) == [.user, .assistant, .tool, .user])
    let ids = request.messages[1].toolCalls.map(\.id)
    #expect(Set(ids).count == 2)
    #expect(
      request.messages[2].parts == [
        .toolResult(ToolResult(callID: ids[0], name: "f", content: [.text("x")])),
        .toolResult(ToolResult(callID: ids[1], name: "f", content: [.text("bad")], isError: true)),
      ])
    #expect(throws: TranslationRefusal.self) {
      try read(GeminiChat.self, #"{"contents":[{"parts":[{"functionResponse":{"name":"g","response":{}}}]}]}"#)
    }
  }

  @Test(
    "what Gemini alone can do is refused",
    arguments: [
      #"{"contents":[{"parts":[{"text":"a"}]}],"cachedContent":"cachedContents/1"}"#,
      #"{"contents":[{"parts":[{"text":"a"}]}],"tools":[{"googleSearch":{}}]}"#,
      #"{"contents":[{"parts":[{"text":"a"}]}],"generationConfig":{"candidateCount":2}}"#,
      #"{"contents":[{"parts":[{"text":"a"}]}],"generationConfig":{"responseModalities":["AUDIO"]}}"#,
      #"{"contents":[{"parts":[{"text":"a"}]}],"generationConfig":{"responseMimeType":"text/x.enum"}}"#,
      #"{"contents":[]}"#, #"{"contents":[{"role":"tool","parts":[]}]}"#,
      #"{"contents":[{"parts":[{"inlineData":{"mimeType":"image/png","data":"*"}}]}]}"#,
    ])
  func geminiRefusals(_ text: String) {
    let refusal = #expect(throws: TranslationRefusal.self) { try read(GeminiChat.self, text) }
    #expect(refusal?.field != nil)
  }

  @Test func toolNamesThatGeminiDoesNotTakeComeBack() throws {
    var request = ChatRequest(model: "m", messages: [ChatMessage(.user, text: "a")])
    request.tools = [ToolDefinition(name: "9 lives!"), ToolDefinition(name: "plain")]
    request.toolChoice = .among(["9 lives!"], required: true)
    let (body, notes) = try write(GeminiChat.self, request, .gemini)
    let names = body["tools"]?.array?.first?["functionDeclarations"]?.array?.compactMap { $0["name"]?.string } ?? []
    #expect(names.count == 2 && names[1] == "plain")
    #expect(names[0].utf8.allSatisfy { $0 != 0x20 && $0 != 0x21 } && names[0].hasPrefix("_9_lives_"))
    #expect(notes.toolNames == [names[0]: "9 lives!"])
    let allowed = body["toolConfig"]?["functionCallingConfig"]?["allowedFunctionNames"]
    #expect(allowed == .array([.string(names[0])]))
  }

  @Test func geminiStreamsAreEventsWithCRLFOrOneArray() throws {
    let events = try WireSamples.stream(GeminiChat.self, WireFormatTests.deltas)
    let text = String(decoding: events, as: UTF8.self)
    #expect(text.hasSuffix("\r\n\r\n") && !text.replacing("\r\n", with: "").contains("\n"))
    var writer = GeminiStreamWriter(WireSamples.reply, form: .array)
    var out: [UInt8] = []
    for delta in WireFormatTests.deltas { try writer.write(delta, to: &out) }
    let items = try #require(try JSONReader.read(out).array)
    #expect(items.last?["candidates"]?.array?.first?["finishReason"] == .string("STOP"))
    #expect(items.last?["usageMetadata"]?["totalTokenCount"] == .int(165))
  }

  @Test func geminiTakesNoURLsButItsOwn() throws {
    func request(_ url: String) -> ChatRequest {
      ChatRequest(model: "m", messages: [ChatMessage(.user, [.image(Media(type: "", source: .url(url)))])])
    }
    #expect(throws: TranslationRefusal.self) { try write(GeminiChat.self, request("https://a.example/x.png"), .gemini) }
    let (body, _) = try write(GeminiChat.self, request("gs://bucket/x.png"), .gemini)
    #expect(body["contents"]?.jsonText.contains(#""fileUri":"gs://bucket/x.png""#) == true)
  }

  // MARK: Pending calls

  @Test("arguments that never end are refused", arguments: [GeminiChat.self, OllamaChat.self] as [any ChatFormat.Type])
  func endlessArguments(_ format: any ChatFormat.Type) throws {
    var deltas: [ChatDelta] = [.toolCall(index: 0, id: "a", name: "f", signature: nil)]
    deltas += Array(repeating: .toolArguments(index: 0, String(repeating: "x", count: 1 << 20)), count: 5)
    #expect(throws: UnreadableAnswer.self) { try WireSamples.stream(format, deltas) }
    #expect(throws: UnreadableAnswer.self) { try WireSamples.stream(format, [.toolArguments(index: 3, "{}")]) }
  }

  // MARK: Cohere

  @Test func cohereRefusesWhatItCannotDo() throws {
    let prefill = ChatRequest(
      model: "m", messages: [ChatMessage(.user, text: "a"), ChatMessage(.assistant, text: "b")])
    #expect(throws: TranslationRefusal.self) { try write(CohereChat.self, prefill, .cohere) }
    #expect(throws: TranslationRefusal.self) {
      try read(CohereChat.self, #"{"messages":[{"role":"user","content":"a"}],"documents":["d"]}"#)
    }
    var clamped = ChatRequest(model: "m", messages: [ChatMessage(.user, text: "a")])
    clamped.sampling.topP = 1
    clamped.sampling.frequencyPenalty = -2
    let (body, _) = try write(CohereChat.self, clamped, .cohere)
    #expect(body["p"] == .double(0.99) && body["frequency_penalty"] == .int(0))
  }

  // MARK: Ollama

  @Test(
    arguments: [
      // By name, by order alone, by an id that only the results have, by ids on both sides.
      ("", #""tool_name":"f""#, #""tool_name":"g""#), ("", #""images":[]"#, #""name":"g""#),
      ("", #""tool_call_id":"c1""#, #""tool_call_id":"c2""#),
      (#""id":"c1","#, #""tool_call_id":"c1""#, #""tool_call_id":"c2""#),
    ])
  func ollamaResultsFindTheirCalls(id: String, first: String, second: String) throws {
    let (request, _) = try read(
      OllamaChat.self,
      #"{"model":"m","messages":[{"role":"user","content":"q"},{"role":"assistant","content":"","images":[],"tool_calls":["#
        + #"{\#(id)"function":{"name":"f","arguments":{}}},{"function":{"name":"g","arguments":{}}}]},"#
        + #"{"role":"tool","content":"1",\#(first)},{"role":"tool","content":"2",\#(second)}]}"#)
    let calls = request.messages.flatMap(\.toolCalls)
    let results = request.messages.flatMap(\.parts).compactMap { part -> ToolResult? in
      if case .toolResult(let result) = part { result } else { nil }
    }
    #expect(calls.map(\.name) == ["f", "g"])
    #expect(results.map(\.callID) == calls.map(\.id))
    #expect(results.map(\.text) == ["1", "2"])
  }

  @Test func ollamaResultsThatNameNoOpenToolAreRefused() {
    let call = #"{"role":"assistant","content":"","tool_calls":[{"function":{"name":"f","arguments":{}}}]}"#
    #expect(throws: TranslationRefusal.self) {
      try read(OllamaChat.self, #"{"model":"m","messages":[\#(call),{"role":"tool","content":"1","tool_name":"g"}]}"#)
    }
  }

  @Test func ollamaGenerateIsAChatOfOneMessage() throws {
    let (request, notes) = try read(
      OllamaGenerate.self,
      #"{"model":"m","prompt":"hi","system":"s","format":"json","options":{"num_ctx":9},"keep_alive":5}"#)
    #expect(request.messages == [ChatMessage(.system, text: "s"), ChatMessage(.user, text: "hi")])
    #expect(request.responseFormat == .json)
    #expect(notes.dropped == ["keep_alive", "options.num_ctx"])
    for text in [#"{"prompt":"a","raw":true}"#, #"{"prompt":"a","context":[1]}"#, #"{"prompt":""}"#] {
      #expect(throws: TranslationRefusal.self) { try read(OllamaGenerate.self, text) }
    }
    let lines = String(decoding: try WireSamples.stream(OllamaGenerate.self, WireFormatTests.deltas), as: UTF8.self)
    let last = try JSONReader.read(Array(lines.split(separator: "\n").last.map(String.init)?.utf8 ?? "".utf8))
    #expect(last["done"] == .bool(true) && last["response"] == .string("") && last["eval_count"] == .int(75))
  }

  @Test func ollamaOptionsOfThePool() throws {
    let request = ChatRequest(model: "m", messages: [ChatMessage(.user, text: "a")])
    let (body, _) = try write(
      OllamaChat.self, request, .local,
      ["truncate": .flag(false), "num_ctx": .integer(4096), "keep_alive": .text("5m")])
    #expect(body["truncate"] == .bool(false) && body["keep_alive"] == .string("5m"))
    #expect(body["options"]?["num_ctx"] == .int(4096))
  }

  // MARK: Embeddings

  struct Embedding: Sendable, CustomTestStringConvertible {
    var name: String
    var format: any EmbeddingFormat.Type
    var operation: SluiceDialects.Operation
    var request: String
    var response: String
    var count: Int
    var testDescription: String { name }
  }

  static let embeddings: [Embedding] = [
    Embedding(
      name: "gemini", format: GeminiEmbeddings.self, operation: .batchEmbedContents,
      request: "gemini/batch-embed.request.json", response: "gemini/batch-embed.response.json", count: 2),
    Embedding(
      name: "cohere", format: CohereEmbeddings.self, operation: .cohereEmbed, request: "cohere/embed.request.json",
      response: "cohere/embed.response.json", count: 1),
    Embedding(
      name: "ollama", format: OllamaEmbeddings.self, operation: .ollamaEmbed, request: "ollama/embed.request.json",
      response: "ollama/embed.response.json", count: 2),
  ]

  @Test("embeddings both ways", arguments: embeddings)
  func embedding(_ one: Embedding) throws {
    let body = try WireSamples.json(one.request)
    var notes = TranslationNotes()
    let request = try one.format.readRequest(body, model: "m", one.operation, &notes)
    #expect(request.inputs.first == .text("hello") && request.inputs.count == one.count)
    let target = WireSamples.target(.gemini, body["model"]?.string ?? "gemini-embedding-001")
    let written = try one.format.writeRequest(request, for: target, &notes)
    let again = try one.format.readRequest(written, model: "m", one.operation, &notes)
    #expect(again == request)
    let answer = try one.format.readAnswer(try WireSamples.json(one.response))
    #expect(answer.vectors.count == one.count && answer.vectors.first?.prefix(2) == [0.1, -0.2])
    let shown = one.format.writeAnswer(answer, request, WireSamples.reply)
    #expect(try one.format.readAnswer(shown).vectors == answer.vectors)
    #expect(shown.jsonText.contains("[0.1,-0.2"))
    #expect(throws: TranslationRefusal.self) {
      try one.format.writeRequest(EmbeddingRequest(model: "m", inputs: [.tokens([1])]), for: target, &notes)
    }
  }

  @Test func oneTextIsAnsweredWithOneVector() throws {
    var notes = TranslationNotes()
    let body = try JSONReader.read(
      Array(#"{"content":{"parts":[{"text":"a"}]},"taskType":"RETRIEVAL_QUERY","output_dimensionality":3}"#.utf8))
    let request = try GeminiEmbeddings.readRequest(body, model: "m", .embedContent, &notes)
    #expect(request.isSingle && request.purpose == .query && request.dimensions == 3)
    let shown = GeminiEmbeddings.writeAnswer(EmbeddingAnswer(vectors: [[0.5]]), request, WireSamples.reply)
    #expect(shown.jsonText == #"{"embedding":{"values":[0.5]}}"#)
  }

  @Test func cohereEmbedsSoManyTextsAtOnce() throws {
    var notes = TranslationNotes()
    let many = EmbeddingRequest(model: "m", inputs: Array(repeating: .text("a"), count: 97))
    #expect(throws: TranslationRefusal.self) {
      try CohereEmbeddings.writeRequest(many, for: WireSamples.target(.cohere, "e"), &notes)
    }
    let options = ProviderOptions(["input_type": .text("search_query")])
    let one = EmbeddingRequest(model: "m", inputs: [.text("a")])
    let body = try CohereEmbeddings.writeRequest(one, for: WireSamples.target(.cohere, "e", options), &notes)
    #expect(body["input_type"] == .string("search_query"))
  }
}
