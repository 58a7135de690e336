/// Reads an Ollama client's messages. Results name the tool, rarely the call: then they are matched by name and order.
/// Some clients leave a call's id out, as Ollama's own did, and name it in the result all the same.
struct OllamaMessageReader {
  private var open = OllamaOpenCalls()
  private var calls = 0

  mutating func read(_ message: WireObject, _ notes: inout TranslationNotes) throws(TranslationRefusal) -> ChatMessage {
    message.dropOthers(
      than: ["role", "content", "thinking", "images", "tool_calls", "tool_name", "name", "tool_call_id"], &notes)
    let text = try message.text("content") ?? ""
    switch try message.requiredText("role") {
    case "system": return ChatMessage(.system, text: text)
    case "user": return ChatMessage(.user, [.text(text)] + (try OllamaChat.images(message)))
    case "assistant": return try assistant(message, text)
    case "tool": return ChatMessage(.tool, [.toolResult(try result(message, text))])
    case let role: throw message.refusal("role", "'\(role.prefix(40))' is no role.")
    }
  }

  private mutating func assistant(_ message: WireObject, _ text: String) throws(TranslationRefusal) -> ChatMessage {
    var parts: [ContentPart] = []
    if let thought = try message.text("thinking"), !thought.isEmpty { parts.append(.reasoning(ReasoningPart(thought))) }
    if !text.isEmpty { parts.append(.text(text)) }
    open = OllamaOpenCalls()
    for call in try message.objects("tool_calls") ?? [] {
      guard let function = try call.object("function") else {
        throw call.refusal("function", "'\(call.place("function"))' is missing.")
      }
      let name = try function.requiredText("name")
      let arguments = ToolArguments.text(try function.document("arguments"))
      let id = try call.text("id")
      let made = ToolCall(
        id: OllamaChat.callID(id, calls, name, arguments), name: name, arguments: arguments)
      calls += 1
      open.add(made, isNamed: id?.isEmpty == false)
      parts.append(.toolCall(made))
    }
    return ChatMessage(.assistant, parts)
  }

  private mutating func result(_ message: WireObject, _ text: String) throws(TranslationRefusal) -> ToolResult {
    let id = try message.text("tool_call_id") ?? ""
    let speaker = try message.text("name")
    let name = try message.text("tool_name") ?? speaker
    guard let call = open.take(id: id, name: name) else {
      guard !id.isEmpty else {
        throw message.refusal("tool_name", "'\(message.place("tool_name"))' names no open call of the answer before.")
      }
      return ToolResult(callID: id, name: name, content: [.text(text)])
    }
    return ToolResult(callID: call.id, name: call.name, content: [.text(text)])
  }
}
