import SluiceDialects

/// What a call asks for, before it is known who will answer: each target gets it in its own protocol.
protocol ProviderWork: Sendable {
  associatedtype Answer: Sendable

  /// As the caller named it.
  var model: String { get }
  var streams: Bool { get }
  var task: Operation.Purpose { get }
  func validate() throws(SluiceError)
  /// Address and body for a provider.
  ///
  /// - Parameter model: the catalogue's name of the target's model, which belongs into the path.
  func request(
    _ dialect: ProviderDialect, _ target: ChatTarget, model: String
  ) throws(SluiceError) -> WrittenRequest
  /// A whole answer to the provider's operation.
  func answer(_ body: JSONValue, _ operation: Operation, model: String) throws(UnreadableAnswer) -> Answer
}

/// A request in a provider's protocol, for any of its endpoints.
struct WrittenRequest {
  let call: UpstreamCall
  let body: [UInt8]
  /// Hints that this provider or model does not take.
  let dropped: [String]

  init(_ call: UpstreamCall, _ document: JSONValue, _ notes: TranslationNotes) {
    self.call = call
    var bytes: [UInt8] = []
    document.append(to: &bytes)
    body = bytes
    dropped = notes.dropped
  }
}

struct ChatWork: ProviderWork {
  /// Texts that end the answer: as many as every provider takes.
  static let mostStops = 4

  let model: String
  let messages: [ChatMessage]
  let options: ChatOptions
  let streams: Bool
  var task: Operation.Purpose { .chat }

  func validate() throws(SluiceError) {
    guard messages.contains(where: { $0.role != .system }) else {
      throw SluiceError(.invalidRequest, "a chat needs at least one message of the user")
    }
    guard options.temperature?.isFinite ?? true else {
      throw SluiceError(.invalidRequest, "the temperature is not a number")
    }
    guard options.maxTokens ?? 1 > 0 else {
      throw SluiceError(.invalidRequest, "an answer has at least one token; maxTokens is \(options.maxTokens ?? 0)")
    }
    guard options.stop.count <= Self.mostStops else {
      throw SluiceError(
        .invalidRequest, "at most \(Self.mostStops) texts can end an answer; stop has \(options.stop.count)")
    }
  }

  func request(
    _ dialect: ProviderDialect, _ target: ChatTarget, model: String
  ) throws(SluiceError) -> WrittenRequest {
    guard let operation = dialect.operation(for: .chat, streams: streams),
      let format = operation.providerChatFormat
    else { throw SluiceError(.unsupported, "\(dialect.provider.displayName) has no chat") }
    var notes = TranslationNotes()
    do throws(TranslationRefusal) {
      let body = try format.writeRequest(hubRequest, for: target, &notes)
      return WrittenRequest(UpstreamCall(operation, model: model, streams: streams), body, notes)
    } catch {
      throw SluiceError(error, provider: dialect.provider)
    }
  }

  private var hubRequest: SluiceDialects.ChatRequest {
    var request = SluiceDialects.ChatRequest(model: model, messages: messages.map(\.hub))
    request.maxOutputTokens = options.maxTokens
    request.sampling.temperature = options.temperature
    request.stop = options.stop
    request.streams = streams
    request.includesUsage = true
    return request
  }

  func answer(_ body: JSONValue, _ operation: Operation, model: String) throws(UnreadableAnswer) -> ChatAnswer {
    guard let format = operation.providerChatFormat else { throw UnreadableAnswer("nobody reads \(operation.label)") }
    return ChatAnswer(try format.readAnswer(body), model: model)
  }
}

struct EmbeddingWork: ProviderWork {
  let model: String
  let inputs: [String]
  var streams: Bool { false }
  var task: Operation.Purpose { .embeddings }

  func validate() throws(SluiceError) {
    guard !inputs.isEmpty else { throw SluiceError(.invalidRequest, "there is no text to embed") }
  }

  func request(
    _ dialect: ProviderDialect, _ target: ChatTarget, model: String
  ) throws(SluiceError) -> WrittenRequest {
    guard let operation = dialect.operation(for: .embeddings, streams: false), let format = operation.embeddingFormat
    else {
      throw SluiceError(
        .unsupported, "\(dialect.provider.displayName) has no embeddings; name a pool whose provider has them",
        mayHelpElsewhere: true)
    }
    var notes = TranslationNotes()
    do throws(TranslationRefusal) {
      let request = EmbeddingRequest(model: model, inputs: inputs.map(EmbeddingRequest.Input.text))
      let body = try format.writeRequest(request, for: target, &notes)
      return WrittenRequest(UpstreamCall(operation, model: model), body, notes)
    } catch {
      throw SluiceError(error, provider: dialect.provider)
    }
  }

  func answer(_ body: JSONValue, _ operation: Operation, model: String) throws(UnreadableAnswer) -> [[Float]] {
    guard let format = operation.embeddingFormat else { throw UnreadableAnswer("nobody reads \(operation.label)") }
    let vectors = try format.readAnswer(body).vectors
    guard vectors.count == inputs.count else {
      throw UnreadableAnswer("\(inputs.count) texts were sent, \(vectors.count) vectors came back")
    }
    return vectors
  }
}
