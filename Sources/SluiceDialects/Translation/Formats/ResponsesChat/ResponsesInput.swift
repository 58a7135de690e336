/// Reads the input of a Responses request: a text, or items that say what was said, called and found.
enum ResponsesInput {
  static func read(_ fields: WireObject) throws(TranslationRefusal) -> [ChatMessage] {
    guard let input = fields["input"] else { throw fields.fault("input", "is missing") }
    if case .string(let text) = input { return [ChatMessage(.user, text: text)] }
    guard let items = try? fields.objects("input"), !items.isEmpty else {
      throw fields.fault("input", "must be a string or a list of items that is not empty")
    }
    var messages: [ChatMessage] = []
    for item in items {
      guard let message = try readItem(item) else { continue }
      append(message, to: &messages)
    }
    return messages
  }

  /// One turn of the assistant comes as several items.
  private static func append(_ message: ChatMessage, to messages: inout [ChatMessage]) {
    if message.role == .assistant, let last = messages.indices.last, messages[last].role == .assistant {
      messages[last].parts += message.parts
    } else {
      messages.append(message)
    }
  }

  private static func readItem(_ item: WireObject) throws(TranslationRefusal) -> ChatMessage? {
    let type = try item.text("type") ?? "message"
    switch type {
    case "message": return try readMessage(item)
    case "function_call":
      let call = ToolCall(
        id: try item.requiredText("call_id"), name: try item.requiredText("name"),
        arguments: try item.text("arguments") ?? "")
      return ChatMessage(.assistant, [.toolCall(call)])
    case "function_call_output":
      let result = ToolResult(callID: try item.requiredText("call_id"), content: try readParts(item, "output"))
      return ChatMessage(.tool, [.toolResult(result)])
    case "reasoning":
      let texts = try (try item.objects("summary") ?? []).compactMapText("text")
      return texts.isEmpty ? nil : ChatMessage(.assistant, [.reasoning(ReasoningPart(texts.joined()))])
    default: throw item.fault("type", "items of type '\(type.prefix(64))' cannot be translated")
    }
  }

  private static func readMessage(_ item: WireObject) throws(TranslationRefusal) -> ChatMessage {
    let parts = try readParts(item, "content")
    switch try item.requiredText("role") {
    case "user": return ChatMessage(.user, parts)
    case "assistant": return ChatMessage(.assistant, parts)
    case "system", "developer":
      guard !parts.contains(where: \.isMedia) else { throw item.fault("content", "may only be text here") }
      return ChatMessage(.system, parts)
    default: throw item.fault("role", "must be user, assistant, system or developer")
    }
  }

  private static func readParts(_ item: WireObject, _ name: String) throws(TranslationRefusal) -> [ContentPart] {
    guard let content = item[name] else { throw item.fault(name, "is missing") }
    if case .string(let text) = content { return [.text(text)] }
    guard let objects = try? item.objects(name) else {
      throw item.fault(name, "must be a string or a list of parts")
    }
    var parts: [ContentPart] = []
    for object in objects { parts.append(try readPart(object)) }
    return parts
  }

  private static func readPart(_ part: WireObject) throws(TranslationRefusal) -> ContentPart {
    let type = try part.requiredText("type")
    switch type {
    case "input_text", "output_text", "text": return .text(try part.requiredText("text"))
    case "refusal": return .refusal(try part.requiredText("refusal"))
    case "input_image":
      if let id = try part.text("file_id") { return .image(Media(type: "", source: .stored(id: id))) }
      var media = try OpenAIChat.media(try part.requiredText("image_url"), part, "image_url")
      media.detail = try part.text("detail")
      return .image(media)
    case "input_file": return .file(try readFile(part))
    default: throw part.fault("type", "parts of type '\(type.prefix(64))' cannot be translated")
    }
  }

  private static func readFile(_ part: WireObject) throws(TranslationRefusal) -> Media {
    let name = try part.text("filename")
    if let id = try part.text("file_id") { return Media(type: "", source: .stored(id: id), name: name) }
    if let url = try part.text("file_url") { return Media(type: "", source: .url(url), name: name) }
    guard let media = Media.dataURL(try part.requiredText("file_data"), name: name) else {
      throw part.fault("file_data", "must be a base64 data URL")
    }
    return media
  }
}

extension [WireObject] {
  fileprivate func compactMapText(_ name: String) throws(TranslationRefusal) -> [String] {
    var texts: [String] = []
    for object in self {
      if let text = try object.text(name), !text.isEmpty { texts.append(text) }
    }
    return texts
  }
}
