extension Bedrock {
  private enum Paths {
    static let usage = JSONPath(.usage)
    static let stopReason = JSONPath(.stopReasonCamel)
    static let inputTokens = JSONPath(.inputTokensCamel)
    static let tier = JSONPath(.serviceTierCamel, .type)
  }

  /// One document of an answer: of Converse, of a token count, the payload of an event; of `invoke` the vendor's own,
  /// read for Anthropic's models.
  package static func read(_ document: ByteSlice, _ operation: Operation, into reader: inout AnswerReader) {
    guard operation != .invoke else { return Anthropic.read(document, .messages, into: &reader) }
    JSONFieldWalker.walk(document) { path, value in
      guard !value.isNull else { return }
      if path.hasPrefix(Paths.usage), path.depth == 2 {
        readUsage(path.last, value, &reader)
      } else if path == Paths.stopReason {
        readStop(value, &reader)
      } else if path == Paths.inputTokens {
        reader.set(\.input, value)
      } else if path == Paths.tier {
        reader.note(tier: value)
      }
    }
  }

  /// `InvokeModel` counts in headers, whatever the vendor's own body says.
  package static func read(_ headers: HeaderView, _ operation: Operation, into reader: inout AnswerReader) {
    guard operation == .invoke else { return }
    headers.visit { name, value in
      if name.isName("x-amzn-bedrock-input-token-count") { reader.counters.input = value.trimmed.decimal }
      if name.isName("x-amzn-bedrock-output-token-count") { reader.counters.output = value.trimmed.decimal }
    }
  }

  /// `amazon-bedrock-invocationMetrics`, which Bedrock itself adds to a vendor's last event.
  static func readMetrics(_ key: JSONKey, _ value: JSONScalar, _ reader: inout AnswerReader) {
    switch key {
    case .inputTokenCount: reader.set(\.input, value)
    case .outputTokenCount: reader.set(\.output, value)
    default: readUsage(key, value, &reader)
    }
  }

  private static func readUsage(_ key: JSONKey, _ value: JSONScalar, _ reader: inout AnswerReader) {
    switch key {
    case .inputTokensCamel, .promptTokens, .inputTokens: reader.set(\.input, value)
    case .outputTokensCamel, .outputTokens: reader.set(\.output, value)
    // Some models have the longer names.
    case .cacheReadInputTokensCamel, .cacheReadInputTokenCount: reader.set(\.cached, value)
    case .cacheWriteInputTokensCamel, .cacheWriteInputTokenCount: reader.set(\.written, value)
    default: break
    }
  }

  private static func readStop(_ value: JSONScalar, _ reader: inout AnswerReader) {
    let reason = value.text(limit: 64) ?? ""
    reader.finish = ConverseChat.finishReason(reason) ?? .other
    if reader.finish == .contentFilter { reader.safety = .contentFilter }
  }

  /// `inputTokens` leaves out what the prompt cache had or got; the whole prompt is the sum.
  package static func usage(_ counters: UsageCounters) -> TokenUsage? { Anthropic.usage(counters) }
}
