/// Reads Gemini's stream: each event is a whole answer object with partial parts. Function calls come whole.
///
/// States: fresh → running (the first event) → finished (a finish reason, or a blocked prompt) → ended (the body is
/// over). A body that ends before a finish reason is truncated: no `.end` is said.
package struct GeminiStreamReader: ChatStreamReader {
  private var parts = GeminiPartReader()
  private var hasBegun = false
  private var hasFinished = false
  private var hasFailed = false
  private var usage: TokenUsage?

  package init() {}

  package mutating func read(
    event name: ByteSlice?, data: ByteSlice, into deltas: inout [ChatDelta]
  ) throws(UnreadableAnswer) {
    guard !hasFailed else { return }
    let value: JSONValue
    do { value = try JSONReader.read(data) } catch { throw UnreadableAnswer("an event is no JSON: \(error.reason)") }
    guard value.members != nil || value.array != nil else { throw UnreadableAnswer("an event is no object") }
    if value.given("error") != nil || value.array != nil {
      hasFailed = true
      return deltas.append(.failure(Self.failure(data)))
    }
    begin(value, &deltas)
    usage = GeminiChat.usage(value["usageMetadata"]) ?? usage
    if value["promptFeedback"]?["blockReason"]?.string != nil { return finish(.contentFilter, &deltas) }
    guard let candidate = value["candidates"]?.array?.first else { return }
    for part in candidate["content"]?["parts"]?.array ?? [] { append(part, &deltas) }
    if let reason = candidate["finishReason"]?.string { end(reason, &deltas) }
  }

  package mutating func finish(into deltas: inout [ChatDelta]) {
    guard hasFinished, !hasFailed else { return }
    hasFailed = true
    if let usage { deltas.append(.usage(usage)) }
    deltas.append(.end)
  }

  private static func failure(_ data: ByteSlice) -> ProviderFailure {
    let error = ProviderErrorBody.read(data)
    let verdict = Gemini.verdict(status: 200, error)
    return ProviderFailure(
      verdict.failureClass, reach: verdict.reach, status: 200, code: error.type, message: error.message,
      retryAfter: Gemini.wait(in: error))
  }

  private mutating func begin(_ value: JSONValue, _ deltas: inout [ChatDelta]) {
    guard !hasBegun else { return }
    hasBegun = true
    parts.responseID = value["responseId"]?.string ?? ""
    deltas.append(.start(id: parts.responseID, model: value["modelVersion"]?.string ?? ""))
  }

  private mutating func append(_ part: JSONValue, _ deltas: inout [ChatDelta]) {
    let index = parts.calls
    switch parts.read(part) {
    case .text(let text): deltas.append(.text(text))
    case .reasoning(let reasoning): deltas.append(.reasoning(reasoning.text))
    case .toolCall(let call):
      deltas.append(.toolCall(index: index, id: call.id, name: call.name, signature: call.signature))
      deltas.append(.toolArguments(index: index, call.arguments))
    default: break
    }
  }

  private mutating func end(_ reason: String, _ deltas: inout [ChatDelta]) {
    guard let finish = GeminiChat.finishReason(reason) else {
      hasFailed = true
      return deltas.append(.failure(.brokenAnswer(reason)))
    }
    self.finish(finish == .stop && parts.calls > 0 ? .toolUse : finish, &deltas)
  }

  private mutating func finish(_ reason: FinishReason, _ deltas: inout [ChatDelta]) {
    guard !hasFinished else { return }
    hasFinished = true
    deltas.append(.finish(reason, stopSequence: nil))
  }
}
