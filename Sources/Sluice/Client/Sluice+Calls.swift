import NIOCore
import SluiceDialects
import SluiceHTTP

extension Sluice {
  /// Longest answer that is collected: 32 MiB.
  static let maxAnswer = 32 << 20

  /// Asks a model and waits for the whole answer.
  ///
  /// - Parameters:
  ///   - model: a name of the configuration's routes, `pool/model`, or a provider's own model name.
  ///   - messages: the conversation, oldest first; at least one.
  ///   - options: the finer points.
  /// - Throws: ``SluiceError``; `CancellationError` when the task is cancelled, and the upstream is told at once.
  public func chat(
    model: String, _ messages: [ChatMessage], options: ChatOptions = ChatOptions()
  ) async throws -> ChatAnswer {
    try await whole(ChatWork(model: model, messages: messages, options: options, streams: false))
  }

  /// Asks a model and hands the answer out as it arrives.
  ///
  /// Nothing is sent before the first element is asked for; each iteration is a request of its own. The provider is read
  /// only as fast as the loop takes the elements. Leaving the loop, or cancelling its task, closes the connection at once.
  /// Tries are repeated, by the pool's rules, until the answer's head has come; never after it.
  ///
  /// - Parameters:
  ///   - model: as with ``chat(model:_:options:)``.
  ///   - messages: the conversation, oldest first; at least one.
  ///   - options: the finer points.
  /// - Returns: a sequence that throws as ``chat(model:_:options:)`` does, and ``SluiceError/Code/streamCut`` when the
  ///   answer breaks off without its end mark.
  public func stream(
    model: String, _ messages: [ChatMessage], options: ChatOptions = ChatOptions()
  ) -> ChatStream {
    ChatStream(sluice: self, work: ChatWork(model: model, messages: messages, options: options, streams: true))
  }

  /// Turns texts into vectors.
  ///
  /// - Parameters:
  ///   - model: as with ``chat(model:_:options:)``; the provider has to offer embeddings, which
  ///     Anthropic and Hugging Face do not.
  ///   - inputs: the texts; at least one.
  /// - Returns: one vector for each text, in their order.
  /// - Throws: as ``chat(model:_:options:)``.
  public func embed(model: String, _ inputs: [String]) async throws -> [[Float]] {
    try await whole(EmbeddingWork(model: model, inputs: inputs))
  }

  func open(_ work: some ProviderWork) async throws -> OpenedAnswer {
    try checkRunning()
    try work.validate()
    let targets = try router.targets(for: work.model, task: work.task)
    return try await ProviderCall(targets: targets, pools: pools, work: work, logger: logger).open()
  }

  private func whole<Work: ProviderWork>(_ work: Work) async throws -> Work.Answer {
    let opened = try await open(work)
    let body = try await collect(opened)
    do throws(UnreadableAnswer) {
      return try work.answer(try Self.document(body), opened.operation, model: opened.model)
    } catch {
      throw SluiceError(
        .protocolError, "pool '\(opened.pool)' answered with something that cannot be read: \(error.reason)")
    }
  }

  private static func document(_ body: ByteBuffer) throws(UnreadableAnswer) -> JSONValue {
    do throws(JSONError) {
      return try body.withUnsafeReadableBytes { bytes throws(JSONError) in try JSONReader.read(ByteSlice(bytes)) }
    } catch {
      throw UnreadableAnswer("\(error.reason) at byte \(error.offset)")
    }
  }

  private func collect(_ opened: OpenedAnswer) async throws -> ByteBuffer {
    do {
      let body = try await opened.response.body.collect(upTo: Self.maxAnswer)
      // A cancelled reader sees an early end instead of an error.
      try Task.checkCancellation()
      return body
    } catch {
      throw SluiceError.callFailure(error, pool: opened.pool)
    }
  }
}
