/// Reads the messages and content blocks of Anthropic's clients.
enum AnthropicContent {
  static func readSystem(_ fields: WireObject) throws(TranslationRefusal) -> ChatMessage? {
    guard let system = fields["system"] else { return nil }
    if case .string(let text) = system { return text.isEmpty ? nil : ChatMessage(.system, text: text) }
    guard let blocks = try? fields.objects("system") else {
      throw fields.fault("system", "must be a string or a list of text blocks")
    }
    var texts: [String] = []
    var isCached = false
    for block in blocks {
      texts.append(try block.requiredText("text"))
      isCached = isCached || block.has("cache_control")
    }
    guard texts.contains(where: { !$0.isEmpty }) else { return nil }
    var message = ChatMessage(.system, text: texts.filter { !$0.isEmpty }.joined(separator: "\n\n"))
    message.endsCachedPrefix = isCached
    return message
  }

  static func readMessages(_ fields: WireObject) throws(TranslationRefusal) -> [ChatMessage] {
    guard let objects = try fields.objects("messages") else { throw fields.fault("messages", "is missing") }
    guard !objects.isEmpty else { throw fields.fault("messages", "is empty") }
    var messages: [ChatMessage] = []
    for object in objects { messages += try readMessage(object) }
    return messages
  }

  private static func readMessage(_ fields: WireObject) throws(TranslationRefusal) -> [ChatMessage] {
    guard let content = fields["content"] else { throw fields.fault("content", "is missing") }
    let role = try self.role(fields)
    if case .string(let text) = content { return [ChatMessage(role, text: text)] }
    guard let blocks = try? fields.objects("content") else {
      throw fields.fault("content", "must be a string or a list of blocks")
    }
    var parts: [ContentPart] = []
    var isCached = false
    for block in blocks {
      isCached = isCached || block.has("cache_control")
      if let part = try readBlock(block, role) { parts.append(part) }
    }
    return split(role, parts, isCached)
  }

  private static func role(_ fields: WireObject) throws(TranslationRefusal) -> ChatMessage.Role {
    switch try fields.requiredText("role") {
    case "user": return .user
    case "assistant": return .assistant
    case "system": return .system
    default: throw fields.fault("role", "must be user, assistant or system")
    }
  }

  /// A user's message with tools' results is two: the results, and what the user says.
  private static func split(_ role: ChatMessage.Role, _ parts: [ContentPart], _ isCached: Bool) -> [ChatMessage] {
    let results = parts.filter { if case .toolResult = $0 { true } else { false } }
    let rest = parts.filter { if case .toolResult = $0 { false } else { true } }
    var messages: [ChatMessage] = []
    if !results.isEmpty { messages.append(ChatMessage(.tool, results)) }
    if !rest.isEmpty || results.isEmpty { messages.append(ChatMessage(role, rest)) }
    messages[messages.count - 1].endsCachedPrefix = isCached
    return messages
  }

  private static func readBlock(
    _ block: WireObject, _ role: ChatMessage.Role
  ) throws(TranslationRefusal) -> ContentPart? {
    let type = try block.requiredText("type")
    switch (type, role) {
    case ("text", _): return .text(try block.requiredText("text"))
    case ("image", .user): return .image(try readSource(block))
    case ("document", .user): return try readDocument(block)
    case ("tool_result", .user): return .toolResult(try readResult(block))
    case ("tool_use", .assistant):
      return .toolCall(
        ToolCall(
          id: try block.requiredText("id"), name: try block.requiredText("name"),
          arguments: ToolArguments.text(block["input"])))
    case ("thinking", .assistant):
      let signature = try block.text("signature")
      return .reasoning(
        ReasoningPart(try block.requiredText("thinking"), signature: signature?.isEmpty == true ? nil : signature))
    case ("redacted_thinking", .assistant):
      return .reasoning(ReasoningPart(try block.requiredText("data"), isRedacted: true))
    default: throw block.fault("type", "blocks of type '\(type.prefix(64))' cannot be translated here")
    }
  }

  private static func readSource(_ block: WireObject) throws(TranslationRefusal) -> Media {
    let source = try block.requiredObject("source")
    switch try source.requiredText("type") {
    case "base64":
      return Media(
        type: try source.requiredText("media_type"), source: .base64(try source.requiredText("data")),
        name: try block.text("title"))
    case "url":
      return Media(type: "", source: .url(try source.requiredText("url")), name: try block.text("title"))
    case "file": return Media(type: "", source: .stored(id: try source.requiredText("file_id")))
    default: throw source.fault("type", "must be base64, url or file")
    }
  }

  /// Documents that are plain text are text to everybody else.
  private static func readDocument(_ block: WireObject) throws(TranslationRefusal) -> ContentPart {
    let source = try block.requiredObject("source")
    if try source.text("type") == "text" { return .text(try source.requiredText("data")) }
    var media = try readSource(block)
    if media.type.isEmpty { media.type = "application/pdf" }
    return .file(media)
  }

  private static func readResult(_ block: WireObject) throws(TranslationRefusal) -> ToolResult {
    var result = ToolResult(callID: try block.requiredText("tool_use_id"), content: [])
    result.isError = try block.flag("is_error") ?? false
    guard let content = block["content"] else { return result }
    if case .string(let text) = content {
      result.content = [.text(text)]
      return result
    }
    guard let blocks = try? block.objects("content") else {
      throw block.fault("content", "must be a string or a list of blocks")
    }
    for inner in blocks {
      switch try inner.requiredText("type") {
      case "text": result.content.append(.text(try inner.requiredText("text")))
      case "image": result.content.append(.image(try readSource(inner)))
      case "document": result.content.append(try readDocument(inner))
      default: throw inner.fault("type", "must be text, image or document")
      }
    }
    return result
  }
}
