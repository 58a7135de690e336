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
  private var room = JSONTape.Room()

  /// What an event is about; its name tells, or where there is none its type.
  private enum Kind: CaseIterable {
    case delta, start, open, stop, ending, end, error

    init?(_ name: ByteSlice?, _ event: JSONTape) {
      let type = name == nil ? event[event.root, "type"] : nil
      for kind in Self.allCases where name?.equals(kind.name) ?? event.equals(type, kind.name) {
        self = kind
        return
      }
      return nil
    }

    private var name: StaticString {
      switch self {
      case .delta: "content_block_delta"
      case .start: "message_start"
      case .open: "content_block_start"
      case .stop: "content_block_stop"
      case .ending: "message_delta"
      case .end: "message_stop"
      case .error: "error"
      }
    }
  }

  package init() {}

  package mutating func read(
    event name: ByteSlice?, data: ByteSlice, into deltas: inout [ChatDelta]
  ) throws(UnreadableAnswer) {
    guard !isOver, name?.equals("ping") != true else { return }
    var event: JSONTape
    do { event = try JSONTape(data, in: &room) } catch {
      throw UnreadableAnswer("an event is no JSON: \(error.reason)")
    }
    defer { event.leave(&room) }
    switch Kind(name, event) {
    case .start: start(event, into: &deltas)
    case .open: try open(event[event.root, "content_block"].map(event.value) ?? .null, into: &deltas)
    case .delta: read(event[event.root, "delta"], of: event, into: &deltas)
    case .stop: close(into: &deltas)
    case .ending: readEnd(event.value(event.root), into: &deltas)
    case .end: end(into: &deltas)
    case .error: fail(data, into: &deltas)
    // New kinds of events are to be skipped.
    case nil: break
    }
  }

  /// Only `message_stop` makes the stream whole.
  package mutating func finish(into deltas: inout [ChatDelta]) {}

  private mutating func start(_ event: JSONTape, into deltas: inout [ChatDelta]) {
    let message = event[event.root, "message"].map(event.value) ?? .null
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

  private mutating func read(_ delta: JSONTape.Place?, of event: JSONTape, into deltas: inout [ChatDelta]) {
    let type = event[delta, "type"]
    if event.equals(type, "text_delta") {
      if let text = event.text(event[delta, "text"]) { deltas.append(.text(text)) }
    } else if event.equals(type, "input_json_delta") {
      if let text = event.text(event[delta, "partial_json"]) { readArguments(text, &deltas) }
    } else if event.equals(type, "thinking_delta") {
      if let text = event.text(event[delta, "thinking"]) { deltas.append(.reasoning(text)) }
    } else if event.equals(type, "signature_delta") {
      if let text = event.string(event[delta, "signature"]) { deltas.append(.reasoningSignature(text)) }
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
