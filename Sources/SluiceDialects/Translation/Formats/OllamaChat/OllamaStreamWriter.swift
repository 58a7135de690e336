/// Writes a stream for Ollama's clients: one JSON object per line. Tool calls go out whole before the last line, so their
/// arguments are collected until then; the last line is `done` and carries reason and counts.
package struct OllamaStreamWriter: ChatStreamWriter {
  /// Which of the two paths the client asked.
  enum Form: Sendable {
    case chat
    case generate
  }

  private let reply: ReplyFacts
  private let form: Form
  private var calls = PendingCalls()
  private var finishReason: FinishReason?
  private var usage: TokenUsage?

  package init(_ reply: ReplyFacts) { self.init(reply, form: .chat) }

  init(_ reply: ReplyFacts, form: Form) {
    self.reply = reply
    self.form = form
  }

  package mutating func write(_ delta: ChatDelta, to out: inout [UInt8]) throws(UnreadableAnswer) {
    switch delta {
    case .start, .reasoningSignature, .redactedReasoning: break
    case .text(let text), .refusal(let text): if !text.isEmpty { line(text: text, to: &out) }
    case .reasoning(let text): if !text.isEmpty { line(thinking: text, to: &out) }
    case .toolCall(let index, let id, let name, let signature):
      try calls.begin(index, id: SignedCallID.join(id, signature), name: name, signature: nil)
    case .toolArguments(let index, let text): try calls.append(index, text)
    case .finish(let reason, _): finishReason = reason
    case .usage(let usage): self.usage = usage
    case .end: end(to: &out)
    case .failure(let failure): fail(GatewayError(failure), to: &out)
    }
  }

  package mutating func fail(_ error: GatewayError, to out: inout [UInt8]) {
    out += GatewayErrorBody.streamEvent(.ollama, .ollamaChat, error)
  }

  private mutating func end(to out: inout [UInt8]) {
    let items = calls.take().map { call in
      OllamaChat.toolCall(
        ToolCall(id: call.id, name: call.name, arguments: call.arguments), reply.toolName(call.name))
    }
    if !items.isEmpty, form == .chat { line(calls: items, to: &out) }
    let last = JSONValue.record([
      "done_reason": .string(OllamaChat.finishReason(finishReason ?? .stop)),
      "prompt_eval_count": .number(usage?.input), "eval_count": .number(usage?.output),
    ])
    line(last: last.members, to: &out)
  }

  private func line(
    text: String = "", thinking: String = "", calls: [JSONValue] = [], last: [JSONMember]? = nil, to out: inout [UInt8]
  ) {
    var members = [
      JSONMember(name: "model", value: .string(reply.model)),
      JSONMember(name: "created_at", value: .string(DateText.rfc3339(unixSeconds: reply.created))),
    ]
    switch form {
    case .chat: members.append(JSONMember(name: "message", value: OllamaChat.message(text, thinking, calls)))
    case .generate:
      members.append(JSONMember(name: "response", value: .string(text)))
      if !thinking.isEmpty { members.append(JSONMember(name: "thinking", value: .string(thinking))) }
    }
    members.append(JSONMember(name: "done", value: .bool(last != nil)))
    JSONValue.object(members + (last ?? [])).append(to: &out)
    out.append(Ascii.lineFeed)
  }
}
