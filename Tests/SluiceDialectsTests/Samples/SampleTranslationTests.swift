import SluiceDialects
import SluicePolicy
import Testing

/// Every sample that is about chat or embeddings goes to every provider and comes back to every client.
@Suite("Samples, translated")
struct SampleTranslationTests {
  static let dialects = Provider.allCases.compactMap { provider in
    try? ProviderDialect(provider, options: ProviderOptions(provider == .local ? ["server": .text("ollama")] : [:]))
  }

  // MARK: Requests

  /// Models that the provider of the request's hub form takes: Bedrock tells embedding models by name.
  private static func model(_ provider: Provider, _ operation: SluiceDialects.Operation) -> String {
    provider == .bedrock && operation.task == .embeddings ? "cohere.embed-english-v3" : "m"
  }

  static func translate(_ sample: Sample, _ dialect: ProviderDialect) throws -> Translation {
    try sample.bytes.withSlice { body in
      Result {
        try Translation(
          sample.source(body), to: dialect,
          ChatTarget(
            provider: dialect.provider, model: model(dialect.provider, sample.operation), options: dialect.options),
          reply: WireSamples.reply)
      }
    }.get()
  }

  /// What cannot be carried, each for a reason of the target's protocol; see the table of field mappings.
  static let refused: [String: [Provider]] = [:]

  @Test(
    "requests reach every provider, or are refused for a reason", arguments: SampleTests.samples.filter(\.isRequest))
  func requests(_ sample: Sample) throws {
    for dialect in Self.dialects where Translation.exists(from: sample.operation, to: dialect) {
      let isRefused = Self.refused[sample.path]?.contains(dialect.provider) == true
      do {
        let translation = try Self.translate(sample, dialect)
        #expect(!isRefused, "\(dialect.provider)")
        try compare(sample, translation, dialect)
      } catch let refusal as TranslationRefusal {
        #expect(isRefused, "\(dialect.provider): \(refusal.message)")
        #expect(!refusal.message.isEmpty)
      }
    }
  }

  /// What was written says the same when it is read as a client's request of that protocol.
  private func compare(_ sample: Sample, _ translation: Translation, _ dialect: ProviderDialect) throws {
    let written = try JSONReader.read(translation.body)
    let original = try JSONReader.read(sample.bytes)
    var notes = TranslationNotes()
    if let from = sample.operation.chatFormat, let to = translation.operation.chatFormat {
      let first = try from.readRequest(original, model: "m", streams: false, &notes)
      let second = try to.readRequest(written, model: "m", streams: false, &notes)
      #expect(Self.words(first) == Self.words(second), "\(dialect.provider)")
      // Bedrock wants the definition of every tool that the history speaks of.
      let spoken = dialect.provider == .bedrock ? Set(first.messages.flatMap(\.toolCalls).map(\.name)).count : 0
      #expect(second.tools.count == max(first.tools.count, spoken), "\(dialect.provider)")
      let calls = { (request: ChatRequest) in
        request.messages.flatMap(\.toolCalls).map { ToolArguments.object($0.arguments) }
      }
      #expect(calls(first) == calls(second), "\(dialect.provider)")
    } else if let from = sample.operation.embeddingFormat, let to = translation.operation.embeddingFormat {
      let first = try from.readRequest(original, model: "m", sample.operation, &notes)
      let second = try to.readRequest(written, model: "m", translation.operation, &notes)
      #expect(first.inputs == second.inputs, "\(dialect.provider)")
    } else {
      Issue.record("\(sample.path) to \(dialect.provider) has no format")
    }
  }

  /// Everything that was said, whoever said it, without what only separates.
  private static func words(_ request: ChatRequest) -> Set<String> {
    var words: Set<String> = []
    for message in request.messages {
      for part in message.parts {
        switch part {
        case .text(let text): words.formUnion(text.split(whereSeparator: \.isWhitespace).map(String.init))
        case .image(let media): words.insert("image \(media.type)")
        default: break
        }
      }
    }
    return words
  }

  // MARK: Answers

  static let clients: [SluiceDialects.Operation] = [
    .chat, .completions, .responses, .messages, .generateContent, .streamGenerateContent, .streamGenerateArray,
    .cohereChat,
    .ollamaChat, .ollamaGenerate, .converse, .converseStream,
  ]

