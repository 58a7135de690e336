extension OllamaChat {
  package static func readAnswer(_ body: JSONValue) throws(UnreadableAnswer) -> ChatAnswer {
    if let error = body["error"]?.string { throw UnreadableAnswer(String(error.prefix(200))) }
    guard body["done"]?.bool == true else { throw UnreadableAnswer("the answer is not done") }
    var parts: [ContentPart] = []
    let message = body["message"] ?? body
    if let thought = message["thinking"]?.string, !thought.isEmpty { parts.append(.reasoning(ReasoningPart(thought))) }
    let text = message["content"]?.string ?? body["response"]?.string ?? ""
    if !text.isEmpty { parts.append(.text(text)) }
    let calls = message["tool_calls"]?.array ?? []
    for (index, call) in calls.enumerated() { parts.append(.toolCall(readCall(call, index))) }
    return ChatAnswer(
      model: body["model"]?.string ?? "", parts: parts,
      finish: finishReason(body["done_reason"]?.string ?? "stop", hasCalls: !calls.isEmpty), usage: usage(body))
  }

  static func readCall(_ call: JSONValue, _ index: Int) -> ToolCall {
    let name = call["function"]?["name"]?.string ?? ""
    let arguments = ToolArguments.text(call["function"]?["arguments"])
    return ToolCall(id: callID(call["id"]?.string, index, name, arguments), name: name, arguments: arguments)
  }

  package static func writeAnswer(_ answer: ChatAnswer, _ reply: ReplyFacts) -> JSONValue {
    let spoken = Spoken(answer, reply)
    return .record([
      "model": .string(reply.model), "created_at": .string(DateText.rfc3339(unixSeconds: reply.created)),
      "message": message(spoken.text, spoken.thinking, spoken.calls), "done": .bool(true),
      "done_reason": .string(finishReason(answer.finish)), "prompt_eval_count": .number(answer.usage?.input),
      "eval_count": .number(answer.usage?.output),
    ])
  }

  static func message(_ text: String, _ thinking: String, _ calls: [JSONValue]) -> JSONValue {
    .record([
      "role": .string("assistant"), "content": .string(text),
      "thinking": thinking.isEmpty ? nil : .string(thinking), "tool_calls": JSONValue.array(calls).unlessEmpty,
    ])
  }

  /// An answer's parts as Ollama tells them apart.
  struct Spoken {
    var text = ""
    var thinking = ""
    var calls: [JSONValue] = []

    init(_ answer: ChatAnswer, _ reply: ReplyFacts) {
      for part in answer.parts {
        switch part {
        case .text(let piece), .refusal(let piece): text += piece
        case .reasoning(let thought): if !thought.isRedacted { thinking += thought.text }
        case .toolCall(var call):
          call.id = SignedCallID.join(call.id, call.signature)
          calls.append(OllamaChat.toolCall(call, reply.toolName(call.name)))
        case .image, .audio, .video, .file, .toolResult: break
        }
      }
    }
  }
}
