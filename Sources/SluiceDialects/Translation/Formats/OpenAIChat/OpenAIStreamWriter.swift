/// Writes an answer as chunks: the role first, then what comes, the finish reason in a chunk of its own, usage if asked
/// for, the end mark. It keeps nothing but the two ends of a chunk, which never change.
package struct OpenAIStreamWriter: ChatStreamWriter {
  private let reply: ReplyFacts
  private var head: [UInt8] = []
  private var tail: [UInt8] = []
  private var usage: TokenUsage?
  private var isOver = false

  package init(_ reply: ReplyFacts) { self.reply = reply }

  package mutating func write(_ delta: ChatDelta, to out: inout [UInt8]) throws(UnreadableAnswer) {
    guard !isOver else { return }
    if head.isEmpty { start(delta, to: &out) }
    switch delta {
    case .start, .reasoningSignature, .redactedReasoning: break
    case .text(let text): chunk("{\"content\":", text, to: &out)
    case .refusal(let text): chunk("{\"refusal\":", text, to: &out)
    case .reasoning(let text): chunk("{\"reasoning_content\":", text, to: &out)
    case .toolCall(let index, let id, let name, let signature):
      chunk(["tool_calls": [Self.call(index, id, reply.toolName(name), signature)]], to: &out)
    case .toolArguments(let index, let text): arguments(index, text, to: &out)
    case .finish(let reason, _): finish(reason, to: &out)
    case .usage(let usage): self.usage = usage
    case .end: end(to: &out)
    case .failure(let failure):
      fail(GatewayError(failure), to: &out)
    }
  }

  package mutating func fail(_ error: GatewayError, to out: inout [UInt8]) {
    guard !isOver else { return }
    isOver = true
    out += GatewayErrorBody.streamEvent(.openai, .chat, error)
  }

  /// A comment: parsers of event streams skip it.
  package func keepAlive(to out: inout [UInt8]) { out.append(StreamFraming.comment) }

  private static func call(_ index: Int, _ id: String, _ name: String, _ signature: String?) -> JSONValue {
    var call = JSONObject()
    call["index"] = .int(index)
    call["id"] = .string(id)
    call["type"] = "function"
    call["function"] = ["name": .string(name), "arguments": ""]
    if let signature { call["extra_content"] = ["google": ["thought_signature": .string(signature)]] }
    return call.value
  }

  private mutating func start(_ delta: ChatDelta, to out: inout [UInt8]) {
    var id = ""
    var model = ""
    if case .start(let first, let second) = delta { (id, model) = (first, second) }
    head.append("data: {\"id\":")
    head.append(json: AnswerID.with("chatcmpl-", id, else: reply.id))
    head.append(",\"object\":\"chat.completion.chunk\",\"created\":")
    head.append(decimal: reply.created)
    head.append(",\"model\":")
    head.append(json: model.isEmpty ? reply.model : model)
    head.append(",\"choices\":[")
    // Those who ask for usage are promised the member in every chunk.
    tail.append(reply.includesUsage ? "],\"usage\":null}\n\n" : "]}\n\n")
    chunk(["role": "assistant", "content": ""], to: &out)
  }

  private func begin(_ out: inout [UInt8]) {
    out += head
    out.append("{\"index\":0,\"delta\":")
  }

  private func end(_ out: inout [UInt8], finish: String? = nil) {
    out.append(",\"logprobs\":null,\"finish_reason\":")
    if let finish { out.append(json: finish) } else { out.append("null") }
    out.append("}")
    out += tail
  }

  private func chunk(_ delta: JSONValue, to out: inout [UInt8]) {
    begin(&out)
    delta.append(to: &out)
    end(&out)
  }

  private func chunk(_ opening: StaticString, _ text: String, to out: inout [UInt8]) {
    begin(&out)
    out.append(opening)
    out.append(json: text)
    out.append("}")
    end(&out)
  }

  private func arguments(_ index: Int, _ text: String, to out: inout [UInt8]) {
    begin(&out)
    out.append("{\"tool_calls\":[{\"index\":")
    out.append(decimal: index)
    out.append(",\"function\":{\"arguments\":")
    out.append(json: text)
    out.append("}}]}")
    end(&out)
  }

  private func finish(_ reason: FinishReason, to out: inout [UInt8]) {
    begin(&out)
    out.append("{}")
    end(&out, finish: OpenAIChat.text(reason))
  }

  private mutating func end(to out: inout [UInt8]) {
    isOver = true
    if reply.includesUsage, let usage {
      out += head
      out.append("],\"usage\":")
      OpenAIChat.usage(usage).append(to: &out)
      out.append("}\n\n")
    }
    out.append("data: [DONE]\n\n")
  }
}
