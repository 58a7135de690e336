/// Reads Ollama's stream: one JSON object per line, of `/api/chat` or `/api/generate`. Tool calls come whole, in any
/// line. The line that is `done` ends it; a body without one is truncated.
package struct OllamaStreamReader: ChatStreamReader {
  private var calls = 0
  private var hasBegun = false
  private var isOver = false

  package init() {}

  package mutating func read(
    event name: ByteSlice?, data: ByteSlice, into deltas: inout [ChatDelta]
  ) throws(UnreadableAnswer) {
    guard !isOver else { return }
    let value: JSONValue
    do { value = try JSONReader.read(data) } catch { throw UnreadableAnswer("a line is no JSON: \(error.reason)") }
    guard value.members != nil else { throw UnreadableAnswer("a line is no object") }
    if let error = value.given("error") {
      isOver = true
      var failure = ProviderFailure.brokenAnswer("error")
      failure.message = String((error.string ?? error.jsonText).prefix(ProviderErrorBody.textLimit))
      return deltas.append(.failure(failure))
    }
    if !hasBegun {
      hasBegun = true
      deltas.append(.start(id: "", model: value["model"]?.string ?? ""))
    }
    append(value, &deltas)
    if value["done"]?.bool == true { end(value, &deltas) }
  }

  /// Everything is said by then.
  package mutating func finish(into deltas: inout [ChatDelta]) { isOver = true }

  private mutating func append(_ value: JSONValue, _ deltas: inout [ChatDelta]) {
    let message = value["message"] ?? value
    if let thought = message["thinking"]?.string, !thought.isEmpty { deltas.append(.reasoning(thought)) }
    let text = message["content"]?.string ?? value["response"]?.string ?? ""
    if !text.isEmpty { deltas.append(.text(text)) }
    for item in message["tool_calls"]?.array ?? [] {
      let call = OllamaChat.readCall(item, calls)
      deltas.append(.toolCall(index: calls, id: call.id, name: call.name, signature: nil))
      deltas.append(.toolArguments(index: calls, call.arguments))
      calls += 1
    }
  }

  private mutating func end(_ value: JSONValue, _ deltas: inout [ChatDelta]) {
    isOver = true
    let reason = OllamaChat.finishReason(value["done_reason"]?.string ?? "stop", hasCalls: calls > 0)
    deltas.append(.finish(reason, stopSequence: nil))
    deltas.append(.usage(OllamaChat.usage(value)))
    deltas.append(.end)
  }
}
