/// Bedrock's `converse` and `converse-stream`.
package enum ConverseChat: ChatFormat {
  package typealias StreamReader = ConverseStreamReader
  package typealias StreamWriter = ConverseStreamWriter

  /// Nothing for reasons that mean a broken answer.
  static func finishReason(_ reason: String) -> FinishReason? {
    switch reason {
    case "end_turn": .stop
    case "stop_sequence": .stopSequence
    case "max_tokens": .length
    case "model_context_window_exceeded": .contextWindow
    case "tool_use": .toolUse
    case "guardrail_intervened", "content_filtered": .contentFilter
    case "refusal": .refusal
    case "malformed_model_output", "malformed_tool_use", "": nil
    default: .other
    }
  }

  static func finishReason(_ reason: FinishReason) -> String {
    switch reason {
    case .stop, .paused, .other: "end_turn"
    case .stopSequence: "stop_sequence"
    case .length: "max_tokens"
    case .contextWindow: "model_context_window_exceeded"
    case .toolUse: "tool_use"
    case .contentFilter, .refusal: "content_filtered"
    }
  }

  /// `inputTokens` leaves out what the prompt cache had or got.
  static func usage(_ value: JSONValue?) -> TokenUsage? {
    guard let value, value.members != nil else { return nil }
    let cached = count(value["cacheReadInputTokens"] ?? value["cacheReadInputTokenCount"])
    let written = count(value["cacheWriteInputTokens"] ?? value["cacheWriteInputTokenCount"])
    return TokenUsage(
      input: Counters.sum(count(value["inputTokens"]), Counters.sum(cached, written)),
      output: count(value["outputTokens"]), cachedInput: cached, cacheWrite: written)
  }

  private static func count(_ value: JSONValue?) -> Int { max(0, value?.int ?? 0) }

  static func usageValue(_ usage: TokenUsage) -> JSONValue {
    .record([
      "inputTokens": .int(usage.inputWithoutCache), "outputTokens": .int(usage.output),
      "totalTokens": .int(usage.total), "cacheReadInputTokens": .int(usage.cachedInput),
      "cacheWriteInputTokens": .int(usage.cacheWrite),
    ])
  }
}
