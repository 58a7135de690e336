extension ResponsesChat {
  package static func writeAnswer(_ answer: ChatAnswer, _ reply: ReplyFacts) -> JSONValue {
    let id = AnswerID.with("resp_", answer.id, else: reply.id)
    var response = response(id: id, model: answer.model, reply)
    response["output"] = .array(output(answer.parts, id, reply))
    close(&response, answer.finish, answer.usage)
    return response.value
  }

  /// A response in progress, without output.
  static func response(id: String, model: String, _ reply: ReplyFacts) -> JSONObject {
    var object = JSONObject()
    object["id"] = .string(id)
    object["object"] = "response"
    object["created_at"] = .int(reply.created)
    object["status"] = "in_progress"
    object["background"] = false
    for name in ["error", "incomplete_details", "instructions", "max_output_tokens"] { object[name] = .null }
    object["model"] = .string(model.isEmpty ? reply.model : model)
    object["output"] = []
    object["parallel_tool_calls"] = true
    object["previous_response_id"] = .null
    object["reasoning"] = ["effort": .null, "summary": .null]
    object["store"] = false
    object["temperature"] = .null
    object["text"] = ["format": ["type": "text"]]
    object["tool_choice"] = "auto"
    object["tools"] = []
    object["top_p"] = .null
    object["truncation"] = "disabled"
    object["usage"] = .null
    object["user"] = .null
    object["metadata"] = [:]
    return object
  }

  /// - Returns: whether the answer is whole.
  @discardableResult
  static func close(_ response: inout JSONObject, _ finish: FinishReason, _ usage: TokenUsage?) -> Bool {
    let reason = incompleteReason(finish)
    response["status"] = reason == nil ? "completed" : "incomplete"
    response["incomplete_details"] = reason.map { ["reason": .string($0)] } ?? .null
    response["usage"] = usage.map(self.usage) ?? .null
    return reason == nil
  }

  private static func incompleteReason(_ finish: FinishReason) -> String? {
    switch finish {
    case .length, .contextWindow: "max_output_tokens"
    case .contentFilter, .refusal: "content_filter"
    case .stop, .stopSequence, .toolUse, .paused, .other: nil
    }
  }

  private static func usage(_ usage: TokenUsage) -> JSONValue {
    [
      "input_tokens": .int(usage.input),
      "input_tokens_details": [
        "cached_tokens": .int(usage.cachedInput), "cache_write_tokens": .int(usage.cacheWrite),
      ],
      "output_tokens": .int(usage.output),
      "output_tokens_details": ["reasoning_tokens": .int(usage.reasoning)], "total_tokens": .int(usage.total),
    ]
  }

  // MARK: Items

  /// Texts and refusals that stand together are one message.
  private static func output(_ parts: [ContentPart], _ id: String, _ reply: ReplyFacts) -> [JSONValue] {
    var items: [JSONValue] = []
    var content: [JSONValue] = []
    func flush() {
      guard !content.isEmpty else { return }
      items.append(message(itemID("msg_", id, items.count), content))
      content = []
    }
    for part in parts {
      switch part {
      case .text(let text): content.append(textPart(text))
      case .refusal(let text): content.append(refusalPart(text))
      case .reasoning(let thought) where !thought.isRedacted:
        flush()
        items.append(reasoning(itemID("rs_", id, items.count), thought.text))
      case .toolCall(let call):
        flush()
        items.append(
          self.call(
            itemID("fc_", id, items.count), SignedCallID.join(call.id, call.signature), reply.toolName(call.name),
            call.arguments.isEmpty ? "{}" : call.arguments, "completed"))
      default: break
      }
    }
    flush()
    return items
  }

  /// Unique within the conversation: the response's own id and the item's place.
  static func itemID(_ prefix: String, _ response: String, _ index: Int) -> String {
    "\(AnswerID.with(prefix, response, else: ""))_\(index)"
  }

  static func textPart(_ text: String) -> JSONValue {
    ["type": "output_text", "text": .string(text), "annotations": []]
  }

  static func refusalPart(_ text: String) -> JSONValue { ["type": "refusal", "refusal": .string(text)] }

  static func message(_ id: String, _ content: [JSONValue], _ status: JSONValue = "completed") -> JSONValue {
    ["id": .string(id), "type": "message", "status": status, "role": "assistant", "content": .array(content)]
  }

  static func reasoning(_ id: String, _ text: String?) -> JSONValue {
    let summary: [JSONValue] = text.map { [["type": "summary_text", "text": .string($0)]] } ?? []
    return ["id": .string(id), "type": "reasoning", "summary": .array(summary)]
  }

  static func call(
    _ id: String, _ callID: String, _ name: String, _ arguments: String, _ status: JSONValue
  ) -> JSONValue {
    [
      "id": .string(id), "type": "function_call", "status": status, "call_id": .string(callID),
      "name": .string(name), "arguments": .string(arguments),
    ]
  }
}
