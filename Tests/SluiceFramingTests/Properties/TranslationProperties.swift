import SluiceDialects
import SluicePolicy

/// Everything that reads a provider's or a client's words: streams of every provider for clients of every protocol,
/// requests, whole answers, error answers, lists, credentials. The first two bytes choose the pair, the rest is what
/// comes: whatever it is, it becomes valid words in the other protocol, a clean refusal or a clean error.
enum TranslationProperties {
  private typealias Operation = SluiceDialects.Operation

  private static let operations: [Operation] = [
    .chat, .messages, .streamGenerateContent, .cohereChat, .ollamaChat, .converseStream, .responses, .completions,
    .ollamaGenerate, .invokeStream,
  ]
  private static let embeddings: [Operation] = [
    .embeddings, .embedContent, .batchEmbedContents, .cohereEmbed, .ollamaEmbed,
  ]
  private static let dialects = Provider.allCases.compactMap { try? ProviderDialect($0) }
  private static let reply = ReplyFacts(model: "asked", id: "id", created: 1_795_246_247)

  /// The two bytes that choose this pair, for seeds.
  package static func prefix(client: Int, provider: Int) -> [UInt8] { [UInt8(client), UInt8(provider)] }

  private static func pair(_ bytes: [UInt8]) -> (operation: Operation, dialect: ProviderDialect, rest: [UInt8])? {
    guard bytes.count > 2, !dialects.isEmpty else { return nil }
    return (
      operations[Int(bytes[0]) % operations.count], dialects[Int(bytes[1]) % dialects.count], Array(bytes.dropFirst(2))
    )
  }

  // MARK: Streams

  /// What became of a stream.
  private struct Outcome: Equatable {
    var out: [UInt8] = []
    var isUnreadable = false
    var isOver = false
    var end = AnswerEnd.complete
    var usage: TokenUsage?
  }

  static func checkStream(_ bytes: [UInt8]) throws(ParserProperty.Violation) {
    guard let (operation, dialect, rest) = pair(bytes) else { return }
    guard let translation = translation(question(operation), operation, dialect) else { return }
    let whole = outcome(rest, max(1, rest.count), translation, dialect)
    for size in pieceSizes(rest) {
      let cut = outcome(rest, size, translation, dialect)
      try require(cut == whole, "pieces of \(size): \(cut), whole: \(whole)")
    }
    try require(!(whole.isOver && whole.isUnreadable), "over and broken")
    try checkWords(whole.out, operation)
  }

  private static func outcome(
    _ bytes: [UInt8], _ size: Int, _ translation: Translation, _ dialect: ProviderDialect
  ) -> Outcome {
    guard var stream = translation.stream(dialect.framing(translation.operation)) else { return Outcome() }
    var meter = StreamMeter(dialect, translation.operation)
    var outcome = Outcome()
    for start in stride(from: 0, to: bytes.count, by: size) {
      bytes[start..<min(bytes.count, start + size)].withUnsafeBytes { piece in
        meter.consume(ByteSlice(piece), now: .distantPast)
        stream.consume(ByteSlice(piece), into: &outcome.out)
      }
    }
    stream.finish(into: &outcome.out)
    outcome.isUnreadable = stream.problem != nil
    outcome.isOver = stream.isOver
    outcome.end = meter.end
    outcome.usage = meter.measure.usage
    // As the gateway does with a stream that has no proper end.
    stream.fail(GatewayError(.upstreamBroke), into: &outcome.out)
    return outcome
  }

  /// What the client gets is events of its protocol, each of them JSON.
  private static func checkWords(_ out: [UInt8], _ operation: Operation) throws(ParserProperty.Violation) {
    let framing: StreamFraming =
      switch operation {
      case .ollamaChat, .ollamaGenerate: .lines
      case .converseStream, .invokeStream: .awsEventStream
      default: .serverSentEvents
      }
    var framer = EventFramer(framing)
    var broken: [UInt8]?
    let isFramed = out.withUnsafeBytes { bytes in
      do {
        try framer.consume(ByteSlice(bytes)) { _, data in
          if !data.equals("[DONE]"), (try? JSONReader.read(data)) == nil { broken = [UInt8](data.string().utf8) }
        }
        return true
      } catch {
        return false
      }
    }
    try require(isFramed && framer.isAtEventBoundary, "the client's stream is not framed")
    try require(broken == nil, "an event is no JSON: \(String(decoding: broken ?? [], as: UTF8.self))")
  }

