import SluicePolicy

/// Reads Cohere's stream. The type stands inside of the data; the event's name only repeats it.
///
/// States: running → finished (`message-end`) → ended (`[DONE]`, or the body is over). A stream that ends without
/// `message-end` is truncated: no `.end` is said.
package struct CohereStreamReader: ChatStreamReader {
  /// The provider's indexes of calls, in the order they began.
  private var calls: [Int] = []
  /// Those of our indexes of calls that have no arguments yet.
  private var bare: Set<Int> = []
  private var hasFinished = false
  private var isOver = false

  package init() {}

  package mutating func read(
    event name: ByteSlice?, data: ByteSlice, into deltas: inout [ChatDelta]
  ) throws(UnreadableAnswer) {
    guard !isOver else { return }
    if data.hasPrefix("[DONE]") { return finish(into: &deltas) }
    let value: JSONValue
    do { value = try JSONReader.read(data) } catch { throw UnreadableAnswer("an event is no JSON: \(error.reason)") }
    let message = value["delta"]?["message"]
    switch value["type"]?.string {
    case "message-start": deltas.append(.start(id: value["id"]?.string ?? "", model: ""))
    case "content-start", "content-delta": readContent(message?["content"], &deltas)
    case "tool-plan-delta":
      if let plan = message?["tool_plan"]?.string, !plan.isEmpty { deltas.append(.text(plan)) }
    case "tool-call-start": try beginCall(value, message?["tool_calls"], &deltas)
    case "tool-call-delta": try continueCall(value, message?["tool_calls"], &deltas)
    case "tool-call-end": closeCall(value, &deltas)
    case "message-end": end(value["delta"], &deltas)
    default: break
    }
  }

  package mutating func finish(into deltas: inout [ChatDelta]) {
    guard hasFinished, !isOver else { return }
    isOver = true
    deltas.append(.end)
  }

  private func readContent(_ content: JSONValue?, _ deltas: inout [ChatDelta]) {
    if let text = content?["text"]?.string, !text.isEmpty { deltas.append(.text(text)) }
    if let thought = content?["thinking"]?.string, !thought.isEmpty { deltas.append(.reasoning(thought)) }
  }

  private mutating func beginCall(
    _ value: JSONValue, _ call: JSONValue?, _ deltas: inout [ChatDelta]
  ) throws(UnreadableAnswer) {
    guard calls.count < PendingCalls.maxCalls else { throw UnreadableAnswer("too many tool calls") }
    let index = calls.count
    calls.append(value["index"]?.int ?? index)
    deltas.append(
      .toolCall(
        index: index, id: call?["id"]?.string ?? "", name: call?["function"]?["name"]?.string ?? "", signature: nil))
    bare.insert(index)
    readArguments(index, call, &deltas)
  }

  private mutating func readArguments(_ index: Int, _ call: JSONValue?, _ deltas: inout [ChatDelta]) {
    guard let text = call?["function"]?["arguments"]?.string, !text.isEmpty else { return }
    bare.remove(index)
    deltas.append(.toolArguments(index: index, text))
  }

  /// A call without arguments may come without a word about them.
  private mutating func closeCall(_ value: JSONValue, _ deltas: inout [ChatDelta]) {
    guard let index = calls.lastIndex(of: value["index"]?.int ?? calls.last ?? 0), bare.remove(index) != nil else {
      return
    }
    deltas.append(.toolArguments(index: index, "{}"))
  }

  private mutating func continueCall(
    _ value: JSONValue, _ call: JSONValue?, _ deltas: inout [ChatDelta]
  ) throws(UnreadableAnswer) {
    guard let index = calls.lastIndex(of: value["index"]?.int ?? calls.last ?? 0) else {
      throw UnreadableAnswer("arguments of a tool call that was not begun")
    }
    readArguments(index, call, &deltas)
  }

  private mutating func end(_ delta: JSONValue?, _ deltas: inout [ChatDelta]) {
    guard !hasFinished else { return }
    let reason = delta?["finish_reason"]?.string ?? ""
    if let usage = CohereChat.usage(delta?["usage"]) { deltas.append(.usage(usage)) }
    guard let finish = CohereChat.finishReason(reason) else {
      isOver = true
      var failure = ProviderFailure.brokenAnswer(reason.isEmpty ? "no finish reason" : reason)
      if reason == "TIMEOUT" { failure.failureClass = .timeout }
      failure.message =
        delta?["error"]?.string.map { String($0.prefix(ProviderErrorBody.textLimit)) } ?? failure.message
      return deltas.append(.failure(failure))
    }
    hasFinished = true
    for index in bare.sorted() { deltas.append(.toolArguments(index: index, "{}")) }
    deltas.append(.finish(finish, stopSequence: nil))
  }
}