  /// How a client's streams are framed.
  private static func framing(_ operation: SluiceDialects.Operation) -> StreamFraming {
    switch operation {
    case .ollamaChat, .ollamaGenerate: .lines
    case .converseStream: .awsEventStream
    case .streamGenerateArray: .jsonArray
    default: .serverSentEvents
    }
  }

  /// A question in the client's own protocol, on its way to the sample's provider.
  private static func question(_ client: SluiceDialects.Operation, _ sample: Sample, streams: Bool) throws
    -> Translation
  {
    let body =
      switch client {
      case .completions, .ollamaGenerate: #"{"model":"m","prompt":"hi"}"#
      case .responses: #"{"model":"m","input":"hi"}"#
      case .generateContent, .streamGenerateContent, .streamGenerateArray:
        #"{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}"#
      case .converse, .converseStream: #"{"messages":[{"role":"user","content":[{"text":"hi"}]}]}"#
      case .messages: #"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}"#
      default: #"{"model":"m","messages":[{"role":"user","content":"hi"}]}"#
      }
    return try withBytes(body) { bytes in
      Result {
        try Translation(
          Translation.Source(client, body: bytes, model: "m", streams: streams), to: sample.dialect,
          ChatTarget(provider: sample.provider, model: "m", options: sample.dialect.options), reply: WireSamples.reply)
      }
    }.get()
  }

  /// Text and calls; those who complete a text have no word for calls.
  private static func text(_ answer: ReadAnswer, for client: SluiceDialects.Operation) -> [String] {
    guard client != .ollamaGenerate, client != .completions else { return [answer.text] }
    return [answer.text] + answer.calls.flatMap { [$0.name, ToolArguments.object($0.arguments).jsonText] }
  }

  @Test(
    "answers reach every client",
    arguments: SampleTests.samples.filter { $0.isAnswer && $0.isTranslated(streams: false) }, clients)
  func answers(_ sample: Sample, _ client: SluiceDialects.Operation) throws {
    guard sample.operation.task == .chat, let own = sample.operation.providerChatFormat else { return }
    let bytes = try sample.bytes
    let translation = try Self.question(client, sample, streams: false)
    let written = { try bytes.withSlice { body in Result { try translation.answer(body) } }.get() }
    guard let original = try? ReadAnswer(own.readAnswer(JSONReader.read(bytes))) else {
      // The model's own output makes no sense.
      #expect(sample.path.contains("malformed"))
      #expect(throws: UnreadableAnswer.self) { try written() }
      return
    }
    let document = try JSONReader.read(try written())
    guard let format = client.providerChatFormat else {
      let text = JSONValue.string(original.text).jsonText.dropFirst().dropLast()
      return #expect(document.jsonText.contains(text), "\(document.jsonText)")
    }
    let read = ReadAnswer(try format.readAnswer(document))
    #expect(Self.text(read, for: client) == Self.text(original, for: client))
    #expect(read.usage?.output == original.usage?.output || original.usage == nil)
  }

  // MARK: Streams

  @Test(
    "streams reach every client",
    arguments: SampleTests.samples.filter { $0.isStream && $0.isTranslated(streams: true) }, clients)
  func streams(_ sample: Sample, _ client: SluiceDialects.Operation) throws {
    guard let own = sample.operation.chatFormat as? any ChatFormat.Type, client.streaming != .never else { return }
    let bytes = try sample.bytes
    let framing = sample.dialect.framing(sample.operation)
    let original = ReadAnswer(try WireSamples.deltas(own, framing, bytes))
    for piece in [1, 7, bytes.count] {
      var stream = try #require(try Self.question(client, sample, streams: true).stream(framing))
      var out: [UInt8] = []
      for start in stride(from: 0, to: bytes.count, by: piece) {
        Array(bytes[start..<min(bytes.count, start + piece)]).withSlice { stream.consume($0, into: &out) }
      }
      stream.finish(into: &out)
      #expect(stream.problem == nil && stream.isOver)
      guard let format = client.chatFormat as? any ChatFormat.Type else { continue }
      let read = ReadAnswer(try WireSamples.deltas(format, Self.framing(client), out))
      #expect(Self.text(read, for: client) == Self.text(original, for: client), "in pieces of \(piece)")
      #expect(read.hasEnded == original.hasEnded && (read.failure != nil) == (original.failure != nil))
    }
  }
}
