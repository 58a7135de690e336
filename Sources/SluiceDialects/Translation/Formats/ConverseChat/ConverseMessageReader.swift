/// Reads a Bedrock client's messages. A message may hold results of tools beside words: the results become a message of
/// their own, in front.
enum ConverseMessageReader {
  static func read(_ message: WireObject) throws(TranslationRefusal) -> [ChatMessage] {
    let role: ChatMessage.Role
    switch try message.requiredText("role") {
    case "user": role = .user
    case "assistant": role = .assistant
    case "system": role = .system
    case let name: throw message.refusal("role", "'\(name.prefix(40))' is no role; use user or assistant.")
    }
    var results: [ContentPart] = []
    var parts: [ContentPart] = []
    var endsCachedPrefix = false
    for block in try message.objects("content") ?? [] {
      if block["cachePoint"] != nil {
        endsCachedPrefix = true
      } else if let result = try block.object("toolResult") {
        results.append(.toolResult(try self.result(result)))
      } else if let part = try part(block) {
        parts.append(part)
      }
    }
    var messages: [ChatMessage] = []
    if !results.isEmpty { messages.append(ChatMessage(.tool, results)) }
    if !parts.isEmpty { messages.append(ChatMessage(role, parts)) }
    if endsCachedPrefix, let last = messages.indices.last { messages[last].endsCachedPrefix = true }
    return messages
  }

  private static func part(_ block: WireObject) throws(TranslationRefusal) -> ContentPart? {
    if let text = try block.text("text") { return .text(text) }
    if let call = try block.object("toolUse") {
      return .toolCall(
        ToolCall(
          id: try call.requiredText("toolUseId"), name: try call.requiredText("name"),
          arguments: ToolArguments.text(try call.document("input"))))
    }
    if let reasoning = try block.object("reasoningContent") { return try self.reasoning(reasoning) }
    if let guarded = try block.object("guardContent")?.object("text") { return .text(try guarded.requiredText("text")) }
    if let cited = try block.object("citationsContent") {
      var text = ""
      for piece in try cited.objects("content") ?? [] { text += try piece.text("text") ?? "" }
      return .text(text)
    }
    if let media = try ConverseMedia.part(block) { return media }
    throw TranslationRefusal(
      "'\(block.path)' is a block that cannot be carried to a provider of another protocol.", field: block.path)
  }

  private static func reasoning(_ block: WireObject) throws(TranslationRefusal) -> ContentPart {
    if let redacted = try block.text("redactedContent") { return .reasoning(ReasoningPart(redacted, isRedacted: true)) }
    guard let text = try block.object("reasoningText") else {
      throw block.refusal("reasoningText", "'\(block.place("reasoningText"))' is missing.")
    }
    return .reasoning(ReasoningPart(try text.text("text") ?? "", signature: try text.text("signature")))
  }

  private static func result(_ block: WireObject) throws(TranslationRefusal) -> ToolResult {
    var content: [ContentPart] = []
    for item in try block.objects("content") ?? [] {
      if let text = try item.text("text") {
        content.append(.text(text))
      } else if let document = item["json"] {
        content.append(.text(document.jsonText))
      } else if let media = try ConverseMedia.part(item) {
        content.append(media)
      } else {
        throw TranslationRefusal(
          "'\(item.path)' cannot be carried to a provider of another protocol.", field: item.path)
      }
    }
    return ToolResult(
      callID: try block.requiredText("toolUseId"), content: content, isError: try block.text("status") == "error")
  }
}
