/// Writes a stream for Gemini's clients: server-sent events with CRLF, no names, no end mark. Function calls go out
/// whole, so their arguments are collected until the answer finishes; finish reason and usage share the last event.
///
/// With `alt=sse` clients want events; without it the API sends one JSON array piece by piece.
package struct GeminiStreamWriter: ChatStreamWriter {
  package enum Form: Sendable {
    case events
    case array
  }

  private let reply: ReplyFacts
  private let form: Form
  private var id = ""
  private var model = ""
  private var calls = PendingCalls()
  private var finishReason: FinishReason?
  private var usage: TokenUsage?
  private var hasWritten = false

  package init(_ reply: ReplyFacts) { self.init(reply, form: reply.asArray ? .array : .events) }

  package init(_ reply: ReplyFacts, form: Form) {
    self.reply = reply
    self.form = form
  }

  package mutating func write(_ delta: ChatDelta, to out: inout [UInt8]) throws(UnreadableAnswer) {
    switch delta {
    case .start(let id, let model): (self.id, self.model) = (id, model)
    case .text(let text), .refusal(let text): part(.record(["text": .string(text)]), isEmpty: text.isEmpty, to: &out)
    case .reasoning(let text):
      part(.record(["text": .string(text), "thought": .bool(true)]), isEmpty: text.isEmpty, to: &out)
    // Gemini's clients could not hand them back to the provider they came from.
    case .reasoningSignature, .redactedReasoning: break
    case .toolCall(let index, let id, let name, let signature):
      try calls.begin(index, id: id, name: name, signature: signature)
    case .toolArguments(let index, let text): try calls.append(index, text)
    case .finish(let reason, _): finishReason = reason
    case .usage(let usage): self.usage = usage
    case .end: end(to: &out)
    case .failure(let failure): fail(GatewayError(failure), to: &out)
    }
  }

  package mutating func fail(_ error: GatewayError, to out: inout [UInt8]) {
    write(GatewayErrorBody.render(.gemini, error), to: &out)
    if form == .array { out.append(Ascii.closeBracket) }
  }

  package func keepAlive(to out: inout [UInt8]) {
    switch form {
    case .events: out.append(StreamFraming.comment)
    // Between elements, and before the first, JSON allows it.
    case .array: out.append(Ascii.lineFeed)
    }
  }

  private mutating func part(_ part: JSONValue, isEmpty: Bool, to out: inout [UInt8]) {
    guard !isEmpty else { return }
    chunk([part], finish: nil, to: &out)
  }

  private mutating func end(to out: inout [UInt8]) {
    let parts = calls.take().map { call in
      GeminiChat.functionCall(
        ToolCall(id: call.id, name: call.name, arguments: call.arguments, signature: call.signature), reply)
    }
    if !parts.isEmpty { chunk(parts, finish: nil, to: &out) }
    chunk([.record(["text": .string("")])], finish: GeminiChat.finishReason(finishReason ?? .stop), to: &out)
    if form == .array { out.append(Ascii.closeBracket) }
  }

  private mutating func chunk(_ parts: [JSONValue], finish: String?, to out: inout [UInt8]) {
    let usage = finish == nil ? nil : usage.map(GeminiChat.usageValue)
    let value = GeminiChat.chunk(parts, finish: finish, usage, reply, id: id, model: model)
    var bytes: [UInt8] = []
    value.append(to: &bytes)
    write(bytes, to: &out)
  }

  private mutating func write(_ document: [UInt8], to out: inout [UInt8]) {
    switch form {
    case .events:
      out.append("data: ")
      out += document
      out.append("\r\n\r\n")
    case .array:
      out.append(hasWritten ? ",\r\n" : "[")
      out += document
    }
    hasWritten = true
  }
}
