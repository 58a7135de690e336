extension Cohere {
  private enum Paths {
    static let tokens = JSONPath(.usage, .tokens)
    static let cached = JSONPath(.usage, .cachedTokens)
    static let delta = JSONPath(.delta)
    static let error = JSONPath(.error)
    static let billed = JSONPath(.usage, .billedUnits)
    static let ranked = JSONPath(.meta, .billedUnits, .searchUnits)
    static let embedded = JSONPath(.meta, .billedUnits, .inputTokens)
    static let finish = JSONPath(.finishReason)
  }

  /// One document of an answer, or the data of a stream's last event, whose members stand one level down.
  package static func read(_ document: ByteSlice, _ operation: Operation, into reader: inout AnswerReader) {
    JSONFieldWalker.walk(document) { path, value in
      guard !value.isNull else { return }
      let path = path.dropping(Paths.delta) ?? path
      if path.hasPrefix(Paths.tokens) {
        readTokens(path.last, value, &reader)
      } else if path.hasPrefix(Paths.billed) {
        readBilled(path.last, value, &reader)
      } else if path == Paths.ranked {
        reader.set(\.searchUnits, value)
      } else if path == Paths.cached {
        reader.set(\.cached, value)
      } else if path == Paths.embedded {
        reader.set(\.input, value)
      } else if path == Paths.finish {
        readFinish(value, &reader)
      } else if path == Paths.error {
        reader.note(error: \.message, value)
      }
    }
  }

  private static func readTokens(_ key: JSONKey, _ value: JSONScalar, _ reader: inout AnswerReader) {
    if key == .inputTokens { reader.set(\.input, value) }
    if key == .outputTokens { reader.set(\.output, value) }
  }

  /// What is charged: less than the model saw, which had the provider's own frame around it.
  private static func readBilled(_ key: JSONKey, _ value: JSONScalar, _ reader: inout AnswerReader) {
    switch key {
    case .inputTokens: reader.set(\.billedInput, value)
    case .outputTokens: reader.set(\.billedOutput, value)
    case .searchUnits: reader.set(\.searchUnits, value)
    default: break
    }
  }

  private static func readFinish(_ value: JSONScalar, _ reader: inout AnswerReader) {
    let reason = value.text(limit: 64) ?? ""
    reader.finish = CohereChat.finishReason(reason)
    if reader.finish == nil { reader.saysFailed = true }
  }

  package static func usage(_ counters: UsageCounters) -> TokenUsage? {
    guard !counters.isEmpty else { return nil }
    return TokenUsage(
      input: counters.input ?? 0, output: counters.output ?? 0, cachedInput: counters.cached ?? 0)
  }
}
