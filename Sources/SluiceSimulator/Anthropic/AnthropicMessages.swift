import SluiceDialects

/// Decodes and checks the conversation of an Anthropic request.
extension AnthropicDecoder {
  static func readMessages(
    _ body: JSONValue, model: String, into completion: inout CompletionRequest
  ) throws(ProviderError) {
    guard let value = body["messages"] else { throw invalid("messages: Field required") }
    guard let messages = value.array else { throw invalid("messages: Input should be a valid list") }
    guard !messages.isEmpty else { throw invalid("messages: at least one message is required") }
    guard messages.count <= 100_000 else { throw invalid("messages: at most 100000 messages are allowed") }
    var open: [String] = []
    for (index, message) in messages.enumerated() {
      let place = "messages.\(index)"
      guard message.members != nil else { throw invalid("\(place): Input should be a valid dictionary") }
      guard let role = message["role"]?.string else { throw invalid("\(place).role: Field required") }
      guard role == "user" || role == "assistant" || role == "system" else {
        throw invalid("\(place).role: Input should be 'user', 'assistant' or 'system'")
      }
      guard let content = message["content"] else { throw invalid("\(place).content: Field required") }
      completion.promptTokens += 4
      if let text = content.string {
        guard open.isEmpty else { throw unanswered(open, index) }
        completion.promptTokens += TokenRule.count(text)
        completion.endsWithToolResults = false
        if role == "user" { completion.question = text }
        continue
      }
      guard let blocks = content.array else { throw invalid("\(place).content: Input should be a valid string") }
      try checkResults(blocks, open, index)
      open = try readBlocks(blocks, role: role, place: place, into: &completion)
    }
    guard open.isEmpty else { throw unanswered(open, messages.count) }
    try checkEnd(messages, model)
  }

  /// After `tool_use` the next message holds a `tool_result` for each, before anything else.
  private static func checkResults(_ blocks: [JSONValue], _ open: [String], _ index: Int) throws(ProviderError) {
    let leading = blocks.prefix { $0["type"]?.string == "tool_result" }
    let answered = leading.compactMap { $0["tool_use_id"]?.string }
    let left = open.filter { !answered.contains($0) }
    guard left.isEmpty else { throw unanswered(left, index) }
    if let stray = answered.first(where: { !open.contains($0) }) {
      throw invalid(
        "messages.\(index).content.0: unexpected `tool_use_id` found in `tool_result` blocks: \(stray). Each "
          + "`tool_result` block must have a corresponding `tool_use` block in the previous message.")
    }
    guard blocks.count(where: { $0["type"]?.string == "tool_result" }) == leading.count else {
      throw invalid("messages.\(index): `tool_result` blocks must come first in the content")
    }
  }

  private static func unanswered(_ ids: [String], _ index: Int) -> ProviderError {
    invalid(
      "messages.\(max(0, index - 1)): `tool_use` ids were found without `tool_result` blocks immediately after: "
        + "\(ids.joined(separator: ", ")). Each `tool_use` block must have a corresponding `tool_result` block in the "
        + "next message.")
  }

  /// Counts one message's blocks; gives back the ids of its `tool_use` blocks.
  private static func readBlocks(
    _ blocks: [JSONValue], role: String, place: String, into completion: inout CompletionRequest
  ) throws(ProviderError) -> [String] {
    var uses: [String] = []
    var question = ""
    completion.endsWithToolResults = blocks.contains { $0["type"]?.string == "tool_result" }
    for (index, block) in blocks.enumerated() {
      let place = "\(place).content.\(index)"
      guard let type = block["type"]?.string else { throw invalid("\(place).type: Field required") }
      switch type {
      case "text":
        guard let text = block["text"]?.string else { throw invalid("\(place).text.text: Field required") }
        guard !text.isEmpty else { throw invalid("messages: text content blocks must be non-empty") }
        completion.promptTokens += TokenRule.count(text)
        question += question.isEmpty ? text : "\n" + text
      case "tool_use":
        guard role == "assistant" else {
          throw invalid("\(place): `tool_use` blocks can only be in `assistant` messages")
        }
        guard let id = block["id"]?.string, OpenAITools.isToolName(id, longest: 256) else {
          throw invalid("\(place).tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'")
        }
        uses.append(id)
        completion.promptTokens += TokenRule.count(block["input"] ?? .null)
      case "tool_result":
        guard role == "user" else { throw invalid("\(place): `tool_result` blocks can only be in `user` messages") }
        guard block["tool_use_id"]?.string != nil else {
          throw invalid("\(place).tool_result.tool_use_id: Field required")
        }
        completion.promptTokens += TokenRule.count(block["content"] ?? .null)
      case "image", "document":
        guard type == "image" || role != "assistant" else {
          throw invalid("\(place): `document` blocks are not permitted in `assistant` messages")
        }
        guard block["source"] != nil else { throw invalid("\(place).\(type).source: Field required") }
        // A fixed price: what is inside is not looked at.
        completion.promptTokens += 85
      case "thinking", "redacted_thinking", "search_result", "server_tool_use", "web_search_tool_result":
        completion.promptTokens += TokenRule.count(block)
      default:
        throw invalid("\(place): Input tag '\(type)' found using 'type' does not match any of the expected tags")
      }
    }
    if role == "user", !question.isEmpty { completion.question = question }
    return uses
  }

  /// A conversation that ends with the assistant asks to continue its words, which newer models refuse.
  private static func checkEnd(_ messages: [JSONValue], _ model: String) throws(ProviderError) {
    guard let last = messages.last, last["role"]?.string == "assistant" else { return }
    let text = last["content"]?.string ?? last["content"]?.array?.last?["text"]?.string ?? ""
    if text.last?.isWhitespace == true {
      throw invalid("messages: final assistant content cannot end with trailing whitespace")
    }
    let isNewer = ["opus", "sonnet", "haiku", "fable", "mythos"].contains { model.hasPrefix("claude-\($0)-5") }
    guard isNewer else { return }
    throw invalid(
      "This model does not support assistant message prefill. The conversation must end with a user message.")
  }
}
