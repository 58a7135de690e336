/// Anthropic's messages, for its clients and for its own servers (and others that speak its protocol).
package enum AnthropicChat: ChatFormat {
  package typealias StreamReader = AnthropicStreamReader
  package typealias StreamWriter = AnthropicStreamWriter

  static func finishReason(_ text: String?) -> FinishReason {
    switch text {
    case "end_turn": .stop
    case "max_tokens": .length
    case "stop_sequence": .stopSequence
    case "tool_use": .toolUse
    case "pause_turn": .paused
    case "refusal": .refusal
    case "model_context_window_exceeded": .contextWindow
    default: .other
    }
  }

  static func text(_ finish: FinishReason) -> String {
    switch finish {
    case .stop, .other: "end_turn"
    case .length: "max_tokens"
    case .toolUse: "tool_use"
    case .contentFilter, .refusal: "refusal"
    case .stopSequence: "stop_sequence"
    case .paused: "pause_turn"
    case .contextWindow: "model_context_window_exceeded"
    }
  }
}

/// The counts as Anthropic spells them; later ones overwrite, what is absent stays.
struct AnthropicUsage {
  private var counters = UsageCounters()

  mutating func note(_ value: JSONValue?) {
    guard let value, value.members != nil else { return }
    if let count = Self.count(value["input_tokens"]) { counters.input = count }
    if let count = Self.count(value["output_tokens"]) { counters.output = count }
    if let count = Self.count(value["cache_read_input_tokens"]) { counters.cached = count }
    if let count = Self.count(value["cache_creation_input_tokens"]) { counters.written = count }
    if let count = Self.count(value["output_tokens_details"]?["thinking_tokens"]) { counters.reasoning = count }
  }

  private static func count(_ value: JSONValue?) -> Int? { value?.int.map { max(0, $0) } }

  var tokens: TokenUsage? { Anthropic.usage(counters) }

  /// The whole prompt without what came from the cache or went there.
  static func write(_ usage: TokenUsage) -> JSONValue {
    let (rest, overflow) = usage.input.subtractingReportingOverflow(Counters.sum(usage.cachedInput, usage.cacheWrite))
    var object = JSONObject()
    object["input_tokens"] = .int(overflow ? 0 : max(0, rest))
    object["cache_creation_input_tokens"] = .int(usage.cacheWrite)
    object["cache_read_input_tokens"] = .int(usage.cachedInput)
    object["output_tokens"] = .int(usage.output)
    if usage.reasoning > 0 { object["output_tokens_details"] = ["thinking_tokens": .int(usage.reasoning)] }
    return object.value
  }
}
