/// Makes a conversation whole before it is written for a provider: names of tools are looked up for their results, and
/// a call that nobody answered gets an error result, which most providers demand.
package enum ToolCallRepair {
  static let missing = "no result"

  package static func complete(_ request: inout ChatRequest) {
    var names: [String: String] = [:]
    var messages: [ChatMessage] = []
    messages.reserveCapacity(request.messages.count)
    var open = OpenCalls()
    for message in request.messages {
      var message = message
      answer(&message, names, &open)
      if message.role != .tool, !hasResults(message), let closing = open.close() { messages.append(closing) }
      let calls = message.toolCalls
      for call in calls { names[call.id] = call.name }
      if message.role == .assistant { open.add(calls) }
      messages.append(message)
    }
    if let closing = open.close() { messages.append(closing) }
    request.messages = messages
  }

  /// Calls in the order they were made, and which of them are answered.
  private struct OpenCalls {
    private var calls: [ToolCall] = []
    private var answered: Set<String> = []

    mutating func add(_ more: [ToolCall]) {
      guard !more.isEmpty else { return }
      if !answered.isEmpty {
        calls.removeAll { answered.contains($0.id) }
        answered = []
      }
      calls += more
    }

    mutating func answer(_ id: String) { if !calls.isEmpty { answered.insert(id) } }

    /// The results that are missing, if any are.
    mutating func close() -> ChatMessage? {
      let results = calls.filter { !answered.contains($0.id) }.map { call in
        ContentPart.toolResult(
          ToolResult(callID: call.id, name: call.name, content: [.text(missing)], isError: true))
      }
      (calls, answered) = ([], [])
      return results.isEmpty ? nil : ChatMessage(.tool, results)
    }
  }

  /// Fills in names, and crosses off what is answered.
  private static func answer(_ message: inout ChatMessage, _ names: [String: String], _ open: inout OpenCalls) {
    guard hasResults(message) else { return }
    message.parts = message.parts.map { part in
      guard case .toolResult(var result) = part else { return part }
      result.name = result.name ?? names[result.callID]
      open.answer(result.callID)
      return .toolResult(result)
    }
  }

  private static func hasResults(_ message: ChatMessage) -> Bool {
    message.parts.contains { part in
      if case .toolResult = part { true } else { false }
    }
  }
}
