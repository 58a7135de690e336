/// Reads usage and ends from the answers of Ollama's own API, for providers behind which an Ollama may stand.
enum OllamaMeter {
  private enum Paths {
    static let content = JSONPath(.message, .content)
    static let thinking = JSONPath(.message, .thinking)
    static let calls = JSONPath(.message, .toolCalls)
    static let response = JSONPath(.response)
    static let reason = JSONPath(.doneReason)
    static let promptCount = JSONPath(.promptEvalCount)
    static let count = JSONPath(.evalCount)
    static let error = JSONPath(.error)
  }

  /// One document: a whole answer, or one line of a stream. Counts that are zero are left out by the server.
  static func read(_ document: ByteSlice, into reader: inout AnswerReader) {
    JSONFieldWalker.walk(document) { path, value in
      guard !value.isNull else { return }
      switch path {
      case Paths.content, Paths.thinking, Paths.response: if value.isText { reader.sawOutput = true }
      case Paths.reason: reader.finish = OllamaChat.finishReason(value.text(limit: 32) ?? "", hasCalls: false)
      case Paths.promptCount: reader.set(\.input, value)
      case Paths.count: reader.set(\.output, value)
      case Paths.error: reader.note(error: \.message, value)
      default:
        guard path.hasPrefix(Paths.calls) else { return }
        reader.sawOutput = true
        reader.sawToolCall = true
      }
    }
  }

  /// One line of a stream; the one with a reason is the last.
  static func readLine(_ line: ByteSlice, into state: inout StreamState) {
    read(line, into: &state.reader)
    if state.reader.finish != nil { state.sawEndMark = true }
  }
}
