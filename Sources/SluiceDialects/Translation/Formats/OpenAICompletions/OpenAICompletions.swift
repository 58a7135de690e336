/// OpenAI's legacy text completions, for clients that still speak them: the prompt becomes a user's message, the
/// answer's text the completion.
package enum OpenAICompletions: ChatClientFormat {
  package typealias StreamWriter = CompletionsStreamWriter

  private static let known: Set<String> = [
    "model", "prompt", "max_tokens", "temperature", "top_p", "n", "best_of", "stop", "seed", "presence_penalty",
    "frequency_penalty", "stream", "stream_options", "user", "echo", "suffix",
  ]

  package static func readRequest(
    _ body: JSONValue, model: String, streams: Bool, _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) -> ChatRequest {
    let fields = try WireObject(body)
    guard try fields.text("suffix") ?? "" == "" else {
      throw fields.fault("suffix", "filling in the middle cannot be translated for this model's provider")
    }
    guard try fields.flag("echo") != true else { throw fields.fault("echo", "the prompt cannot be repeated") }
    for name in ["n", "best_of"] {
      if let count = try fields.integer(name, in: 1...128), count > 1 {
        throw fields.fault(name, "several answers to one request cannot be translated; ask once for each")
      }
    }
    var request = ChatRequest(model: model.isEmpty ? try fields.requiredText("model") : model)
    request.messages = [ChatMessage(.user, text: try readPrompt(fields))]
    request.maxOutputTokens = try fields.integer("max_tokens", in: 1...Int(Int32.max))
    request.sampling.temperature = try fields.number("temperature", in: 0...2)
    request.sampling.topP = try fields.number("top_p", in: 0...1)
    request.sampling.seed = try fields.integer("seed")
    request.sampling.presencePenalty = try fields.number("presence_penalty", in: -2...2)
    request.sampling.frequencyPenalty = try fields.number("frequency_penalty", in: -2...2)
    if let stop = fields["stop"] {
      request.stop = if case .string(let text) = stop { [text] } else { try fields.texts("stop") ?? [] }
    }
    request.streams = streams
    request.includesUsage = try fields.object("stream_options")?.flag("include_usage") ?? false
    request.user = try fields.text("user")
    fields.dropOthers(than: known, &notes)
    return request
  }

  private static func readPrompt(_ fields: WireObject) throws(TranslationRefusal) -> String {
    guard let prompt = fields["prompt"] else { throw fields.fault("prompt", "is missing") }
    if case .string(let text) = prompt { return text }
    guard case .array(let items) = prompt else { throw fields.fault("prompt", "must be a string") }
    guard items.count == 1 else {
      throw fields.fault("prompt", "several prompts cannot be translated; ask once for each")
    }
    guard let text = items[0].string else {
      throw fields.fault("prompt", "token ids mean nothing to this model's provider; send text")
    }
    return text
  }

  package static func writeAnswer(_ answer: ChatAnswer, _ reply: ReplyFacts) -> JSONValue {
    let text = answer.parts.reduce(into: "") { text, part in
      if case .text(let piece) = part { text += piece }
      if case .refusal(let piece) = part { text += piece }
    }
    var body = JSONObject()
    body["id"] = .string(AnswerID.with("cmpl-", answer.id, else: reply.id))
    body["object"] = "text_completion"
    body["created"] = .int(reply.created)
    body["model"] = .string(answer.model.isEmpty ? reply.model : answer.model)
    body["choices"] = [choice(text, answer.finish)]
    body["usage"] = answer.usage.map(OpenAIChat.usage)
    return body.value
  }

  /// - Parameter finish: nothing while the answer goes on.
  static func choice(_ text: String, _ finish: FinishReason?) -> JSONValue {
    // There were no tools to call.
    let word = finish.map { $0 == .toolUse ? "stop" : OpenAIChat.text($0) }
    return [
      "text": .string(text), "index": 0, "logprobs": .null, "finish_reason": word.map(JSONValue.string) ?? .null,
    ]
  }
}
