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
  private var room = JSONTape.Room()

  package init() {}

  package mutating func read(
    event name: ByteSlice?, data: ByteSlice, into deltas: inout [ChatDelta]
  ) throws(UnreadableAnswer) {
    guard !isOver else { return }
    if data.hasPrefix("[DONE]") { return end(into: &deltas) }
    var chunk: JSONTape
    do { chunk = try JSONTape(data, in: &room) } catch { throw UnreadableAnswer("a chunk is no JSON: \(error.reason)") }
    defer { chunk.leave(&room) }
    guard !isError(chunk) else {
      let error = ProviderErrorBody.read(data)
      return fail(OpenAI.verdict(status: 200, error), error, into: &deltas)
    }
    if let place = chunk[chunk.root, "usage"], chunk.isObject(place) {
      usage = OpenAIChat.readUsage(chunk.value(place)) ?? usage
    }
    guard let choice = choice(chunk) else { return }
    start(chunk, into: &deltas)
    if let delta = chunk.given(choice, "delta") ?? chunk.given(choice, "message") {
      try read(delta, of: chunk, into: &deltas)
    }
    if let word = chunk.string(chunk[choice, "finish_reason"]) { readFinish(word, into: &deltas) }
  }

  package mutating func finish(into deltas: inout [ChatDelta]) {
    // Some servers leave out the end mark; without a finish reason the answer is cut.
    if !isOver, finish != nil { end(into: &deltas) }
  }

  private func isError(_ chunk: JSONTape) -> Bool {
    if chunk.given(chunk.root, "error") != nil || chunk.equals(chunk[chunk.root, "object"], "error") { return true }
    return chunk[chunk.root, "choices"] == nil && chunk.given(chunk.root, "detail") != nil
  }

  /// More than one choice was never asked for.
  private func choice(_ chunk: JSONTape) -> JSONTape.Place? {
    let list = chunk[chunk.root, "choices"]
    var item = chunk.firstItem(list)
    while let choice = item {
      if chunk.int(chunk[choice, "index"]) ?? 0 == 0 { return choice }
      item = chunk.item(after: choice, of: list)
    }
    return nil
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

  private mutating func start(_ chunk: JSONTape, into deltas: inout [ChatDelta]) {
    guard !hasStarted else { return }
    hasStarted = true
    id = chunk.string(chunk[chunk.root, "id"]) ?? ""
    deltas.append(.start(id: id, model: chunk.string(chunk[chunk.root, "model"]) ?? ""))
  }

  private mutating func read(
    _ delta: JSONTape.Place, of chunk: JSONTape, into deltas: inout [ChatDelta]
  ) throws(UnreadableAnswer) {
    if chunk.isArray(chunk[delta, "content"]) {
      readParts(chunk.value(delta), into: &deltas)
    } else {
      if let text = reasoning(delta, of: chunk) { deltas.append(.reasoning(text)) }
      if let text = chunk.text(chunk[delta, "content"]) { deltas.append(.text(text)) }
      if let text = chunk.text(chunk[delta, "refusal"]) { deltas.append(.refusal(text)) }
    }
    let list = chunk[delta, "tool_calls"]
    var item = chunk.firstItem(list)
    while let call = item {
      try readCall(call, of: chunk, into: &deltas)
      item = chunk.item(after: call, of: list)
    }
  }

  /// As `OpenAIParts` reads it.
  private func reasoning(_ delta: JSONTape.Place, of chunk: JSONTape) -> String? {
    chunk.text(chunk[delta, "reasoning_content"]) ?? chunk.text(chunk[delta, "reasoning"])
      ?? chunk.text(chunk[delta, "thinking"])
  }

  /// Content that is a list, as Mistral's.
  private func readParts(_ delta: JSONValue, into deltas: inout [ChatDelta]) {
    for part in OpenAIParts.read(delta) {
      switch part {
      case .text(let text): deltas.append(.text(text))
      case .refusal(let text): deltas.append(.refusal(text))
      case .reasoning(let thought): deltas.append(.reasoning(thought.text))
      default: break
      }
    }
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
  private mutating func readCall(
    _ item: JSONTape.Place, of chunk: JSONTape, into deltas: inout [ChatDelta]
  ) throws(UnreadableAnswer) {
    let function = chunk.given(item, "function") ?? chunk.given(item, "custom")
    let name = chunk.string(chunk[function, "name"]) ?? ""
    let id = chunk.string(chunk[item, "id"]) ?? ""
    let text = arguments(function, of: chunk)
    let index = chunk.int(chunk[item, "index"])
    var place = known(index: index, id: id, name: name)
    if place == nil {
      guard !name.isEmpty else { throw UnreadableAnswer("a tool call without a name") }
      guard calls.count < Self.mostCalls else { throw UnreadableAnswer("too many tool calls") }
      place = calls.count
      deltas.append(
        .toolCall(
          index: calls.count,
          id: id.isEmpty ? OpenAIParts.newID(answer: self.id, calls.count, name, text) : id, name: name,
          signature: chunk.string(chunk[chunk[chunk[item, "extra_content"], "google"], "thought_signature"])))
      calls.append(Call(index: index, id: id))
    }
    guard let place, !text.isEmpty else { return }
    calls[place].hasArguments = true
    deltas.append(.toolArguments(index: place, text))
  }

  /// As text, also where the server sends the object itself.
  private func arguments(_ function: JSONTape.Place?, of chunk: JSONTape) -> String {
    guard let place = chunk.given(function, "arguments") ?? chunk.given(function, "input") else { return "" }
    return chunk.string(place) ?? chunk.value(place).jsonText
  }

  /// The call that a piece belongs to; nothing for the first piece of a new one.
  private func known(index: Int?, id: String, name: String) -> Int? {
    guard let index else {
      if !id.isEmpty, let place = calls.lastIndex(where: { $0.id == id }) { return place }
      return id.isEmpty && name.isEmpty ? calls.indices.last : nil
    }
    guard let place = calls.lastIndex(where: { $0.index == index }) else { return nil }
    let isAnother = !id.isEmpty && !name.isEmpty && calls[place].id != id
    return isAnother ? nil : place
  }
}
