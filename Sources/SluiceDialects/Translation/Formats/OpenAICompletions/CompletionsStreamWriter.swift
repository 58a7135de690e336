/// Writes an answer as chunks of a text completion, the end mark behind them.
package struct CompletionsStreamWriter: ChatStreamWriter {
  private let reply: ReplyFacts
  private var id = ""
  private var model = ""
  private var usage: TokenUsage?
  private var isOver = false

  package init(_ reply: ReplyFacts) { self.reply = reply }

  package mutating func write(_ delta: ChatDelta, to out: inout [UInt8]) throws(UnreadableAnswer) {
    guard !isOver else { return }
    switch delta {
    case .start(let id, let model): (self.id, self.model) = (id, model)
    case .text(let text), .refusal(let text): chunk([OpenAICompletions.choice(text, nil)], nil, to: &out)
    case .finish(let reason, _): chunk([OpenAICompletions.choice("", reason)], nil, to: &out)
    case .usage(let usage): self.usage = usage
    case .end: end(to: &out)
    case .failure(let failure): fail(GatewayError(failure), to: &out)
    case .reasoning, .reasoningSignature, .redactedReasoning, .toolCall, .toolArguments: break
    }
  }

  package mutating func fail(_ error: GatewayError, to out: inout [UInt8]) {
    guard !isOver else { return }
    isOver = true
    out += GatewayErrorBody.streamEvent(.openai, .completions, error)
  }

  /// A comment: parsers of event streams skip it.
  package func keepAlive(to out: inout [UInt8]) { out.append(StreamFraming.comment) }

  private mutating func end(to out: inout [UInt8]) {
    isOver = true
    if reply.includesUsage, let usage { chunk([], usage, to: &out) }
    out.append("data: [DONE]\n\n")
  }

  private func chunk(_ choices: JSONValue, _ usage: TokenUsage?, to out: inout [UInt8]) {
    var object = JSONObject()
    object["id"] = .string(AnswerID.with("cmpl-", id, else: reply.id))
    object["object"] = "text_completion"
    object["created"] = .int(reply.created)
    object["model"] = .string(model.isEmpty ? reply.model : model)
    object["choices"] = choices
    if reply.includesUsage { object["usage"] = usage.map(OpenAIChat.usage) ?? .null }
    out.append("data: ")
    object.value.append(to: &out)
    out.append("\n\n")
  }
}
