/// Gemini's `generateContent` and `streamGenerateContent`. Clients may spell names in `snake_case` and base64 in either
/// alphabet, as the API itself takes them.
package enum GeminiChat: ChatFormat {
  package typealias StreamReader = GeminiStreamReader
  package typealias StreamWriter = GeminiStreamWriter

  /// Most stop sequences the API takes.
  static let maxStops = 5
  /// The finish reasons that are the model's or the filter's decision; the others mean a broken answer.
  static func finishReason(_ reason: String) -> FinishReason? {
    switch reason {
    case "STOP": .stop
    case "MAX_TOKENS", "CONTINUATION": .length
    case "SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR", "JAILBREAK": .contentFilter
    case "OTHER", "LANGUAGE", "NO_IMAGE", "ESCALATION": .other
    default: reason.hasPrefix("IMAGE_") ? .contentFilter : nil
    }
  }

  static func finishReason(_ reason: FinishReason) -> String {
    switch reason {
    case .stop, .toolUse, .stopSequence, .paused: "STOP"
    case .length, .contextWindow: "MAX_TOKENS"
    case .contentFilter, .refusal: "SAFETY"
    case .other: "OTHER"
    }
  }

  /// `promptTokenCount` holds the cached part, `candidatesTokenCount` leaves the thoughts out.
  static func usage(_ value: JSONValue?) -> TokenUsage? {
    guard let value, value.members != nil else { return nil }
    let thoughts = count(value["thoughtsTokenCount"])
    return TokenUsage(
      input: Counters.sum(count(value["promptTokenCount"]), count(value["toolUsePromptTokenCount"])),
      output: Counters.sum(count(value["candidatesTokenCount"]), thoughts),
      cachedInput: count(value["cachedContentTokenCount"]), reasoning: thoughts)
  }

  private static func count(_ value: JSONValue?) -> Int { max(0, value?.int ?? 0) }

  static func usageValue(_ usage: TokenUsage) -> JSONValue {
    .record([
      "promptTokenCount": .int(usage.input),
      "cachedContentTokenCount": usage.cachedInput > 0 ? .int(usage.cachedInput) : nil,
      "candidatesTokenCount": .int(usage.outputWithoutReasoning),
      "thoughtsTokenCount": usage.reasoning > 0 ? .int(usage.reasoning) : nil,
      "totalTokenCount": .int(usage.total),
    ])
  }
}
