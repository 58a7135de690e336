/// Ollama's `/api/chat`. Arguments of tool calls are objects; ids of calls may be missing in both directions.
package enum OllamaChat: ChatFormat {
  package typealias StreamReader = OllamaStreamReader
  package typealias StreamWriter = OllamaStreamWriter

  /// Tool calls keep `stop`.
  static func finishReason(_ reason: String, hasCalls: Bool) -> FinishReason {
    switch reason {
    case "length": .length
    case "stop": hasCalls ? .toolUse : .stop
    case "load", "unload": .stop
    default: hasCalls ? .toolUse : .other
    }
  }

  static func finishReason(_ reason: FinishReason) -> String {
    switch reason {
    case .length, .contextWindow: "length"
    default: "stop"
    }
  }

  /// Counts that are zero are left out.
  static func usage(_ value: JSONValue) -> TokenUsage {
    TokenUsage(
      input: max(0, value["prompt_eval_count"]?.int ?? 0), output: max(0, value["eval_count"]?.int ?? 0))
  }

  /// An id for a call that came without one: it follows from the call's place and content.
  static func callID(_ given: String?, _ place: Int, _ name: String, _ arguments: String) -> String {
    if let given, !given.isEmpty { return given }
    return "call_" + ForeignNames.digest("\(place) \(name) \(arguments)", length: 16)
  }

  static func toolCall(_ call: ToolCall, _ name: String) -> JSONValue {
    .record([
      "id": call.id.isEmpty ? nil : .string(call.id),
      "function": .record(["name": .string(name), "arguments": ToolArguments.object(call.arguments)]),
    ])
  }
}
