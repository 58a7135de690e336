extension Gemini {
  private enum Paths {
    static let usage = JSONPath(.usageMetadata)
    static let candidate = JSONPath(.candidates, .item)
    static let text = JSONPath(.candidates, .item, .content, .parts, .item, .text)
    static let functionCall = JSONPath(.candidates, .item, .content, .parts, .item, .functionCall)
    static let finish = JSONPath(.candidates, .item, .finishReasonCamel)
    static let blocked = JSONPath(.promptFeedback, .blockReason)
    static let totalTokens = JSONPath(.totalTokensCamel)
    static let error = JSONPath(.error)
    static let item = JSONPath(.item)
  }

  package static var usageMember: StaticString { "usageMetadata" }

  /// One document of an answer: whole, a piece of a stream, or an element of the array that streams are without
  /// `alt=sse`.
  package static func read(_ document: ByteSlice, _ operation: Operation, into reader: inout AnswerReader) {
    JSONFieldWalker.walk(document) { path, value in
      guard !value.isNull else { return }
      let path = path.dropping(Paths.item) ?? path
      if path.hasPrefix(Paths.usage) {
        readUsage(path, value, &reader)
      } else if path.hasPrefix(Paths.candidate) {
        readCandidate(path, value, &reader)
      } else if path.hasPrefix(Paths.error) {
        var error = reader.error ?? ProviderErrorBody()
        error.note(path, value)
        reader.error = error
      } else if path == Paths.blocked {
        reader.finish = .contentFilter
        reader.safety = .contentFilter
      } else if path == Paths.totalTokens {
        reader.set(\.input, value)
      }
    }
  }

  private static func readCandidate(_ path: JSONPath, _ value: JSONScalar, _ reader: inout AnswerReader) {
    if path == Paths.text {
      if value.isText { reader.sawOutput = true }
    } else if path.hasPrefix(Paths.functionCall) {
      reader.sawOutput = true
      reader.sawToolCall = true
    } else if path == Paths.finish {
      let reason = value.text(limit: 64) ?? ""
      reader.finish = GeminiChat.finishReason(reason) ?? .other
      if reader.finish == .contentFilter { reader.safety = .contentFilter }
    }
  }

  private static func readUsage(_ path: JSONPath, _ value: JSONScalar, _ reader: inout AnswerReader) {
    guard path.depth == 2 else { return }
    switch path.last {
    case .promptTokenCount: reader.set(\.input, value)
    case .toolUsePromptTokenCount: reader.set(\.toolPrompt, value)
    case .candidatesTokenCount: reader.set(\.output, value)
    case .thoughtsTokenCount: reader.set(\.reasoning, value)
    case .cachedContentTokenCount: reader.set(\.cached, value)
    case .serviceTierCamel: reader.note(tier: value)
    default: break
    }
  }

  /// The prompt's count holds its cached part, the candidates' count leaves the thoughts out.
  package static func usage(_ counters: UsageCounters) -> TokenUsage? {
    guard !counters.isEmpty else { return nil }
    let reasoning = counters.reasoning ?? 0
    return TokenUsage(
      input: Counters.sum(counters.input ?? 0, counters.toolPrompt ?? 0),
      output: Counters.sum(counters.output ?? 0, reasoning), cachedInput: counters.cached ?? 0, reasoning: reasoning)
  }
}
