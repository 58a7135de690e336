/// Reads usage and ends from the answers of TGI's own API, for providers behind which a TGI may stand.
enum TGIMeter {
  private enum Paths {
    static let item = JSONPath(.item)
    static let token = JSONPath(.token, .text)
    static let text = JSONPath(.generatedText)
    static let count = JSONPath(.details, .generatedTokens)
    static let reason = JSONPath(.details, .finishReason)
    static let error = JSONPath(.error)
    static let errorType = JSONPath(.errorType)
  }

  /// `/generate`, `/generate_stream`, and `/`, which answers a list of one.
  static func isOwn(_ path: ByteSlice) -> Bool {
    path.equals("/generate") || path.equals("/generate_stream") || path.equals("/")
  }

  /// Counts stand in headers, whether the client asked for details or not.
  static func read(_ headers: HeaderView, into reader: inout AnswerReader) {
    headers.visit { name, value in
      if name.isName("x-prompt-tokens") { reader.counters.input = value.trimmed.decimal }
      if name.isName("x-generated-tokens") { reader.counters.output = value.trimmed.decimal }
    }
  }

  /// One document: a whole answer, or one event of a stream. True for a stream's last event.
  @discardableResult
  static func read(_ document: ByteSlice, into reader: inout AnswerReader) -> Bool {
    var isLast = false
    JSONFieldWalker.walk(document) { path, value in
      guard !value.isNull else { return }
      switch path.dropping(Paths.item) ?? path {
      case Paths.token: if value.isText { reader.sawOutput = true }
      case Paths.text: isLast = true
      case Paths.count: reader.set(\.output, value)
      case Paths.reason: reader.finish = finishReason(value)
      case Paths.error: reader.note(error: \.message, value)
      case Paths.errorType: reader.note(error: \.type, value)
      default: break
      }
    }
    return isLast
  }

  /// One event of a stream: the one with the whole text is the last.
  static func readEvent(_ data: ByteSlice, into state: inout StreamState) {
    if read(data, into: &state.reader) { state.sawEndMark = true }
  }

  private static func finishReason(_ value: JSONScalar) -> FinishReason {
    if value.equals("length") { return .length }
    if value.equals("eos_token") { return .stop }
    return value.equals("stop_sequence") ? .stopSequence : .other
  }
}
