/// Ollama's `/api/generate`: one prompt, one text. Clients speak it; servers of one's own are spoken to as OpenAI's,
/// Ollama's among them.
package enum OllamaGenerate: ChatFormat {
  package typealias StreamReader = OllamaStreamReader

  package static func readRequest(
    _ body: JSONValue, model: String, streams: Bool, _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) -> ChatRequest {
    let source = try WireObject(body)
    source.dropOthers(
      than: [
        "model", "prompt", "system", "images", "format", "options", "stream", "think", "suffix", "template", "context",
        "raw",
      ], &notes)
    if let suffix = try source.text("suffix"), !suffix.isEmpty { try source.refuse("suffix") }
    if let template = try source.text("template"), !template.isEmpty { try source.refuse("template") }
    if let context = try source.array("context"), !context.isEmpty { try source.refuse("context") }
    if try source.flag("raw") == true { try source.refuse("raw") }
    var request = ChatRequest(model: model)
    if let system = try source.text("system"), !system.isEmpty {
      request.messages.append(ChatMessage(.system, text: system))
    }
    let prompt = try source.text("prompt") ?? ""
    guard !prompt.isEmpty else {
      throw source.refusal("prompt", "'prompt' must not be empty: models of other providers cannot be loaded ahead.")
    }
    request.messages.append(ChatMessage(.user, [.text(prompt)] + (try OllamaChat.images(source))))
    try OllamaChat.readCommon(source, streams: streams, &request, &notes)
    return request
  }

  package static func writeRequest(
    _ request: ChatRequest, for target: ChatTarget, _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) -> JSONValue {
    try OllamaChat.writeRequest(request, for: target, &notes)
  }

  package static func readAnswer(_ body: JSONValue) throws(UnreadableAnswer) -> ChatAnswer {
    try OllamaChat.readAnswer(body)
  }

  package static func writeAnswer(_ answer: ChatAnswer, _ reply: ReplyFacts) -> JSONValue {
    let spoken = OllamaChat.Spoken(answer, reply)
    return .record([
      "model": .string(reply.model), "created_at": .string(DateText.rfc3339(unixSeconds: reply.created)),
      "response": .string(spoken.text), "thinking": spoken.thinking.isEmpty ? nil : .string(spoken.thinking),
      "done": .bool(true), "done_reason": .string(OllamaChat.finishReason(answer.finish)),
      "prompt_eval_count": .number(answer.usage?.input), "eval_count": .number(answer.usage?.output),
    ])
  }

  package struct StreamWriter: ChatStreamWriter {
    private var lines: OllamaStreamWriter

    package init(_ reply: ReplyFacts) { lines = OllamaStreamWriter(reply, form: .generate) }

    package mutating func write(_ delta: ChatDelta, to out: inout [UInt8]) throws(UnreadableAnswer) {
      try lines.write(delta, to: &out)
    }

    package mutating func fail(_ error: GatewayError, to out: inout [UInt8]) { lines.fail(error, to: &out) }
  }
}
