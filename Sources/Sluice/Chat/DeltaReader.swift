package import SluiceDialects

/// From the bytes of a provider's stream to the library's deltas.
///
/// States: reading → whole (the stream came to its end by the provider's own rules) or failed (the provider said so, the
/// bytes make no sense, or they ended too early). What was read before is handed out first; after that nothing is read.
/// What waits is what one piece of bytes brought.
package struct DeltaReader: Sendable {
  package enum State: Sendable {
    case reading
    case whole
    case failed(SluiceError)
  }

  package private(set) var state = State.reading
  private let pool: String
  private var framer: EventFramer
  private var reader: any ChatStreamReader
  private var ready: ArraySlice<ChatDelta> = []
  private var hasText = false

  /// Throws where the operation is none that streams chats.
  package init(pool: String, _ dialect: ProviderDialect, _ operation: Operation) throws(SluiceError) {
    guard let format = operation.providerChatFormat else {
      throw SluiceError(.unsupported, "\(dialect.provider.displayName) streams no chats")
    }
    self.pool = pool
    framer = EventFramer(dialect.framing(operation))
    reader = Self.reader(format)
  }

  private static func reader<Format: ChatProviderFormat>(_ format: Format.Type) -> any ChatStreamReader {
    Format.StreamReader()
  }

  /// The next delta of what was read.
  package mutating func next() -> ChatDelta? { ready.popFirst() }

  package mutating func consume(_ bytes: ByteSlice) {
    guard case .reading = state else { return }
    var reader = reader
    var deltas: [SluiceDialects.ChatDelta] = []
    var problem: String?
    do throws(EventFramer.Broken) {
      try framer.consume(bytes) { name, data in
        guard problem == nil else { return }
        do throws(UnreadableAnswer) {
          try reader.read(event: name, data: data, into: &deltas)
        } catch {
          problem = error.reason
        }
      }
    } catch {
      problem = problem ?? error.description
    }
    self.reader = reader
    take(deltas)
    guard let problem, case .reading = state else { return }
    state = .failed(
      SluiceError(.protocolError, "the stream of pool '\(pool)' holds an event that is not a chat's: \(problem)"))
  }

  /// The body is over. Some providers end their streams by this alone; the others have broken off.
  package mutating func finish() {
    guard case .reading = state else { return }
    var reader = reader
    var deltas: [SluiceDialects.ChatDelta] = []
    framer.finish { name, data in
      // Half an event is no event.
      do throws(UnreadableAnswer) { try reader.read(event: name, data: data, into: &deltas) } catch {}
    }
    reader.finish(into: &deltas)
    self.reader = reader
    take(deltas)
    guard case .reading = state else { return }
    state = .failed(
      SluiceError(
        .streamCut,
        "the stream of pool '\(pool)' ended without its end mark: what came is not the whole answer; ask again"))
  }

  private mutating func take(_ deltas: [SluiceDialects.ChatDelta]) {
    for delta in deltas {
      guard case .reading = state else { return }
      take(delta)
    }
  }

  private mutating func take(_ delta: SluiceDialects.ChatDelta) {
    switch delta {
    case .text(let text):
      guard !text.isEmpty else { return }
      hasText = true
      ready.append(ChatDelta(text: text))
    // As in a whole answer: the words of a refusal stand for a text that there is not.
    case .refusal(let text): if !hasText, !text.isEmpty { ready.append(ChatDelta(text: text)) }
    case .finish(let reason, _): ready.append(ChatDelta(text: "", finishReason: reason.label))
    case .usage(let usage): ready.append(ChatDelta(text: "", usage: ChatUsage(usage)))
    case .end: state = .whole
    case .failure(let failure): state = .failed(SluiceError(stream: failure, pool: pool))
    case .start, .reasoning, .reasoningSignature, .redactedReasoning, .toolCall, .toolArguments: break
    }
  }
}
