import SluiceDialects
import SluicePolicy
import Testing

/// A provider's stream that breaks anywhere inside a read, carried to clients of every protocol: what was whole arrives
/// before the error.
@Suite("Broken streams, translated")
struct BrokenStreamTests {
  struct Upstream: Sendable, CustomTestStringConvertible {
    var provider: Provider
    var framing: StreamFraming
    /// Before the elements, between them, and the elements with the text each of them brings.
    var opening: [UInt8] = []
    var separator: [UInt8] = []
    var events: [(bytes: [UInt8], text: String)]
    /// An event is whole so many bytes before its end.
    var early = 0
    var testDescription: String { "\(provider.rawValue) as \(framing)" }
  }

  private static let texts = ["alpha", "b}]\"[", "gamma"]

  private static func gemini(_ text: String) -> JSONValue {
    [
      "candidates": [["content": ["role": "model", "parts": [["text": .string(text)]]], "index": 0]],
      "usageMetadata": ["promptTokenCount": 8, "candidatesTokenCount": 2],
    ]
  }

  private static func openAI(_ text: String) -> JSONValue {
    ["id": "c1", "object": "chat.completion.chunk", "choices": [["index": 0, "delta": ["content": .string(text)]]]]
  }

  static let upstreams: [Upstream] = [
    Upstream(
      provider: .gemini, framing: .jsonArray, opening: Array("[".utf8), separator: Array(",\r\n".utf8),
      events: texts.map { (Array(gemini($0).jsonText.utf8), $0) }),
    Upstream(
      provider: .gemini, framing: .serverSentEvents,
      events: texts.map { (Array("data: \(gemini($0).jsonText)\r\n\r\n".utf8), $0) }, early: 1),
    Upstream(
      provider: .openai, framing: .serverSentEvents,
      events: texts.map { (Array("data: \(openAI($0).jsonText)\n\n".utf8), $0) }),
    Upstream(
      provider: .bedrock, framing: .awsEventStream,
      events: texts.map { text in
        let payload: JSONValue = ["contentBlockIndex": 0, "delta": ["text": .string(text)]]
        return (Array(AWSEventStream.event("contentBlockDelta", Array(payload.jsonText.utf8))), text)
      }),
  ]

  /// Who asks, how its stream is framed, and the format that reads it.
  static let clients: [(Operation, StreamFraming, any ChatFormat.Type)] = [
    (.chat, .serverSentEvents, OpenAIChat.self), (.messages, .serverSentEvents, AnthropicChat.self),
    (.streamGenerateContent, .serverSentEvents, GeminiChat.self), (.streamGenerateArray, .jsonArray, GeminiChat.self),
    (.cohereChat, .serverSentEvents, CohereChat.self), (.ollamaChat, .lines, OllamaChat.self),
    (.converseStream, .awsEventStream, ConverseChat.self),
  ]

  private static func translation(_ operation: Operation, _ upstream: Upstream) throws -> Translation {
    let client = try #require(clients.first { $0.0 == operation }?.2)
    var notes = TranslationNotes()
    let request = ChatRequest(model: "m", messages: [ChatMessage(.user, text: "hi")])
    let surface: Provider =
      switch operation {
      case .messages: .anthropic
      case .streamGenerateContent, .streamGenerateArray: .gemini
      case .cohereChat: .cohere
      case .ollamaChat: .local
      case .converseStream: .bedrock
      default: .openai
      }
    let body = Array(
      try client.writeRequest(request, for: ChatTarget(provider: surface, model: "m"), &notes).jsonText.utf8)
    return try body.withSlice { slice in
      Result {
        try Translation(
          Translation.Source(operation, body: slice, model: "m", streams: true),
          to: try ProviderDialect(upstream.provider), ChatTarget(provider: upstream.provider, model: "m"),
          reply: WireSamples.reply)
      }
    }.get()
  }

  @Test("every place, one read or byte by byte", arguments: upstreams, clients.map(\.0))
  func anywhere(_ upstream: Upstream, _ operation: Operation) throws {
    let client = try #require(Self.clients.first { $0.0 == operation })
    var bytes = upstream.opening
    var ends: [Int] = []
    for (index, event) in upstream.events.enumerated() {
      bytes += (index == 0 ? [] : upstream.separator) + event.bytes
      ends.append(bytes.count - upstream.early)
    }
    let translation = try Self.translation(operation, upstream)
    func check(_ stream: StreamTranslation, _ out: [UInt8], _ length: Int) throws {
      var (stream, out) = (stream, out)
      #expect(stream.problem == nil)
      stream.fail(GatewayError(.upstreamBroke), into: &out)
      let read = ReadAnswer(try WireSamples.deltas(client.2, client.1, out))
      #expect(read.text == zip(upstream.events, ends).filter { $0.1 <= length }.map(\.0.text).joined(), "\(length)")
      #expect(read.failure != nil && !read.hasEnded, "\(length)")
    }
    var trickle = try #require(translation.stream(upstream.framing))
    var trickled: [UInt8] = []
    for length in 0...bytes.count {
      if length > 0 { [bytes[length - 1]].withSlice { trickle.consume($0, into: &trickled) } }
      try check(trickle, trickled, length)
      var stream = try #require(translation.stream(upstream.framing))
      var out: [UInt8] = []
      Array(bytes[..<length]).withSlice { stream.consume($0, into: &out) }
      try check(stream, out, length)
    }
  }

  @Test(
    "what stands before damage arrives too", arguments: upstreams.filter { $0.framing == .jsonArray }, clients.map(\.0))
  func damaged(_ upstream: Upstream, _ operation: Operation) throws {
    let client = try #require(Self.clients.first { $0.0 == operation })
    let bytes = upstream.opening + upstream.events[0].bytes + Array(" oops".utf8)
    var stream = try #require(try Self.translation(operation, upstream).stream(upstream.framing))
    var out: [UInt8] = []
    bytes.withSlice { stream.consume($0, into: &out) }
    #expect(stream.problem != nil)
    stream.fail(GatewayError(.upstreamProtocol), into: &out)
    let read = ReadAnswer(try WireSamples.deltas(client.2, client.1, out))
    #expect(read.text == upstream.events[0].text && read.failure != nil)
  }
}
