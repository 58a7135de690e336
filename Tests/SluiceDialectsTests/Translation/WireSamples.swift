import SluiceDialects
import SluicePolicy
import Testing

/// What the tests of the wire formats share: samples, golden requests in hub form, comparison of documents.
enum WireSamples {
  static func json(_ path: String) throws -> JSONValue { try JSONReader.read(try Fixture.bytes(path)) }

  /// The same document with the members of all objects sorted and whole numbers as integers.
  static func canonical(_ value: JSONValue) -> JSONValue {
    switch value {
    case .object(let members):
      .object(
        members.map { JSONMember(name: $0.name, value: canonical($0.value)) }.sorted { $0.name < $1.name })
    case .array(let items): .array(items.map(canonical))
    case .double(let number): Int(exactly: number).map { .int($0) } ?? value
    default: value
    }
  }

  static let reply = ReplyFacts(model: "client-model", id: "gw-1", created: 1_795_246_247)

  static func target(_ provider: Provider, _ model: String, _ options: ProviderOptions = .none) -> ChatTarget {
    ChatTarget(provider: provider, model: model, options: options)
  }

  /// Reads a stream through the framing and the reader, in pieces.
  static func deltas(
    _ format: any ChatFormat.Type, _ framing: StreamFraming, _ bytes: [UInt8], piece: Int = 1 << 20
  ) throws -> [ChatDelta] {
    func read<Format: ChatFormat>(_ format: Format.Type) throws -> [ChatDelta] {
      var framer = EventFramer(framing)
      var reader = Format.StreamReader()
      var deltas: [ChatDelta] = []
      var problem: UnreadableAnswer?
      var start = 0
      while start < bytes.count {
        let end = min(bytes.count, start + piece)
        try Array(bytes[start..<end]).withSlice { slice -> Result<Void, EventFramer.Broken> in
          do throws(EventFramer.Broken) {
            try framer.consume(slice) { name, data in
              do throws(UnreadableAnswer) { try reader.read(event: name, data: data, into: &deltas) } catch {
                problem = problem ?? error
              }
            }
            return .success(())
          } catch {
            return .failure(error)
          }
        }.get()
        start = end
      }
      if let problem { throw problem }
      reader.finish(into: &deltas)
      return deltas
    }
    return try read(format)
  }

  /// Writes deltas as a client of the format gets them.
  static func stream(_ format: any ChatFormat.Type, _ deltas: [ChatDelta]) throws -> [UInt8] {
    func write<Format: ChatFormat>(_ format: Format.Type) throws -> [UInt8] {
      var writer = Format.StreamWriter(reply)
      var out: [UInt8] = []
      for delta in deltas { try writer.write(delta, to: &out) }
      return out
    }
    return try write(format)
  }
}

/// A conversation's answer as the expected views tell it.
struct ReadAnswer: Equatable {
  struct Call: Equatable {
    var id: String
    var name: String
    var arguments: String
    var signature: String?
  }

  var text = ""
  var reasoning = ""
  var calls: [Call] = []
  var finish: FinishReason?
  var usage: TokenUsage?
  var failure: FailureClass?
  var hasEnded = false

  init(_ answer: ChatAnswer) {
    for part in answer.parts {
      switch part {
      case .text(let piece), .refusal(let piece): text += piece
      case .reasoning(let thought): if !thought.isRedacted { reasoning += thought.text }
      case .toolCall(let call):
        calls.append(Call(id: call.id, name: call.name, arguments: call.arguments, signature: call.signature))
      default: break
      }
    }
    finish = answer.finish
    usage = answer.usage
    hasEnded = true
  }

  init(_ deltas: [ChatDelta]) {
    for delta in deltas {
      switch delta {
      case .text(let piece), .refusal(let piece): text += piece
      case .reasoning(let piece): reasoning += piece
      case .toolCall(let index, let id, let name, let signature):
        #expect(index == calls.count)
        calls.append(Call(id: id, name: name, arguments: "", signature: signature))
      case .toolArguments(let index, let piece): calls[index].arguments += piece
      case .finish(let reason, _): finish = reason
      case .usage(let usage): self.usage = usage
      case .failure(let failure): self.failure = failure.failureClass
      case .end: hasEnded = true
      case .start, .reasoningSignature, .redactedReasoning: break
      }
    }
  }
}

/// The golden requests of `translation/{a,b,c}.openai.json` in the hub's form.
enum GoldenRequest {
  private static let picture =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

  static func tool() throws -> ToolDefinition {
    let source = try WireSamples.json("translation/c.openai.json")
    let function = try #require(source["tools"]?.array?.first?["function"])
    return ToolDefinition(
      name: "get_weather", description: "Current weather for a city", parameters: function["parameters"])
  }

  static func named(_ name: String) throws -> ChatRequest {
    switch name {
    case "a": try a()
    case "b": try b()
    default: try c()
    }
  }

  static func a() throws -> ChatRequest {
    var request = ChatRequest(
      model: "m",
      messages: [
        ChatMessage(.system, text: "Be brief."),
        ChatMessage(
          .user,
          [
            .text("Weather where this photo was taken, and in Oslo?"),
            .image(Media(type: "image/png", source: .base64(picture))),
          ]),
        ChatMessage(
          .assistant,
          [
            .text("Looking up both."),
            .toolCall(ToolCall(id: "call_a1", name: "get_weather", arguments: #"{"city":"Paris"}"#)),
            .toolCall(ToolCall(id: "call_b2", name: "get_weather", arguments: #"{"city":"Oslo"}"#)),
          ]),
        ChatMessage(
          .tool,
          [
            .toolResult(ToolResult(callID: "call_a1", name: "get_weather", content: [.text(#"{"temp":18}"#)])),
            .toolResult(ToolResult(callID: "call_b2", name: "get_weather", content: [.text("sensor offline")])),
          ]),
        ChatMessage(.user, text: "Thanks. Sum it up."),
      ])
    request.tools = [try tool()]
    request.toolChoice = .automatic
    request.parallelToolCalls = false
    request.maxOutputTokens = 256
    request.sampling.temperature = 0.2
    request.sampling.topP = 0.9
    request.sampling.seed = 7
    request.stop = ["END"]
    return request
  }

  static func b() throws -> ChatRequest {
    var request = ChatRequest(
      model: "m",
      messages: [
        ChatMessage(.system, text: "Be brief."), ChatMessage(.system, text: "Use integers."),
        ChatMessage(.user, text: "6*7?"),
      ])
    let source = try WireSamples.json("translation/b.openai.json")
    let schema = try #require(source["response_format"]?["json_schema"]?["schema"])
    request.responseFormat = .schema(name: "calc", schema: schema, isStrict: true)
    request.reasoning = Reasoning(effort: .medium)
    request.maxOutputTokens = 2048
    return request
  }

  static func c() throws -> ChatRequest {
    var request = ChatRequest(model: "m", messages: [ChatMessage(.user, text: "Paris?")])
    request.tools = [try tool()]
    request.toolChoice = .tool("get_weather")
    request.maxOutputTokens = 64
    return request
  }
}