  // MARK: Documents

  static func checkDocument(_ bytes: [UInt8]) throws(ParserProperty.Violation) {
    guard let (operation, dialect, rest) = pair(bytes) else { return }
    for client in [operation, embeddings[Int(bytes[0]) % embeddings.count]] {
      if let translation = translation(rest, client, dialect) {
        try requireJSON(translation.body, "\(client.label) to \(dialect.provider)")
      }
      guard let translation = translation(question(client), client, dialect) else { continue }
      let answer = rest.withUnsafeBytes { try? translation.answer(ByteSlice($0)) }
      if let answer { try requireJSON(answer, "\(client.label) from \(dialect.provider)") }
    }
    try checkFacts(rest, dialect, operation, status: 200 + 2 * Int(bytes[0]))
    _ = AWSCredentialFiles.profiles(rest)
  }

  /// What is read out of a provider's answer without translating it.
  private static func checkFacts(
    _ bytes: [UInt8], _ dialect: ProviderDialect, _ operation: Operation, status: Int
  ) throws(ParserProperty.Violation) {
    let now = UnixTime.seconds(1_795_246_247)
    let message = bytes.withUnsafeBytes { raw in
      let body = ByteSlice(raw)
      let failure = dialect.classify(status: status, headers: .none, body: body, now: now)
      _ = UsageMeter.measure(dialect, operation, body: body)
      _ = UsageMeter.measure(dialect, operation, tail: body)
      _ = dialect.models(body)
      _ = dialect.probeVerdict(status: status, body: body)
      _ = AWSCredentialFiles.metadata(body)
      let start = body[0..<min(body.count, 40)]
      _ = HintText.goDuration(start)
      _ = HintText.retryAfter(start, now: now)
      _ = DateText.rfc3339(start)
      return failure.message ?? ""
    }
    try require(message.utf8.count <= 515, "an error's message has \(message.utf8.count) bytes")
  }

  private static func requireJSON(_ bytes: [UInt8], _ what: String) throws(ParserProperty.Violation) {
    let isJSON = (try? JSONReader.read(bytes)) != nil
    try require(isJSON, "\(what) is no JSON: \(String(decoding: bytes.prefix(400), as: UTF8.self))")
  }

  // MARK: Requests

  private static func translation(
    _ body: [UInt8], _ operation: Operation, _ dialect: ProviderDialect
  ) -> Translation? {
    body.withUnsafeBytes { bytes in
      let source = Translation.Source(operation, body: ByteSlice(bytes), model: "m", streams: true)
      return try? Translation(source, to: dialect, ChatTarget(provider: dialect.provider, model: "m"), reply: reply)
    }
  }

  /// The smallest request of each protocol.
  private static func question(_ operation: Operation) -> [UInt8] {
    let text =
      switch operation {
      case .messages: #"{"model":"m","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"q"}]}"#
      case .generateContent, .streamGenerateContent: #"{"contents":[{"role":"user","parts":[{"text":"q"}]}]}"#
      case .converse, .converseStream: #"{"messages":[{"role":"user","content":[{"text":"q"}]}]}"#
      case .invoke, .invokeStream:
        #"{"anthropic_version":"bedrock-2023-05-31","max_tokens":9,"messages":[{"role":"user","content":"q"}]}"#
      case .responses: #"{"model":"m","input":"q","stream":true}"#
      case .completions, .ollamaGenerate: #"{"model":"m","prompt":"q","stream":true}"#
      case .embeddings, .ollamaEmbed: #"{"model":"m","input":["a"]}"#
      case .embedContent: #"{"content":{"parts":[{"text":"q"}]}}"#
      case .batchEmbedContents: #"{"requests":[{"model":"models/m","content":{"parts":[{"text":"q"}]}}]}"#
      case .cohereEmbed:
        #"{"model":"m","texts":["a"],"input_type":"search_document","embedding_types":["float"]}"#
      default: #"{"model":"m","stream":true,"messages":[{"role":"user","content":"q"}]}"#
      }
    return Array(text.utf8)
  }
}
