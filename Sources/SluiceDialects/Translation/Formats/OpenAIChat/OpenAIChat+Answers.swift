extension OpenAIChat {
  /// Reads tolerantly: servers that are shaped like OpenAI leave out ids, send content as a list or arguments as an
  /// object.
  package static func readAnswer(_ body: JSONValue) throws(UnreadableAnswer) -> ChatAnswer {
    guard let choice = body["choices"]?.array?.first, let message = choice.given("message") else {
      let text = body["error"]?["message"]?.string ?? body["error"]?.string ?? body["message"]?.string
      throw UnreadableAnswer(text.map { "an error instead of an answer: \($0.prefix(200))" } ?? "no choices")
    }
    let id = body["id"]?.string ?? ""
    var parts = OpenAIParts.read(message)
    parts += OpenAIParts.calls(message, answer: id)
    let word = choice["finish_reason"]?.string ?? "stop"
    guard !isBreakdown(finish: word) else { throw UnreadableAnswer("the provider broke off with '\(word)'") }
    var finish = finishReason(word)
    let hasCalls = parts.contains { if case .toolCall = $0 { true } else { false } }
    if hasCalls, finish == .stop { finish = .toolUse }
    return ChatAnswer(
      id: id, model: body["model"]?.string ?? "", parts: parts, finish: finish, usage: readUsage(body["usage"]))
  }

  static func readUsage(_ value: JSONValue?) -> TokenUsage? {
    guard let value, value.members != nil else { return nil }
    func count(_ path: String...) -> Int { max(0, path.reduce(value) { $0[$1] ?? .null }.int ?? 0) }
    guard value.given("prompt_tokens") != nil || value.given("completion_tokens") != nil else { return nil }
    return TokenUsage(
      input: count("prompt_tokens"), output: count("completion_tokens"),
      cachedInput: count("prompt_tokens_details", "cached_tokens"),
      cacheWrite: count("prompt_tokens_details", "cache_write_tokens"),
      reasoning: count("completion_tokens_details", "reasoning_tokens"))
  }

  package static func writeAnswer(_ answer: ChatAnswer, _ reply: ReplyFacts) -> JSONValue {
    var body = JSONObject()
    body["id"] = .string(AnswerID.with("chatcmpl-", answer.id, else: reply.id))
    body["object"] = "chat.completion"
    body["created"] = .int(reply.created)
    body["model"] = .string(answer.model.isEmpty ? reply.model : answer.model)
    body["choices"] = [
      [
        "index": 0, "message": message(answer, reply), "logprobs": .null,
        "finish_reason": .string(text(answer.finish)),
      ]
    ]
    body["usage"] = answer.usage.map(usage)
    return body.value
  }

  private static func message(_ answer: ChatAnswer, _ reply: ReplyFacts) -> JSONValue {
    var message = JSONObject()
    message["role"] = "assistant"
    let text = ChatMessage(.assistant, answer.parts).text
    let refusal = answer.parts.compactMap { if case .refusal(let text) = $0 { text } else { nil } }.joined()
    message["content"] = text.isEmpty ? .null : .string(text)
    message["refusal"] = refusal.isEmpty ? .null : .string(refusal)
    let thoughts = answer.parts.compactMap { if case .reasoning(let part) = $0 { part } else { nil } }
    let reasoning = thoughts.filter { !$0.isRedacted }.map(\.text).joined()
    if !reasoning.isEmpty { message["reasoning_content"] = .string(reasoning) }
    if thoughts.contains(where: { $0.signature != nil || $0.isRedacted }) {
      message["thinking_blocks"] = .array(thoughts.map(thinkingBlock))
    }
    let calls = answer.parts.compactMap { if case .toolCall(let call) = $0 { call } else { nil } }
    if !calls.isEmpty { message["tool_calls"] = .array(calls.map { self.call($0, reply) }) }
    return message.value
  }

  /// Not OpenAI's own: clients that send their history back as they got it keep providers' proofs alive this way.
  private static func thinkingBlock(_ thought: ReasoningPart) -> JSONValue {
    if thought.isRedacted { return ["type": "redacted_thinking", "data": .string(thought.text)] }
    return [
      "type": "thinking", "thinking": .string(thought.text), "signature": .string(thought.signature ?? ""),
    ]
  }

  private static func call(_ call: ToolCall, _ reply: ReplyFacts) -> JSONValue {
    var object = JSONObject()
    object["id"] = .string(call.id)
    object["type"] = "function"
    object["function"] = [
      "name": .string(reply.toolName(call.name)),
      "arguments": .string(call.arguments.isEmpty ? "{}" : call.arguments),
    ]
    if let signature = call.signature {
      object["extra_content"] = ["google": ["thought_signature": .string(signature)]]
    }
    return object.value
  }

  static func usage(_ usage: TokenUsage) -> JSONValue {
    [
      "prompt_tokens": .int(usage.input), "completion_tokens": .int(usage.output), "total_tokens": .int(usage.total),
      "prompt_tokens_details": [
        "cached_tokens": .int(usage.cachedInput), "cache_write_tokens": .int(usage.cacheWrite),
      ],
      "completion_tokens_details": ["reasoning_tokens": .int(usage.reasoning)],
    ]
  }
}
