/// Makes a conversation whole before it is written for a provider: names of tools are looked up for their results, and
/// a call that nobody answered gets an error result, which most providers demand.
package enum ToolCallRepair {
  static let missing = "no result"

  package static func complete(_ request: inout ChatRequest) {
    var names: [String: String] = [:]
    var messages: [ChatMessage] = []
    messages.reserveCapacity(request.messages.count)
    var open: [ToolCall] = []
    for message in request.messages {
      var message = message
      answer(&message, names, &open)
      if message.role != .tool, !open.isEmpty, !hasResults(message) { messages.append(closing(&open)) }
      for call in message.toolCalls { names[call.id] = call.name }
      open += message.role == .assistant ? message.toolCalls : []
      messages.append(message)
    }
    if !open.isEmpty { messages.append(closing(&open)) }
    request.messages = messages
  }

  /// Fills in names, and crosses off what is answered.
  private static func answer(_ message: inout ChatMessage, _ names: [String: String], _ open: inout [ToolCall]) {
    guard hasResults(message) else { return }
    message.parts = message.parts.map { part in
      guard case .toolResult(var result) = part else { return part }
      result.name = result.name ?? names[result.callID]
      open.removeAll { $0.id == result.callID }
      return .toolResult(result)
    }
  }

  private static func hasResults(_ message: ChatMessage) -> Bool {
    message.parts.contains { part in
      if case .toolResult = part { true } else { false }
    }
  }

  private static func closing(_ open: inout [ToolCall]) -> ChatMessage {
    let results = open.map { call in
      ContentPart.toolResult(
        ToolResult(callID: call.id, name: call.name, content: [.text(missing)], isError: true))
    }
    open = []
    return ChatMessage(.tool, results)
  }
}
