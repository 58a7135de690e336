/// Cohere's `/v2/chat`.
package enum CohereChat: ChatFormat {
  package typealias StreamReader = CohereStreamReader
  package typealias StreamWriter = CohereStreamWriter

  static let maxStops = 5

  /// Nothing for reasons that mean a broken answer.
  static func finishReason(_ reason: String) -> FinishReason? {
    switch reason {
    case "COMPLETE": .stop
    case "STOP_SEQUENCE": .stopSequence
    case "MAX_TOKENS": .length
    case "TOOL_CALL": .toolUse
    default: nil
    }
  }

  static func finishReason(_ reason: FinishReason) -> String {
    switch reason {
    case .stop, .contentFilter, .refusal, .paused, .other: "COMPLETE"
    case .stopSequence: "STOP_SEQUENCE"
    case .length, .contextWindow: "MAX_TOKENS"
    case .toolUse: "TOOL_CALL"
    }
  }

  /// What the model saw; what is billed is counted elsewhere. The numbers are floats.
  static func usage(_ value: JSONValue?) -> TokenUsage? {
    guard let value, let tokens = value["tokens"] else { return nil }
    return TokenUsage(
      input: count(tokens["input_tokens"]), output: count(tokens["output_tokens"]),
      cachedInput: count(value["cached_tokens"]))
  }

  static func count(_ value: JSONValue?) -> Int {
    guard let number = value?.double, number >= 0 else { return 0 }
    return Int(exactly: number.rounded()) ?? 0
  }

  static func usageValue(_ usage: TokenUsage) -> JSONValue {
    let tokens = JSONValue.record(["input_tokens": .int(usage.input), "output_tokens": .int(usage.output)])
    return .record(["billed_units": tokens, "tokens": tokens, "cached_tokens": .int(usage.cachedInput)])
  }
}
