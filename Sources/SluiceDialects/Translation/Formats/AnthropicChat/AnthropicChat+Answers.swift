extension AnthropicChat {
  package static func readAnswer(_ body: JSONValue) throws(UnreadableAnswer) -> ChatAnswer {
    guard let blocks = body["content"]?.array else {
      let text = body["error"]?["message"]?.string
      throw UnreadableAnswer(text.map { "an error instead of an answer: \($0.prefix(200))" } ?? "no content")
    }
    var parts = blocks.compactMap(part)
    let finish = finishReason(body["stop_reason"]?.string)
    if finish == .refusal, let words = body["stop_details"]?["explanation"]?.string { parts.append(.refusal(words)) }
    var usage = AnthropicUsage()
    usage.note(body["usage"])
    return ChatAnswer(
      id: body["id"]?.string ?? "", model: body["model"]?.string ?? "", parts: parts, finish: finish,
      stopSequence: body["stop_sequence"]?.string, usage: usage.tokens)
  }

  /// Blocks of the provider's own tools have no place elsewhere.
  private static func part(_ block: JSONValue) -> ContentPart? {
    switch block["type"]?.string {
    case "text": return block["text"]?.string.flatMap { $0.isEmpty ? nil : .text($0) }
    case "thinking":
      return .reasoning(ReasoningPart(block["thinking"]?.string ?? "", signature: block["signature"]?.string))
    case "redacted_thinking": return .reasoning(ReasoningPart(block["data"]?.string ?? "", isRedacted: true))
    case "tool_use":
      guard let id = block["id"]?.string, let name = block["name"]?.string else { return nil }
      return .toolCall(ToolCall(id: id, name: name, arguments: ToolArguments.text(block["input"])))
    default: return nil
    }
  }

  package static func writeAnswer(_ answer: ChatAnswer, _ reply: ReplyFacts) -> JSONValue {
    let saidNo = answer.parts.contains { if case .refusal = $0 { true } else { false } }
    let finish = saidNo && answer.finish == .stop ? .refusal : answer.finish
    var body = JSONObject()
    body["id"] = .string(AnswerID.with("msg_", answer.id, else: reply.id))
    body["type"] = "message"
    body["role"] = "assistant"
    body["model"] = .string(answer.model.isEmpty ? reply.model : answer.model)
    body["content"] = .array(answer.parts.compactMap { block($0, reply) })
    body["stop_reason"] = .string(text(finish))
    body["stop_sequence"] = answer.stopSequence.map(JSONValue.string) ?? .null
    body["usage"] = AnthropicUsage.write(answer.usage ?? TokenUsage())
    return body.value
  }

  private static func block(_ part: ContentPart, _ reply: ReplyFacts) -> JSONValue? {
    switch part {
    case .text(let text), .refusal(let text): return text.isEmpty ? nil : ["type": "text", "text": .string(text)]
    case .reasoning(let thought):
      if thought.isRedacted { return ["type": "redacted_thinking", "data": .string(thought.text)] }
      return [
        "type": "thinking", "thinking": .string(thought.text), "signature": .string(thought.signature ?? ""),
      ]
    case .toolCall(let call):
      return [
        "type": "tool_use", "id": .string(SignedCallID.join(ForeignNames.anthropicIDs.id(call.id), call.signature)),
        "name": .string(reply.toolName(call.name)), "input": ToolArguments.object(call.arguments),
      ]
    case .image, .audio, .video, .file, .toolResult: return nil
    }
  }
}
