/// One request carried to a provider of another protocol, and its whole answer carried back; streams go through
/// `StreamTranslation`. Made once per exchange and pool; pure.
package struct Translation: Sendable {
  /// The provider's own operation.
  package let operation: Operation
  /// For the provider; empty once it was taken.
  package private(set) var body: [UInt8]
  /// Hints of the client that did not travel, by their names in its protocol.
  package let dropped: [String]
  private let way: Way

  private enum Way: Sendable {
    case chat(client: any ChatClientFormat.Type, provider: any ChatProviderFormat.Type, ReplyFacts)
    case embeddings(
      client: any EmbeddingFormat.Type, provider: any EmbeddingFormat.Type, EmbeddingRequest, ReplyFacts)
  }

  /// What comes from the client.
  package struct Source {
    package var operation: Operation
    package var body: ByteSlice
    /// From the path or the body, as the client named it.
    package var model: String
    package var streams: Bool

    package init(_ operation: Operation, body: ByteSlice, model: String, streams: Bool) {
      self.operation = operation
      self.body = body
      self.model = model
      self.streams = streams
    }
  }

  /// Whether requests of `operation` can be carried to the provider at all.
  package static func exists(from operation: Operation, to dialect: ProviderDialect) -> Bool {
    guard let task = operation.task, let own = dialect.operation(for: task, streams: false) else { return false }
    switch task {
    case .chat: return operation.chatFormat != nil && own.providerChatFormat != nil
    case .embeddings: return operation.embeddingFormat != nil && own.embeddingFormat != nil
    case .tokenCount: return false
    }
  }

  package init(
    _ source: Source, to dialect: ProviderDialect, _ target: ChatTarget, reply: ReplyFacts
  ) throws(TranslationRefusal) {
    guard let task = source.operation.task, let operation = dialect.operation(for: task, streams: source.streams)
    else { throw Self.impossible(source, dialect) }
    self.operation = operation
    let document = try Self.document(source.body)
    var notes = TranslationNotes()
    var reply = reply
    if let client = source.operation.chatFormat, let provider = operation.providerChatFormat {
      var request = try client.readRequest(document, model: source.model, streams: source.streams, &notes)
      ToolCallRepair.complete(&request)
      reply.includesUsage = request.includesUsage
      reply.asArray = source.operation == .streamGenerateArray
      body = Self.bytes(try provider.writeRequest(request, for: target, &notes))
      reply.toolNames = notes.toolNames
      way = .chat(client: client, provider: provider, reply)
    } else if let client = source.operation.embeddingFormat, let provider = operation.embeddingFormat {
      let request = try client.readRequest(document, model: source.model, source.operation, &notes)
      body = Self.bytes(try provider.writeRequest(request, for: target, &notes))
      way = .embeddings(client: client, provider: provider, request, reply)
    } else {
      throw Self.impossible(source, dialect)
    }
    dropped = notes.dropped
  }

  /// Hands the body over to whoever sends it: a long prompt should not lie in memory once more.
  package mutating func takeBody() -> [UInt8] {
    let taken = body
    body = []
    return taken
  }

  /// A provider's whole answer with a success status, for the client.
  package func answer(_ body: ByteSlice) throws(UnreadableAnswer) -> [UInt8] {
    let document: JSONValue
    do { document = try JSONReader.read(body) } catch {
      throw UnreadableAnswer("\(error.reason) at byte \(error.offset)")
    }
    switch way {
    case .chat(let client, let provider, let reply):
      return Self.bytes(client.writeAnswer(try provider.readAnswer(document), reply))
    case .embeddings(let client, let provider, let request, let reply):
      return Self.bytes(client.writeAnswer(try provider.readAnswer(document), request, reply))
    }
  }

  /// For the provider's stream; nothing where there are none.
  ///
  /// - Parameter framing: of the provider's stream.
  package func stream(_ framing: StreamFraming) -> StreamTranslation? {
    guard case .chat(let client, let provider, let reply) = way else { return nil }
    return StreamTranslation(framing, reader: Self.reader(provider), writer: Self.writer(client, reply))
  }

  private static func reader<Format: ChatProviderFormat>(_ format: Format.Type) -> any ChatStreamReader {
    Format.StreamReader()
  }

  private static func writer<Format: ChatClientFormat>(_ format: Format.Type, _ reply: ReplyFacts)
    -> any ChatStreamWriter
  {
    Format.StreamWriter(reply)
  }

  private static func document(_ body: ByteSlice) throws(TranslationRefusal) -> JSONValue {
    do {
      let value = try JSONReader.read(body)
      guard case .object = value else { throw TranslationRefusal("the body has to be a JSON object") }
      return value
    } catch let error as JSONError {
      throw TranslationRefusal("the body is not valid JSON: \(error.reason) at byte \(error.offset)")
    } catch let refusal as TranslationRefusal {
      throw refusal
    } catch {
      throw TranslationRefusal("the body is not valid JSON")
    }
  }

  private static func bytes(_ value: JSONValue) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(1024)
    value.append(to: &bytes)
    return bytes
  }

  private static func impossible(_ source: Source, _ dialect: ProviderDialect) -> TranslationRefusal {
    TranslationRefusal(
      "\(dialect.provider.displayName) has nothing that answers `\(source.operation.label)`; route this model to another"
        + " pool, or use the provider's own API")
  }
}
