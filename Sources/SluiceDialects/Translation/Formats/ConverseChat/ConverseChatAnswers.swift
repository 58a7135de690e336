extension ConverseChat {
  package static func readAnswer(_ body: JSONValue) throws(UnreadableAnswer) -> ChatAnswer {
    guard let blocks = body["output"]?["message"]?["content"]?.array else {
      throw UnreadableAnswer("the answer has no message")
    }
    let reason = body["stopReason"]?.string ?? ""
    guard let finish = finishReason(reason) else {
      throw UnreadableAnswer("the model's answer ended with \(reason.isEmpty ? "no stop reason" : reason)")
    }
    return ChatAnswer(parts: blocks.compactMap(part), finish: finish, usage: usage(body["usage"]))
  }

  private static func part(_ block: JSONValue) -> ContentPart? {
    if let text = block["text"]?.string { return text.isEmpty ? nil : .text(text) }
    if let call = block.given("toolUse") {
      return .toolCall(
        ToolCall(
          id: call["toolUseId"]?.string ?? "", name: call["name"]?.string ?? "",
          arguments: ToolArguments.text(call["input"])))
    }
    if let reasoning = block.given("reasoningContent") {
      if let redacted = reasoning["redactedContent"]?.string {
        return .reasoning(ReasoningPart(redacted, isRedacted: true))
      }
      let text = reasoning["reasoningText"]
      return .reasoning(ReasoningPart(text?["text"]?.string ?? "", signature: text?["signature"]?.string))
    }
    guard let cited = block["citationsContent"]?["content"]?.array else { return nil }
    return .text(cited.compactMap { $0["text"]?.string }.joined())
  }

  package static func writeAnswer(_ answer: ChatAnswer, _ reply: ReplyFacts) -> JSONValue {
    let content = answer.parts.compactMap { block($0, reply) }
    return .record([
      "output": .record(["message": .record(["role": .string("assistant"), "content": .array(content)])]),
      "stopReason": .string(finishReason(answer.finish)),
      "usage": usageValue(answer.usage ?? TokenUsage()),
      // Required by the service's model; what the provider needed is in `server-timing`.
      "metrics": .record(["latencyMs": .int(0)]),
    ])
  }

  private static func block(_ part: ContentPart, _ reply: ReplyFacts) -> JSONValue? {
    switch part {
    case .text(let text), .refusal(let text): return text.isEmpty ? nil : .record(["text": .string(text)])
    case .reasoning(let thought):
      if thought.isRedacted {
        return .record(["reasoningContent": .record(["redactedContent": .string(thought.text)])])
      }
      return .record([
        "reasoningContent": .record([
          "reasoningText": .record(["text": .string(thought.text), "signature": .text(thought.signature)])
        ])
      ])
    case .toolCall(let call):
      return .record([
        "toolUse": .record([
          "toolUseId": .string(SignedCallID.join(call.id, call.signature)), "name": .string(reply.toolName(call.name)),
          "input": ToolArguments.object(call.arguments),
        ])
      ])
    case .image, .audio, .video, .file, .toolResult: return nil
    }
  }
}
