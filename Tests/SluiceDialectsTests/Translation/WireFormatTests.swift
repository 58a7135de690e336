import SluiceDialects
import SluicePolicy
import Testing

/// The samples and golden pairs of Gemini, Cohere, Ollama and Bedrock against their readers and writers.
@Suite("Wire formats")
struct WireFormatTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var format: any ChatFormat.Type
    var provider: Provider
    var framing: StreamFraming
    var testDescription: String { name }
  }

  static let cases: [Case] = [
    Case(name: "gemini", format: GeminiChat.self, provider: .gemini, framing: .serverSentEvents),
    Case(name: "cohere", format: CohereChat.self, provider: .cohere, framing: .serverSentEvents),
    Case(name: "ollama", format: OllamaChat.self, provider: .local, framing: .lines),
    Case(name: "bedrock", format: ConverseChat.self, provider: .bedrock, framing: .awsEventStream),
  ]

  // MARK: Requests

  @Test("golden requests", arguments: cases, ["a", "b", "c"])
  func golden(_ one: Case, _ name: String) throws {
    let expected = try WireSamples.json("translation/\(name).\(one.name).json")
    var notes = TranslationNotes()
    let model = expected["model"]?.string ?? "m"
    let written = try one.format.writeRequest(
      GoldenRequest.named(name), for: WireSamples.target(one.provider, model), &notes)
    #expect(WireSamples.canonical(written).jsonText == WireSamples.canonical(expected).jsonText)
    #expect(notes.dropped == (name == "a" ? one.dropped : []))
  }

  @Test("golden requests read and written again are the same", arguments: cases, ["a", "b", "c"])
  func roundTrip(_ one: Case, _ name: String) throws {
    let expected = try WireSamples.json("translation/\(name).\(one.name).json")
    var notes = TranslationNotes()
    let model = expected["model"]?.string ?? "m"
    let request = try one.format.readRequest(expected, model: model, streams: false, &notes)
    var again = TranslationNotes()
    let written = try one.format.writeRequest(request, for: WireSamples.target(one.provider, model), &again)
    #expect(WireSamples.canonical(written).jsonText == WireSamples.canonical(expected).jsonText)
    #expect(notes.dropped.isEmpty && again.dropped.isEmpty)
  }

  @Test("sample requests are read", arguments: cases)
  func sampleRequests(_ one: Case) throws {
    for file in try Fixture.names(one.name, where: { $0.hasSuffix(".request.json") && one.isChat($0) }) {
      let body = try WireSamples.json("\(one.name)/\(file)")
      var notes = TranslationNotes()
      let request = try one.format.readRequest(body, model: "m", streams: true, &notes)
      #expect(!request.messages.isEmpty, "\(file)")
      #expect(request.streams && request.includesUsage, "\(file)")
      let isToolFile = file.contains("tool")
      #expect(request.messages.contains { !$0.toolCalls.isEmpty } == file.contains("tool-results"), "\(file)")
      if isToolFile, one.name != "ollama" || file.contains("tools") { #expect(request.tools.count == 1, "\(file)") }
    }
  }

  @Test("wrong types are refused with their place", arguments: cases)
  func wrongTypes(_ one: Case) throws {
    for name in ["a", "b", "c"] {
      let body = try WireSamples.json("translation/\(name).\(one.name).json")
      for member in body.members ?? [] where member.name != "model" && member.name != "stream" {
        var members = body.members ?? []
        members.removeAll { $0.name == member.name }
        let wrong: JSONValue = member.value.double == nil ? .int(7) : .string("x")
        members.append(JSONMember(name: member.name, value: wrong))
        let refusal = #expect(throws: TranslationRefusal.self, "\(member.name)") {
          var notes = TranslationNotes()
          _ = try one.format.readRequest(.object(members), model: "m", streams: false, &notes)
        }
        #expect(refusal?.field?.hasPrefix(member.name) == true, "\(member.name): \(refusal?.field ?? "-")")
      }
    }
  }

  // MARK: Answers

  @Test("expected views", arguments: cases)
  func views(_ one: Case) throws {
    let views = try WireSamples.json("translation/expected-openai-view.json").members ?? []
    let own = views.filter { $0.name.hasPrefix(one.name + "/") }
    #expect(own.count >= 5)
    for view in own { try check(view.name, view.value, one) }
  }

  private func check(_ file: String, _ view: JSONValue, _ one: Case) throws {
    let reason = view["finish_reason"]?.string ?? ""
    if file.hasSuffix(".json") {
      let body = try WireSamples.json(file)
      if reason.hasPrefix("error:") {
        #expect(throws: UnreadableAnswer.self, "\(file)") { try one.format.readAnswer(body) }
        return
      }
      compare(ReadAnswer(try one.format.readAnswer(body)), view, file)
    } else {
      let bytes = try Fixture.bytes(file)
      let whole = ReadAnswer(try WireSamples.deltas(one.format, one.framing, bytes))
      for piece in [1, 7, 64] {
        #expect(ReadAnswer(try WireSamples.deltas(one.format, one.framing, bytes, piece: piece)) == whole, "\(file)")
      }
      if reason.hasPrefix("error:") {
        #expect(whole.failure != nil && !whole.hasEnded, "\(file)")
      } else {
        #expect(whole.hasEnded, "\(file)")
        compare(whole, view, file)
      }
    }
  }

  private func compare(_ answer: ReadAnswer, _ view: JSONValue, _ file: String) {
    #expect(answer.text == view["content"]?.string ?? "", "\(file)")
    #expect(answer.reasoning == view["reasoning_content"]?.string ?? "", "\(file)")
    let reasons: [FinishReason: String] = [
      .stop: "stop", .length: "length", .toolUse: "tool_calls", .contentFilter: "content_filter",
    ]
    #expect(answer.finish.flatMap { reasons[$0] } == view["finish_reason"]?.string, "\(file)")
    let calls = view["tool_calls"]?.array ?? []
    #expect(answer.calls.count == calls.count, "\(file)")
    for (call, expected) in zip(answer.calls, calls) {
      if let id = expected["id"]?.string { #expect(call.id == id, "\(file)") } else { #expect(!call.id.isEmpty) }
      #expect(call.name == expected["name"]?.string, "\(file)")
      #expect(ToolArguments.object(call.arguments) == expected["arguments"], "\(file)")
    }
    let usage = view["usage"]
    #expect(answer.usage?.input == usage?["prompt_tokens"]?.int, "\(file)")
    #expect(answer.usage?.output == usage?["completion_tokens"]?.int, "\(file)")
    #expect(answer.usage?.total == usage?["total_tokens"]?.int, "\(file)")
    #expect(answer.usage?.cachedInput == usage?["cached_tokens"]?.int ?? 0, "\(file)")
    #expect(answer.usage?.cacheWrite == usage?["cache_write_tokens"]?.int ?? 0, "\(file)")
    #expect(answer.usage?.reasoning == usage?["reasoning_tokens"]?.int ?? 0, "\(file)")
  }

  // MARK: Both ways

  static let answer = ChatAnswer(
    id: "x1", model: "up",
    parts: [
      .reasoning(ReasoningPart("let me see")), .text("Checking \"both\"\n"),
      .toolCall(ToolCall(id: "fc-1", name: "get_weather", arguments: #"{"city":"Paris"}"#)),
      .toolCall(ToolCall(id: "fc-2", name: "get_weather", arguments: #"{"city":"Oslo"}"#)),
    ], finish: .toolUse, usage: TokenUsage(input: 90, output: 75))

  @Test("an answer written for a client is read again", arguments: cases)
  func answers(_ one: Case) throws {
    let document = one.format.writeAnswer(Self.answer, WireSamples.reply)
    let text = try JSONReader.read(Array(document.jsonText.utf8))
    let read = ReadAnswer(try one.format.readAnswer(text))
    #expect(read == ReadAnswer(Self.answer))
    for finish in [FinishReason.stop, .length] {
      let short = ChatAnswer(parts: [.text("a")], finish: finish, usage: TokenUsage(input: 1, output: 2))
      #expect(try one.format.readAnswer(one.format.writeAnswer(short, WireSamples.reply)).finish == finish)
    }
  }

  static let deltas: [ChatDelta] = [
    .start(id: "x1", model: "up"), .reasoning("let "), .reasoning("me see"), .text("Checking "), .text("\"both\"\n"),
    .toolCall(index: 0, id: "fc-1", name: "get_weather", signature: nil), .toolArguments(index: 0, #"{"city""#),
    .toolCall(index: 1, id: "fc-2", name: "get_weather", signature: nil), .toolArguments(index: 1, #"{"city":"#),
    .toolArguments(index: 0, #":"Paris"}"#), .toolArguments(index: 1, #""Oslo"}"#),
    .finish(.toolUse, stopSequence: nil), .usage(TokenUsage(input: 90, output: 75)), .end,
  ]

  @Test("a stream written for a client is read again, calls interleaved", arguments: cases)
  func streams(_ one: Case) throws {
    let bytes = try WireSamples.stream(one.format, Self.deltas)
    for piece in [1, 13, bytes.count] {
      let read = try WireSamples.deltas(one.format, one.framing, bytes, piece: piece)
      #expect(ReadAnswer(read) == ReadAnswer(Self.answer))
    }
  }

  @Test("a stream without its end is not taken for whole", arguments: cases)
  func cutStreams(_ one: Case) throws {
    for delta in Self.deltas.indices.dropLast() {
      let bytes = try WireSamples.stream(one.format, Array(Self.deltas.prefix(delta)))
      #expect(!ReadAnswer(try WireSamples.deltas(one.format, one.framing, bytes)).hasEnded, "\(delta)")
    }
  }

  @Test("errors in the middle of a client's stream are failures to its reader", arguments: cases)
  func brokenStreams(_ one: Case) throws {
    let failure = ProviderFailure(.overloaded, reach: .endpoint, status: 200, message: "too busy")
    let bytes = try WireSamples.stream(one.format, Array(Self.deltas.prefix(4)) + [.failure(failure)])
    let read = ReadAnswer(try WireSamples.deltas(one.format, one.framing, bytes))
    #expect(read.failure != nil)
    #expect(!read.hasEnded)
  }

  // MARK: Hostile input

  @Test("damaged documents and streams end cleanly", arguments: cases, 0..<3 as Range<UInt64>)
  func damage(_ one: Case, _ seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    for name in try Fixture.names(one.name, where: { !$0.hasSuffix(".hex") }) {
      let original = try Fixture.bytes("\(one.name)/\(name)")
      for _ in 0..<40 {
        let bytes = MutationTests.mutated(original, &random)
        _ = try? WireSamples.deltas(one.format, one.framing, bytes, piece: Int(random.next() % 60) + 1)
        guard let value = try? JSONReader.read(bytes) else { continue }
        _ = try? one.format.readAnswer(value)
        var notes = TranslationNotes()
        if let request = try? one.format.readRequest(value, model: "m", streams: false, &notes) {
          _ = try? one.format.writeRequest(request, for: WireSamples.target(one.provider, "m"), &notes)
        }
      }
    }
  }

  @Test("a stream cut at any byte ends cleanly", arguments: cases)
  func cutAnywhere(_ one: Case) throws {
    let bytes = try WireSamples.stream(one.format, Self.deltas)
    for length in 0..<bytes.count {
      let read = (try? WireSamples.deltas(one.format, one.framing, Array(bytes.prefix(length)))).map { ReadAnswer($0) }
      // Converse's stream is whole with its stop, before the usage.
      if let read, read.hasEnded { #expect(length > bytes.count - (one.name == "bedrock" ? 400 : 40), "\(length)") }
    }
  }
}

extension WireFormatTests.Case {
  /// What request `a` asks for beyond what the provider knows.
  var dropped: [String] { ["parallel_tool_calls"] + (name == "bedrock" ? ["seed"] : []) }

  func isChat(_ file: String) -> Bool {
    file.hasPrefix("chat") || file.hasPrefix("generate") || file.hasPrefix("converse")
  }
}
