/// Reads the events of a messages stream. Blocks come one after another; of the open one its kind is kept.
package struct AnthropicStreamReader: ChatStreamReader {
  static let mostCalls = 1024

  private var isOver = false
  private var calls = 0
  /// The open block is a call, and whether it had arguments.
  private var openCall: Int?
  private var hasArguments = false
  private var usage = AnthropicUsage()
  private var finish: FinishReason?
  private var stopSequence: String?

  package init() {}

  package mutating func read(
    event name: ByteSlice?, data: ByteSlice, into deltas: inout [ChatDelta]
  ) throws(UnreadableAnswer) {
    guard !isOver, name?.equals("ping") != true else { return }
    let event: JSONValue
    do { event = try JSONReader.read(data) } catch { throw UnreadableAnswer("an event is no JSON: \(error.reason)") }
    switch name?.string(limit: 64) ?? event["type"]?.string {
    case "message_start": start(event, into: &deltas)
    case "content_block_start": try open(event["content_block"] ?? .null, into: &deltas)
    case "content_block_delta": read(event["delta"] ?? .null, into: &deltas)
    case "content_block_stop": close(into: &deltas)
    case "message_delta": readEnd(event, into: &deltas)
    case "message_stop": end(into: &deltas)
    case "error": fail(data, into: &deltas)
    // New kinds of events are to be skipped.
    default: break
    }
  }

  /// Only `message_stop` makes the stream whole.
  package mutating func finish(into deltas: inout [ChatDelta]) {}

  private mutating func start(_ event: JSONValue, into deltas: inout [ChatDelta]) {
    let message = event["message"] ?? .null
    usage.note(message["usage"])
    deltas.append(.start(id: message["id"]?.string ?? "", model: message["model"]?.string ?? ""))
  }

  private mutating func open(_ block: JSONValue, into deltas: inout [ChatDelta]) throws(UnreadableAnswer) {
    openCall = nil
    switch block["type"]?.string {
    case "text": if let text = block["text"]?.string, !text.isEmpty { deltas.append(.text(text)) }
    case "thinking": if let text = block["thinking"]?.string, !text.isEmpty { deltas.append(.reasoning(text)) }
    case "redacted_thinking": deltas.append(.redactedReasoning(block["data"]?.string ?? ""))
    case "tool_use":
      guard let id = block["id"]?.string, let name = block["name"]?.string else {
        throw UnreadableAnswer("a tool call without id or name")
      }
      guard calls < Self.mostCalls else { throw UnreadableAnswer("too many tool calls") }
      deltas.append(.toolCall(index: calls, id: id, name: name, signature: nil))
      openCall = calls
      hasArguments = false
      calls += 1
      if let input = block["input"]?.members, !input.isEmpty {
        readArguments(JSONValue.object(input).jsonText, &deltas)
      }
    default: break
    }
  }

  private mutating func read(_ delta: JSONValue, into deltas: inout [ChatDelta]) {
    switch delta["type"]?.string {
    case "text_delta": if let text = delta["text"]?.string, !text.isEmpty { deltas.append(.text(text)) }
    case "thinking_delta": if let text = delta["thinking"]?.string, !text.isEmpty { deltas.append(.reasoning(text)) }
    case "signature_delta": if let text = delta["signature"]?.string { deltas.append(.reasoningSignature(text)) }
    case "input_json_delta": if let text = delta["partial_json"]?.string { readArguments(text, &deltas) }
    default: break
    }
  }

  private mutating func readArguments(_ text: String, _ deltas: inout [ChatDelta]) {
    guard let openCall, !text.isEmpty else { return }
    hasArguments = true
    deltas.append(.toolArguments(index: openCall, text))
  }

  private mutating func close(into deltas: inout [ChatDelta]) {
    if let openCall, !hasArguments { deltas.append(.toolArguments(index: openCall, "{}")) }
    openCall = nil
  }

  private mutating func readEnd(_ event: JSONValue, into deltas: inout [ChatDelta]) {
    usage.note(event["usage"])
    guard let delta = event.given("delta") else { return }
    if let word = delta["stop_reason"]?.string { finish = AnthropicChat.finishReason(word) }
    stopSequence = delta["stop_sequence"]?.string ?? stopSequence
    if finish == .refusal, let words = delta["stop_details"]?["explanation"]?.string, !words.isEmpty {
      deltas.append(.refusal(words))
    }
  }

  private mutating func end(into deltas: inout [ChatDelta]) {
    isOver = true
    deltas.append(.finish(finish ?? .other, stopSequence: stopSequence))
    if let usage = usage.tokens { deltas.append(.usage(usage)) }
    deltas.append(.end)
  }

  private mutating func fail(_ data: ByteSlice, into deltas: inout [ChatDelta]) {
    isOver = true
    let error = ProviderErrorBody.read(data)
    let verdict = Anthropic.verdict(status: 200, error)
    deltas.append(
      .failure(
        ProviderFailure(
          verdict.failureClass, reach: verdict.reach, status: 200, code: error.label, message: error.message,
          disablesKey: verdict.disablesKey)))
  }
}
