extension Anthropic {
  private enum Paths {
    static let usage = JSONPath(.usage)
    static let stopReason = JSONPath(.stopReason)
    static let deltaStopReason = JSONPath(.delta, .stopReason)
    static let messageUsage = JSONPath(.message, .usage)
    static let inputTokens = JSONPath(.inputTokens)
    static let error = JSONPath(.error)
    static let errorType = JSONPath(.error, .type)
    static let errorMessage = JSONPath(.error, .message)
    static let errorDetail = JSONPath(.error, .details, .errorCode)
  }

  /// One document of an answer: a message, a token count, or the data of one stream event. In a stream the counts of
  /// `message_delta` are running totals and overwrite those of `message_start`.
  package static func read(_ document: ByteSlice, _ operation: Operation, into reader: inout AnswerReader) {
    JSONFieldWalker.walk(document) { path, value in
      guard !value.isNull else { return }
      if path.hasPrefix(Paths.usage) || path.hasPrefix(Paths.messageUsage) {
        readUsage(path.last, value, &reader)
      } else {
        readTop(path, value, &reader)
      }
    }
  }

  private static func readTop(_ path: JSONPath, _ value: JSONScalar, _ reader: inout AnswerReader) {
    switch path {
    case Paths.stopReason, Paths.deltaStopReason:
      reader.finish = finishReason(value)
      if reader.finish == .refusal { reader.safety = .refusal }
    case Paths.inputTokens: reader.set(\.input, value)
    case Paths.error, Paths.errorMessage: reader.note(error: \.message, value)
    case Paths.errorType: reader.note(error: \.type, value)
    case Paths.errorDetail: reader.note(error: \.detailCode, value)
    default: break
    }
  }

  private static func readUsage(_ key: JSONKey, _ value: JSONScalar, _ reader: inout AnswerReader) {
    switch key {
    case .inputTokens: reader.set(\.input, value)
    case .outputTokens: reader.set(\.output, value)
    case .cacheReadInputTokens: reader.set(\.cached, value)
    case .cacheCreationInputTokens: reader.set(\.written, value)
    case .thinkingTokens: reader.set(\.reasoning, value)
    case .serviceTier: reader.note(tier: value)
    default: break
    }
  }

  private static func finishReason(_ value: JSONScalar) -> FinishReason {
    if value.equals("end_turn") { return .stop }
    if value.equals("tool_use") { return .toolUse }
    if value.equals("max_tokens") { return .length }
    if value.equals("stop_sequence") { return .stopSequence }
    if value.equals("pause_turn") { return .paused }
    if value.equals("refusal") { return .refusal }
    return value.equals("model_context_window_exceeded") ? .contextWindow : .other
  }

  /// `input_tokens` leaves out what the prompt cache had or got; the whole prompt is the sum.
  package static func usage(_ counters: UsageCounters) -> TokenUsage? {
    guard !counters.isEmpty else { return nil }
    let cached = counters.cached ?? 0
    let written = counters.written ?? 0
    return TokenUsage(
      input: Counters.sum(counters.input ?? 0, Counters.sum(cached, written)), output: counters.output ?? 0,
      cachedInput: cached, cacheWrite: written, reasoning: counters.reasoning ?? 0)
  }
}
