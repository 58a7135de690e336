/// Writes a stream for Cohere's clients.
///
/// At most one content block is open: text and thoughts alternate in blocks of their own, and the first tool call
/// closes the last one. Calls may interleave, each under its own index; all end together before `message-end`, which
/// carries finish reason and usage.
package struct CohereStreamWriter: ChatStreamWriter {
  private enum Block {
    case text
    case thinking
  }

  private let reply: ReplyFacts
  private var open: Block?
  private var blocks = 0
  private var calls = 0
  private var finishReason: FinishReason?
  private var usage: TokenUsage?
  private var hasStarted = false

  package init(_ reply: ReplyFacts) { self.reply = reply }

  package mutating func write(_ delta: ChatDelta, to out: inout [UInt8]) throws(UnreadableAnswer) {
    switch delta {
    case .start(let id, _): start(id, to: &out)
    case .text(let text), .refusal(let text): content(.text, "text", text, to: &out)
    case .reasoning(let text): content(.thinking, "thinking", text, to: &out)
    case .reasoningSignature, .redactedReasoning: break
    case .toolCall(let index, let id, let name, let signature):
      guard index == calls, calls < PendingCalls.maxCalls else { throw UnreadableAnswer("tool calls out of order") }
      close(to: &out)
      calls += 1
      call(
        "tool-call-start", index, ToolCall(id: SignedCallID.join(id, signature), name: name, arguments: ""), to: &out)
    case .toolArguments(let index, let text):
      guard index < calls else { throw UnreadableAnswer("arguments of a tool call that was not begun") }
      arguments(index, text, to: &out)
    case .finish(let reason, _): finishReason = reason
    case .usage(let usage): self.usage = usage
    case .end: end(to: &out)
    case .failure(let failure): fail(GatewayError(failure), to: &out)
    }
  }

  package mutating func fail(_ error: GatewayError, to out: inout [UInt8]) {
    out += GatewayErrorBody.streamEvent(.cohere, .cohereChat, error)
  }

  package func keepAlive(to out: inout [UInt8]) { out.append(StreamFraming.comment) }

  private mutating func start(_ id: String, to out: inout [UInt8]) {
    guard !hasStarted else { return }
    hasStarted = true
    event(
      "message-start",
      [
        "id": .string(id.isEmpty ? reply.id : id),
        "delta": Self.message(["role": .string("assistant")]),
      ], to: &out)
  }

  private mutating func content(_ block: Block, _ name: String, _ text: String, to out: inout [UInt8]) {
    guard !text.isEmpty else { return }
    if open != block {
      close(to: &out)
      open = block
      let first = JSONValue.object([
        JSONMember(name: "type", value: .string(name)), JSONMember(name: name, value: .string("")),
      ])
      event("content-start", ["index": .int(blocks), "delta": Self.message(["content": first])], to: &out)
    }
    let piece = JSONValue.object([JSONMember(name: name, value: .string(text))])
    event("content-delta", ["index": .int(blocks), "delta": Self.message(["content": piece])], to: &out)
  }

  private mutating func close(to out: inout [UInt8]) {
    guard open != nil else { return }
    open = nil
    event("content-end", ["index": .int(blocks)], to: &out)
    blocks += 1
  }

  private func call(_ type: String, _ index: Int, _ call: ToolCall, to out: inout [UInt8]) {
    let value = JSONValue.record([
      "id": .string(call.id), "type": .string("function"),
      "function": .record(["name": .string(reply.toolName(call.name)), "arguments": .string("")]),
    ])
    event(type, ["index": .int(index), "delta": Self.message(["tool_calls": value])], to: &out)
  }

  private func arguments(_ index: Int, _ text: String, to out: inout [UInt8]) {
    guard !text.isEmpty else { return }
    let value = JSONValue.record(["function": .record(["arguments": .string(text)])])
    event("tool-call-delta", ["index": .int(index), "delta": Self.message(["tool_calls": value])], to: &out)
  }

  private mutating func end(to out: inout [UInt8]) {
    close(to: &out)
    for index in 0..<calls { event("tool-call-end", ["index": .int(index)], to: &out) }
    let delta = JSONValue.record([
      "finish_reason": .string(CohereChat.finishReason(finishReason ?? .stop)),
      "usage": usage.map(CohereChat.usageValue),
    ])
    event("message-end", ["delta": delta], to: &out)
    out.append("data: [DONE]\n\n")
  }

  private static func message(_ members: KeyValuePairs<String, JSONValue?>) -> JSONValue {
    .record(["message": .record(members)])
  }

  private func event(_ type: String, _ members: KeyValuePairs<String, JSONValue?>, to out: inout [UInt8]) {
    var value = [JSONMember(name: "type", value: .string(type))]
    value += members.compactMap { name, value in value.map { JSONMember(name: name, value: $0) } }
    out.append("event: ")
    out.append(contentsOf: type.utf8)
    out.append("\ndata: ")
    JSONValue.object(value).append(to: &out)
    out.append("\n\n")
  }
}
