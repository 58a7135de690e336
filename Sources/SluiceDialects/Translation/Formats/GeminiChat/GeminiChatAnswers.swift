extension GeminiChat {
  package static func readAnswer(_ body: JSONValue) throws(UnreadableAnswer) -> ChatAnswer {
    guard body.members != nil else { throw UnreadableAnswer("the answer is no object") }
    var reader = GeminiPartReader(responseID: body["responseId"]?.string ?? "")
    var answer = ChatAnswer(
      id: reader.responseID, model: body["modelVersion"]?.string ?? "", parts: [], finish: .other,
      usage: usage(body["usageMetadata"]))
    guard let candidate = body["candidates"]?.array?.first else {
      guard body["promptFeedback"]?["blockReason"]?.string != nil else {
        throw UnreadableAnswer("the answer has no candidates")
      }
      answer.finish = .contentFilter
      return answer
    }
    for part in candidate["content"]?["parts"]?.array ?? [] {
      if let read = reader.read(part) { answer.parts.append(read) }
    }
    let reason = candidate["finishReason"]?.string ?? ""
    guard let finish = finishReason(reason), finish != .other || !answer.parts.isEmpty else {
      throw UnreadableAnswer("the model's answer ended with \(reason.isEmpty ? "no finish reason" : reason)")
    }
    answer.finish = finish == .stop && reader.calls > 0 ? .toolUse : finish
    return answer
  }

  package static func writeAnswer(_ answer: ChatAnswer, _ reply: ReplyFacts) -> JSONValue {
    var parts: [JSONValue] = []
    for part in answer.parts { appendAnswer(part, reply, to: &parts) }
    let usage = answer.usage.map(usageValue)
    return chunk(parts, finish: finishReason(answer.finish), usage, reply, id: answer.id, model: answer.model)
  }

  private static func appendAnswer(_ part: ContentPart, _ reply: ReplyFacts, to parts: inout [JSONValue]) {
    switch part {
    case .text(let text), .refusal(let text):
      if !text.isEmpty { parts.append(.record(["text": .string(text)])) }
    case .reasoning(let reasoning):
      guard !reasoning.isRedacted, !reasoning.text.isEmpty else { return }
      parts.append(.record(["text": .string(reasoning.text), "thought": .bool(true)]))
    case .toolCall(let call): parts.append(functionCall(call, reply))
    case .image, .audio, .video, .file, .toolResult: break
    }
  }

  static func functionCall(_ call: ToolCall, _ reply: ReplyFacts) -> JSONValue {
    .record([
      "functionCall": .record([
        "id": .string(call.id), "name": .string(reply.toolName(call.name)),
        "args": ToolArguments.object(call.arguments),
      ]),
      "thoughtSignature": .text(call.signature),
    ])
  }

  /// One answer, or one piece of a streamed one: both have the same shape.
  static func chunk(
    _ parts: [JSONValue], finish: String?, _ usage: JSONValue?, _ reply: ReplyFacts, id: String, model: String
  ) -> JSONValue {
    .record([
      "candidates": .array([
        .record([
          "content": .record(["parts": .array(parts), "role": .string("model")]), "finishReason": .text(finish),
          "index": .int(0),
        ])
      ]),
      "usageMetadata": usage,
      "modelVersion": .string(model.isEmpty ? reply.model : model),
      "responseId": .string(id.isEmpty ? reply.id : id),
    ])
  }
}
