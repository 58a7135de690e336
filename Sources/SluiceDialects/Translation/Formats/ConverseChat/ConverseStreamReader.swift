/// Reads Converse's stream, message by message; unknown types are skipped.
///
/// States: running → stopped (`messageStop`) → ended (`metadata`, which alone has the usage, or the body is over). A
/// body that ends before `messageStop` is truncated: no `.end` is said.
package struct ConverseStreamReader: ChatStreamReader {
  /// The provider's block numbers of calls, in the order they began.
  private var calls: [Int] = []
  /// Those of our indexes of calls that have no arguments yet.
  private var bare: Set<Int> = []
  private var hasStopped = false
  private var isOver = false

  package init() {}

  package mutating func read(
    event name: ByteSlice?, data: ByteSlice, into deltas: inout [ChatDelta]
  ) throws(UnreadableAnswer) {
    guard !isOver, let name else { return }
    if name.equals("messageStart") {
      deltas.append(.start(id: "", model: ""))
    } else if name.equals("contentBlockStart") {
      try begin(try Self.document(data), &deltas)
    } else if name.equals("contentBlockDelta") {
      try continueBlock(try Self.document(data), &deltas)
    } else if name.equals("contentBlockStop") {
      close(try Self.document(data), &deltas)
    } else if name.equals("messageStop") {
      stop(try Self.document(data), &deltas)
    } else if name.equals("metadata") {
      if let usage = ConverseChat.usage(try Self.document(data)["usage"]) { deltas.append(.usage(usage)) }
      finish(into: &deltas)
    } else if name.hasSuffix("Exception") || Bedrock.isError(data) {
      isOver = true
      deltas.append(.failure(Bedrock.streamFailure(name, data)))
    }
  }

  package mutating func finish(into deltas: inout [ChatDelta]) {
    guard hasStopped, !isOver else { return }
    isOver = true
    deltas.append(.end)
  }

  private static func document(_ data: ByteSlice) throws(UnreadableAnswer) -> JSONValue {
    do { return try JSONReader.read(data) } catch { throw UnreadableAnswer("an event is no JSON: \(error.reason)") }
  }

  private mutating func begin(_ value: JSONValue, _ deltas: inout [ChatDelta]) throws(UnreadableAnswer) {
    guard let call = value["start"]?.given("toolUse") else { return }
    guard calls.count < PendingCalls.maxCalls else { throw UnreadableAnswer("too many tool calls") }
    deltas.append(
      .toolCall(
        index: calls.count, id: call["toolUseId"]?.string ?? "", name: call["name"]?.string ?? "", signature: nil))
    bare.insert(calls.count)
    calls.append(value["contentBlockIndex"]?.int ?? calls.count)
  }

  /// A call without arguments may come without a word about them.
  private mutating func close(_ value: JSONValue, _ deltas: inout [ChatDelta]) {
    guard let index = calls.lastIndex(of: value["contentBlockIndex"]?.int ?? -1), bare.remove(index) != nil else {
      return
    }
    deltas.append(.toolArguments(index: index, "{}"))
  }

  private mutating func continueBlock(_ value: JSONValue, _ deltas: inout [ChatDelta]) throws(UnreadableAnswer) {
    guard let delta = value["delta"] else { return }
    if let text = delta["text"]?.string {
      if !text.isEmpty { deltas.append(.text(text)) }
    } else if let input = delta["toolUse"]?["input"]?.string {
      guard let index = calls.lastIndex(of: value["contentBlockIndex"]?.int ?? -1) else {
        throw UnreadableAnswer("arguments of a tool call that was not begun")
      }
      guard !input.isEmpty else { return }
      bare.remove(index)
      deltas.append(.toolArguments(index: index, input))
    } else if let reasoning = delta.given("reasoningContent") {
      if let text = reasoning["text"]?.string, !text.isEmpty { deltas.append(.reasoning(text)) }
      if let signature = reasoning["signature"]?.string { deltas.append(.reasoningSignature(signature)) }
      if let redacted = reasoning["redactedContent"]?.string { deltas.append(.redactedReasoning(redacted)) }
    }
  }

  private mutating func stop(_ value: JSONValue, _ deltas: inout [ChatDelta]) {
    guard !hasStopped else { return }
    let reason = value["stopReason"]?.string ?? ""
    guard let finish = ConverseChat.finishReason(reason) else {
      isOver = true
      return deltas.append(.failure(.brokenAnswer(reason.isEmpty ? "no stop reason" : reason)))
    }
    hasStopped = true
    for index in bare.sorted() { deltas.append(.toolArguments(index: index, "{}")) }
    deltas.append(.finish(finish, stopSequence: nil))
  }
}
