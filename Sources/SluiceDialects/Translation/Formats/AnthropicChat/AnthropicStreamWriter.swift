/// Writes an answer as a messages stream.
///
/// States: idle, begun (`message_start` sent), over. While begun, at most one block is open; another kind of content
/// closes it and opens the next index. Other protocols let the arguments of several calls interleave, this one cannot:
/// the first call's block stays open until its arguments are a whole JSON value (or something else begins); what comes
/// for later calls meanwhile waits, up to `mostPending` bytes.
package struct AnthropicStreamWriter: ChatStreamWriter {
  /// Most bytes of arguments that may wait for an earlier call's end.
  static let mostPending = 1 << 20
  static let mostCalls = 1024

  private enum Block: Equatable {
    case text
    case thinking
    case call(Int)
  }

  private struct Call {
    var index: Int
    var id: String
    var name: String
    var arguments = ""
  }

  private let reply: ReplyFacts
  private var hasBegun = false
  private var isOver = false
  private var open: Block?
  /// Of the block that is open or comes next.
  private var nextIndex = 0
  private var shape = JSONShape()
  private var waiting: [Call] = []
  private var pendingBytes = 0
  private var callCount = 0
  private var saidNo = false
  private var finish: FinishReason?
  private var stopSequence: String?
  private var usage: TokenUsage?

  package init(_ reply: ReplyFacts) { self.reply = reply }

  package mutating func write(_ delta: ChatDelta, to out: inout [UInt8]) throws(UnreadableAnswer) {
    guard !isOver else { return }
    if case .failure(let failure) = delta {
      return fail(GatewayError(failure), to: &out)
    }
    if !hasBegun { begin(delta, to: &out) }
    switch delta {
    case .start, .failure: break
    case .text(let text): writeText(text, to: &out)
    case .refusal(let text):
      saidNo = true
      writeText(text, to: &out)
    case .reasoning(let text):
      enter(.thinking, to: &out)
      piece("\"thinking_delta\",\"thinking\":", text, to: &out)
    case .reasoningSignature(let text):
      enter(.thinking, to: &out)
      piece("\"signature_delta\",\"signature\":", text, to: &out)
    case .redactedReasoning(let text):
      close(to: &out)
      start(["type": "redacted_thinking", "data": .string(text)], to: &out)
      stop(to: &out)
    case .toolCall(let index, let id, let name, let signature):
      let id = SignedCallID.join(ForeignNames.anthropicIDs.id(id), signature)
      try begin(Call(index: index, id: id, name: name), to: &out)
    case .toolArguments(let index, let text): try writeArguments(index, text, to: &out)
    case .finish(let reason, let sequence): (finish, stopSequence) = (reason, sequence)
    case .usage(let usage): self.usage = usage
    case .end: end(to: &out)
    }
  }

  package mutating func fail(_ error: GatewayError, to out: inout [UInt8]) {
    guard !isOver else { return }
    isOver = true
    out += GatewayErrorBody.streamEvent(.anthropic, .messages, error, requestID: reply.id)
  }

  package func keepAlive(to out: inout [UInt8]) {
    guard hasBegun, !isOver else { return }
    Self.event("ping", ["type": "ping"], to: &out)
  }

  static func event(_ name: StaticString, _ data: JSONValue, to out: inout [UInt8]) {
    out.append("event: ")
    out.append(name)
    out.append("\ndata: ")
    data.append(to: &out)
    out.append("\n\n")
  }

  // MARK: Beginning and end

  private mutating func begin(_ delta: ChatDelta, to out: inout [UInt8]) {
    hasBegun = true
    var id = ""
    var model = ""
    if case .start(let first, let second) = delta { (id, model) = (first, second) }
    // Nobody knows the counts yet; the full ones come with `message_delta`.
    Self.event(
      "message_start",
      [
        "type": "message_start",
        "message": [
          "id": .string(AnswerID.with("msg_", id, else: reply.id)), "type": "message", "role": "assistant",
          "model": .string(model.isEmpty ? reply.model : model), "content": [], "stop_reason": .null,
          "stop_sequence": .null, "usage": ["input_tokens": 0, "output_tokens": 0],
        ],
      ], to: &out)
  }

  private mutating func end(to out: inout [UInt8]) {
    close(to: &out)
    isOver = true
    let reason = finish ?? .stop
    let word = AnthropicChat.text(saidNo && reason == .stop ? .refusal : reason)
    let sequence = stopSequence.map(JSONValue.string) ?? .null
    Self.event(
      "message_delta",
      [
        "type": "message_delta", "delta": ["stop_reason": .string(word), "stop_sequence": sequence],
        "usage": AnthropicUsage.write(usage ?? TokenUsage()),
      ], to: &out)
    Self.event("message_stop", ["type": "message_stop"], to: &out)
  }

  // MARK: Blocks

  private mutating func writeText(_ text: String, to out: inout [UInt8]) {
    enter(.text, to: &out)
    piece("\"text_delta\",\"text\":", text, to: &out)
  }

  private mutating func enter(_ block: Block, to out: inout [UInt8]) {
    guard open != block else { return }
    close(to: &out)
    open = block
    start(
      block == .text
        ? ["type": "text", "text": ""] : ["type": "thinking", "thinking": "", "signature": ""], to: &out)
  }

  private func start(_ block: JSONValue, to out: inout [UInt8]) {
    Self.event(
      "content_block_start",
      ["type": "content_block_start", "index": .int(nextIndex), "content_block": block], to: &out)
  }

  /// What nearly every event is, so it is written without a document.
  ///
  /// - Parameter opening: the delta's type and the name of its text.
  private func piece(_ opening: StaticString, _ text: String, to out: inout [UInt8]) {
    out.append("event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":")
    out.append(decimal: nextIndex)
    out.append(",\"delta\":{\"type\":")
    out.append(opening)
    out.append(json: text)
    out.append("}}\n\n")
  }

  private mutating func stop(to out: inout [UInt8]) {
    Self.event("content_block_stop", ["type": "content_block_stop", "index": .int(nextIndex)], to: &out)
    nextIndex += 1
    open = nil
  }

  /// Closes the open block; calls that waited get theirs, one after another.
  private mutating func close(to out: inout [UInt8]) {
    if open != nil { stop(to: &out) }
    while !waiting.isEmpty {
      openNextCall(to: &out)
      stop(to: &out)
    }
  }

  // MARK: Tool calls

  private mutating func begin(_ call: Call, to out: inout [UInt8]) throws(UnreadableAnswer) {
    callCount += 1
    guard callCount <= Self.mostCalls else { throw UnreadableAnswer("too many tool calls") }
    waiting.append(call)
    advance(to: &out)
  }

  private mutating func writeArguments(
    _ index: Int, _ text: String, to out: inout [UInt8]
  ) throws(UnreadableAnswer) {
    if open == .call(index) {
      writeArguments(text, to: &out)
      return advance(to: &out)
    }
    guard let place = waiting.firstIndex(where: { $0.index == index }) else {
      throw UnreadableAnswer("arguments of a tool call that is over")
    }
    pendingBytes += text.utf8.count
    guard pendingBytes <= Self.mostPending else { throw UnreadableAnswer("too many interleaved arguments") }
    waiting[place].arguments += text
  }

  private mutating func writeArguments(_ text: String, to out: inout [UInt8]) {
    guard !text.isEmpty else { return }
    shape.read(text)
    piece("\"input_json_delta\",\"partial_json\":", text, to: &out)
  }

  /// The next call's turn comes when the open one is whole.
  private mutating func advance(to out: inout [UInt8]) {
    while !waiting.isEmpty {
      if case .call = open, !shape.isWhole { return }
      if open != nil { stop(to: &out) }
      openNextCall(to: &out)
    }
  }

  private mutating func openNextCall(to out: inout [UInt8]) {
    let call = waiting.removeFirst()
    pendingBytes -= call.arguments.utf8.count
    open = .call(call.index)
    shape = JSONShape()
    start(
      [
        "type": "tool_use", "id": .string(call.id),
        "name": .string(reply.toolName(call.name)), "input": [:],
      ], to: &out)
    writeArguments(call.arguments, to: &out)
  }
}

/// Follows a JSON object or list that comes in pieces and knows when it is whole: counts brackets outside of strings.
struct JSONShape: Sendable {
  private var depth = 0
  private var isInString = false
  private var isEscaped = false
  private(set) var isWhole = false

  mutating func read(_ piece: String) {
    for byte in piece.utf8 { read(byte) }
  }

  private mutating func read(_ byte: UInt8) {
    if isInString {
      if isEscaped {
        isEscaped = false
      } else if byte == Ascii.backslash {
        isEscaped = true
      } else if byte == Ascii.quote {
        isInString = false
      }
      return
    }
    switch byte {
    case Ascii.quote: isInString = true
    case Ascii.openBrace, Ascii.openBracket: depth += 1
    case Ascii.closeBrace, Ascii.closeBracket:
      depth -= 1
      if depth <= 0 { isWhole = true }
    default: break
    }
  }
}
