/// Writes a stream for Bedrock's clients: AWS's binary messages, `metadata` last.
///
/// Blocks follow one another and cannot interleave. Text and thoughts share the open block as long as their kind stays.
/// The first tool call streams; calls that begin while one is open wait until the answer finishes, because arguments of
/// the open one may still come.
package struct ConverseStreamWriter: ChatStreamWriter {
  private enum Block: Equatable {
    case text
    case reasoning
    case call(Int)
  }

  private let reply: ReplyFacts
  private var open: Block?
  private var index = 0
  private var waiting = PendingCalls()
  private var hasStarted = false
  private var finishReason: FinishReason?
  private var usage: TokenUsage?

  package init(_ reply: ReplyFacts) { self.reply = reply }

  package mutating func write(_ delta: ChatDelta, to out: inout [UInt8]) throws(UnreadableAnswer) {
    switch delta {
    case .start: start(to: &out)
    case .text(let text), .refusal(let text):
      if !text.isEmpty { piece(.text, .record(["text": .string(text)]), to: &out) }
    case .reasoning(let text): if !text.isEmpty { reasoning("text", text, to: &out) }
    case .reasoningSignature(let signature): reasoning("signature", signature, to: &out)
    case .redactedReasoning(let data): reasoning("redactedContent", data, to: &out)
    case .toolCall(let index, let id, let name, let signature):
      try begin(index, SignedCallID.join(id, signature), reply.toolName(name), to: &out)
    case .toolArguments(let index, let text): try arguments(index, text, to: &out)
    case .finish(let reason, _): finishReason = reason
    case .usage(let usage): self.usage = usage
    case .end: end(to: &out)
    case .failure(let failure): fail(GatewayError(failure), to: &out)
    }
  }

  package mutating func fail(_ error: GatewayError, to out: inout [UInt8]) {
    out += GatewayErrorBody.streamEvent(.bedrock, .converseStream, error)
  }

  private mutating func start(to out: inout [UInt8]) {
    guard !hasStarted else { return }
    hasStarted = true
    event("messageStart", .record(["role": .string("assistant")]), to: &out)
  }

  /// A piece of text or thought, in the open block if it is of that kind. While a call is open, such a piece closes it
  /// like any other: what follows of its arguments could not be told any more, and no provider sends that.
  private mutating func piece(_ block: Block, _ delta: JSONValue, to out: inout [UInt8]) {
    if open != block {
      close(to: &out)
      open = block
    }
    event("contentBlockDelta", .record(["contentBlockIndex": .int(index), "delta": delta]), to: &out)
  }

  private mutating func reasoning(_ name: String, _ text: String, to out: inout [UInt8]) {
    let value = JSONValue.object([JSONMember(name: name, value: .string(text))])
    piece(.reasoning, .record(["reasoningContent": value]), to: &out)
  }

  private mutating func begin(
    _ call: Int, _ id: String, _ name: String, to out: inout [UInt8]
  ) throws(UnreadableAnswer) {
    if case .call = open { return try waiting.begin(call, id: id, name: name, signature: nil) }
    close(to: &out)
    open = .call(call)
    startCall(id, name, to: &out)
  }

  private func startCall(_ id: String, _ name: String, to out: inout [UInt8]) {
    let start = JSONValue.record(["toolUse": .record(["toolUseId": .string(id), "name": .string(name)])])
    event("contentBlockStart", .record(["contentBlockIndex": .int(index), "start": start]), to: &out)
  }

  private mutating func arguments(_ call: Int, _ text: String, to out: inout [UInt8]) throws(UnreadableAnswer) {
    guard open == .call(call) else { return try waiting.append(call, text) }
    input(text, to: &out)
  }

  private func input(_ text: String, to out: inout [UInt8]) {
    guard !text.isEmpty else { return }
    let delta = JSONValue.record(["toolUse": .record(["input": .string(text)])])
    event("contentBlockDelta", .record(["contentBlockIndex": .int(index), "delta": delta]), to: &out)
  }

  private mutating func close(to out: inout [UInt8]) {
    guard open != nil else { return }
    open = nil
    event("contentBlockStop", .record(["contentBlockIndex": .int(index)]), to: &out)
    index += 1
  }

  private mutating func end(to out: inout [UInt8]) {
    close(to: &out)
    for call in waiting.take() {
      open = .call(0)
      startCall(call.id, call.name, to: &out)
      input(call.arguments, to: &out)
      close(to: &out)
    }
    let reason = ConverseChat.finishReason(finishReason ?? .stop)
    event("messageStop", .record(["stopReason": .string(reason)]), to: &out)
    let usage = ConverseChat.usageValue(usage ?? TokenUsage())
    event("metadata", .record(["usage": usage, "metrics": .record(["latencyMs": .int(0)])]), to: &out)
  }

  private func event(_ type: String, _ payload: JSONValue, to out: inout [UInt8]) {
    var bytes: [UInt8] = []
    payload.append(to: &bytes)
    out += AWSEventStream.event(type, bytes)
  }
}
