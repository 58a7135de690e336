extension CohereChat {
  package static func readAnswer(_ body: JSONValue) throws(UnreadableAnswer) -> ChatAnswer {
    guard let message = body["message"], message.members != nil else {
      throw UnreadableAnswer("the answer has no message")
    }
    let reason = body["finish_reason"]?.string ?? ""
    guard let finish = finishReason(reason) else {
      throw UnreadableAnswer("the model's answer ended with \(reason.isEmpty ? "no finish reason" : reason)")
    }
    var parts: [ContentPart] = []
    for part in message["content"]?.array ?? [] {
      if let text = part["text"]?.string, !text.isEmpty { parts.append(.text(text)) }
      if let thought = part["thinking"]?.string, !thought.isEmpty { parts.append(.reasoning(ReasoningPart(thought))) }
    }
    if let plan = message["tool_plan"]?.string, !plan.isEmpty { parts.append(.text(plan)) }
    for call in message["tool_calls"]?.array ?? [] { parts.append(.toolCall(readCall(call))) }
    return ChatAnswer(
      id: body["id"]?.string ?? "", parts: parts, finish: finish, usage: usage(body["usage"]))
  }

  private static func readCall(_ call: JSONValue) -> ToolCall {
    ToolCall(
      id: call["id"]?.string ?? "", name: call["function"]?["name"]?.string ?? "",
      arguments: call["function"]?["arguments"]?.string ?? "")
  }

  package static func writeAnswer(_ answer: ChatAnswer, _ reply: ReplyFacts) -> JSONValue {
    var content: [JSONValue] = []
    var calls: [JSONValue] = []
    var text = ""
    for part in answer.parts {
      switch part {
      case .text(let piece), .refusal(let piece): text += piece
      case .reasoning(let thought):
        guard !thought.isRedacted, !thought.text.isEmpty else { continue }
        content.append(.record(["type": .string("thinking"), "thinking": .string(thought.text)]))
      case .toolCall(var call):
        call.id = SignedCallID.join(call.id, call.signature)
        call.name = reply.toolName(call.name)
        calls.append(toolCall(call))
      case .image, .audio, .video, .file, .toolResult: break
      }
    }
    // Beside calls, text is the plan.
    if calls.isEmpty { content.append(.record(["type": .string("text"), "text": .string(text)])) }
    return .record([
      "id": .string(answer.id.isEmpty ? reply.id : answer.id), "finish_reason": .string(finishReason(answer.finish)),
      "message": .record([
        "role": .string("assistant"), "content": JSONValue.array(content).unlessEmpty,
        "tool_plan": calls.isEmpty || text.isEmpty ? nil : .string(text),
        "tool_calls": JSONValue.array(calls).unlessEmpty,
      ]),
      "usage": answer.usage.map(usageValue),
    ])
  }
}
