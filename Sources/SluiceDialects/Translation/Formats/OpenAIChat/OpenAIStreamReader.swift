import SluicePolicy

/// Reads the chunks of a chat completion.
///
/// The stream's states are: nothing yet, open (after the first chunk with a choice), over (end mark, error, or body's
/// end). The finish reason is held until the stream is over, because servers send usage with it, behind it or in every
/// chunk, and some send a last piece of text with it.
package struct OpenAIStreamReader: ChatStreamReader {
  /// Most calls in one answer.
  static let mostCalls = 1024

  private struct Call {
    /// The server's own index; nothing when it sends none.
    var index: Int?
    var id: String
    var hasArguments = false
  }

  private var hasStarted = false
  private var isOver = false
  private var id = ""
  private var finish: FinishReason?
  private var usage: TokenUsage?
  private var calls: [Call] = []

  package init() {}

  package mutating func read(
    event name: ByteSlice?, data: ByteSlice, into deltas: inout [ChatDelta]
  ) throws(UnreadableAnswer) {
    guard !isOver else { return }
    if data.hasPrefix("[DONE]") { return end(into: &deltas) }
    let chunk: JSONValue
    do { chunk = try JSONReader.read(data) } catch { throw UnreadableAnswer("a chunk is no JSON: \(error.reason)") }
    guard !isError(chunk) else {
      let error = ProviderErrorBody.read(data)
      return fail(OpenAI.verdict(status: 200, error), error, into: &deltas)
    }
    if let usage = OpenAIChat.readUsage(chunk["usage"]) { self.usage = usage }
    // More than one choice was never asked for.
    let choice = chunk["choices"]?.array?.first { ($0["index"]?.int ?? 0) == 0 }
    guard let choice else { return }
    start(chunk, into: &deltas)
    if let delta = choice.given("delta") ?? choice.given("message") { try read(delta, into: &deltas) }
    if let word = choice["finish_reason"]?.string { readFinish(word, into: &deltas) }
  }

  package mutating func finish(into deltas: inout [ChatDelta]) {
    // Some servers leave out the end mark; without a finish reason the answer is cut.
    if !isOver, finish != nil { end(into: &deltas) }
  }

  private func isError(_ chunk: JSONValue) -> Bool {
    if chunk.given("error") != nil || chunk["object"]?.string == "error" { return true }
    return chunk["choices"] == nil && chunk.given("detail") != nil
  }

  private mutating func fail(
    _ verdict: FailureVerdict, _ error: ProviderErrorBody, into deltas: inout [ChatDelta]
  ) {
    isOver = true
    deltas.append(
      .failure(
        ProviderFailure(
          verdict.failureClass, reach: verdict.reach, status: 200, code: error.label, message: error.message,
          disablesKey: verdict.disablesKey)))
  }

  private mutating func start(_ chunk: JSONValue, into deltas: inout [ChatDelta]) {
    guard !hasStarted else { return }
    hasStarted = true
    id = chunk["id"]?.string ?? ""
    deltas.append(.start(id: id, model: chunk["model"]?.string ?? ""))
  }

  private mutating func read(_ delta: JSONValue, into deltas: inout [ChatDelta]) throws(UnreadableAnswer) {
    for part in OpenAIParts.read(delta) {
      switch part {
      case .text(let text): deltas.append(.text(text))
      case .refusal(let text): deltas.append(.refusal(text))
      case .reasoning(let thought): deltas.append(.reasoning(thought.text))
      default: break
      }
    }
    for item in delta["tool_calls"]?.array ?? [] { try readCall(item, into: &deltas) }
  }

  private mutating func readFinish(_ word: String, into deltas: inout [ChatDelta]) {
    guard !OpenAIChat.isBreakdown(finish: word) else {
      var error = ProviderErrorBody()
      error.message = "the provider broke off with '\(word)'"
      return fail(FailureVerdict(.server, .endpoint), error, into: &deltas)
    }
    if finish == nil { finish = OpenAIChat.finishReason(word) }
  }

  private mutating func end(into deltas: inout [ChatDelta]) {
    guard hasStarted, let reason = finish else {
      // An end mark without a finish reason is no end.
      return
    }
    isOver = true
    for (index, call) in calls.enumerated() where !call.hasArguments {
      deltas.append(.toolArguments(index: index, "{}"))
    }
    deltas.append(.finish(reason == .stop && !calls.isEmpty ? .toolUse : reason, stopSequence: nil))
    if let usage { deltas.append(.usage(usage)) }
    deltas.append(.end)
  }
}

// MARK: - Tool calls

extension OpenAIStreamReader {
  /// Whole or in pieces. Calls are told apart by the server's index; without one, and where a server counts all of
  /// them as 0, by a new id.
  private mutating func readCall(_ item: JSONValue, into deltas: inout [ChatDelta]) throws(UnreadableAnswer) {
    let function = item.given("function") ?? item.given("custom") ?? .null
    let name = function["name"]?.string ?? ""
    let text = OpenAIParts.arguments(function) ?? ""
    var place = known(item, name: name)
    if place == nil {
      guard !name.isEmpty else { throw UnreadableAnswer("a tool call without a name") }
      guard calls.count < Self.mostCalls else { throw UnreadableAnswer("too many tool calls") }
      let given = item["id"]?.string ?? ""
      let id = given.isEmpty ? OpenAIParts.newID(answer: self.id, calls.count, name, text) : given
      place = calls.count
      deltas.append(
        .toolCall(
          index: calls.count, id: id, name: name,
          signature: item["extra_content"]?["google"]?["thought_signature"]?.string))
      calls.append(Call(index: item["index"]?.int, id: given))
    }
    guard let place, !text.isEmpty else { return }
    calls[place].hasArguments = true
    deltas.append(.toolArguments(index: place, text))
  }

  /// The call that a piece belongs to; nothing for the first piece of a new one.
  private func known(_ item: JSONValue, name: String) -> Int? {
    let id = item["id"]?.string ?? ""
    guard let index = item["index"]?.int else {
      if !id.isEmpty, let place = calls.lastIndex(where: { $0.id == id }) { return place }
      return id.isEmpty && name.isEmpty ? calls.indices.last : nil
    }
    guard let place = calls.lastIndex(where: { $0.index == index }) else { return nil }
    let isAnother = !id.isEmpty && !name.isEmpty && calls[place].id != id
    return isAnother ? nil : place
  }
}
