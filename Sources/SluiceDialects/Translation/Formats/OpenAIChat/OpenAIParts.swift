/// Reads the parts of a message or of a stream's delta, in all the spellings that servers have for them.
enum OpenAIParts {
  /// Reasoning, text, refusal; calls are read apart.
  static func read(_ message: JSONValue) -> [ContentPart] {
    var parts: [ContentPart] = []
    if let thought = reasoning(message) { parts.append(.reasoning(ReasoningPart(thought))) }
    switch message["content"] {
    case .string(let text): if !text.isEmpty { parts.append(.text(text)) }
    case .array(let items): parts += items.flatMap(part)
    default: break
    }
    if let refusal = message["refusal"]?.string, !refusal.isEmpty { parts.append(.refusal(refusal)) }
    return parts
  }

  /// One of three names; servers in between two versions send the same text under two of them.
  private static func reasoning(_ message: JSONValue) -> String? {
    for name in ["reasoning_content", "reasoning", "thinking"] {
      if let text = message[name]?.string, !text.isEmpty { return text }
    }
    return nil
  }

  /// Mistral's content lists: text, and thoughts that are lists themselves.
  private static func part(_ item: JSONValue) -> [ContentPart] {
    if let text = item["text"]?.string, !text.isEmpty { return [.text(text)] }
    if let text = item["refusal"]?.string, !text.isEmpty { return [.refusal(text)] }
    switch item["thinking"] {
    case .string(let text): return text.isEmpty ? [] : [.reasoning(ReasoningPart(text))]
    case .array(let pieces):
      let text = pieces.compactMap { $0["text"]?.string }.joined()
      return text.isEmpty ? [] : [.reasoning(ReasoningPart(text))]
    default: return []
    }
  }

  static func calls(_ message: JSONValue, answer id: String) -> [ContentPart] {
    var calls = message["tool_calls"]?.array ?? []
    if calls.isEmpty, let legacy = message.given("function_call") { calls = [["function": legacy]] }
    return calls.enumerated().compactMap { index, item in
      // Beside functions there are calls of custom tools, which take text.
      let function = item.given("function") ?? item.given("custom") ?? item
      guard let name = function["name"]?.string else { return nil }
      let text = arguments(function) ?? ""
      let given = item["id"]?.string ?? ""
      return .toolCall(
        ToolCall(
          id: given.isEmpty ? newID(answer: id, index, name, text) : given, name: name, arguments: text,
          signature: item["extra_content"]?["google"]?["thought_signature"]?.string))
    }
  }

  /// As text, also where the server sends the object itself.
  static func arguments(_ function: JSONValue) -> String? {
    guard let value = function.given("arguments") ?? function.given("input") else { return nil }
    return value.string ?? value.jsonText
  }

  /// For servers that give none.
  static func newID(answer: String, _ index: Int, _ name: String, _ arguments: String) -> String {
    "call_" + ForeignNames.digest("\(answer) \(index) \(name) \(arguments)", length: 16)
  }
}
