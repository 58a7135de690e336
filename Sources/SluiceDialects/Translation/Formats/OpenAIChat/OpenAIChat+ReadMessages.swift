extension OpenAIChat {
  static func readMessages(_ fields: WireObject) throws(TranslationRefusal) -> [ChatMessage] {
    guard let objects = try fields.objects("messages") else { throw fields.fault("messages", "is missing") }
    guard !objects.isEmpty else { throw fields.fault("messages", "is empty") }
    var messages: [ChatMessage] = []
    messages.reserveCapacity(objects.count)
    for object in objects { messages.append(try readMessage(object)) }
    return messages
  }

  private static func readMessage(_ fields: WireObject) throws(TranslationRefusal) -> ChatMessage {
    let name = try fields.text("name")
    switch try fields.requiredText("role") {
    case "system", "developer": return ChatMessage(.system, try readContent(fields, isText: true), name: name)
    case "user": return ChatMessage(.user, try readContent(fields), name: name)
    case "assistant": return ChatMessage(.assistant, try readAssistant(fields), name: name)
    case "tool":
      let result = ToolResult(
        callID: try fields.requiredText("tool_call_id"), name: name, content: try readContent(fields))
      return ChatMessage(.tool, [.toolResult(result)])
    case "function": throw fields.fault("role", "function is outdated; send tool")
    default: throw fields.fault("role", "must be system, developer, user, assistant or tool")
    }
  }

  private static func readAssistant(_ fields: WireObject) throws(TranslationRefusal) -> [ContentPart] {
    guard !fields.has("function_call") else { throw fields.fault("function_call", "is outdated; send tool_calls") }
    guard !fields.has("audio") else { throw fields.fault("audio", "spoken answers cannot be translated") }
    var parts = try readThinking(fields)
    if fields.has("content") { parts += try readContent(fields) }
    if let refusal = try fields.text("refusal") { parts.append(.refusal(refusal)) }
    for call in try fields.objects("tool_calls") ?? [] { parts.append(.toolCall(try readCall(call))) }
    return parts
  }

  /// `thinking_blocks` hold the signatures, `reasoning_content` the text only; neither is OpenAI's own.
  private static func readThinking(_ fields: WireObject) throws(TranslationRefusal) -> [ContentPart] {
    guard let blocks = try fields.objects("thinking_blocks") else {
      guard let text = try fields.text("reasoning_content"), !text.isEmpty else { return [] }
      return [.reasoning(ReasoningPart(text))]
    }
    var parts: [ContentPart] = []
    for block in blocks {
      if try block.text("type") == "redacted_thinking" {
        parts.append(.reasoning(ReasoningPart(try block.requiredText("data"), isRedacted: true)))
      } else {
        let signature = try block.text("signature")
        parts.append(.reasoning(ReasoningPart(try block.requiredText("thinking"), signature: signature)))
      }
    }
    return parts
  }

  private static func readCall(_ fields: WireObject) throws(TranslationRefusal) -> ToolCall {
    guard try fields.text("type") ?? "function" == "function" else {
      throw fields.fault("type", "only calls of functions can be translated")
    }
    let function = try fields.requiredObject("function")
    // Some clients send the object itself.
    let arguments = function["arguments"]
    let text = arguments?.string ?? (arguments == nil ? "" : ToolArguments.text(arguments))
    let signature = try fields.object("extra_content")?.object("google")?.text("thought_signature")
    return ToolCall(
      id: try fields.requiredText("id"), name: try function.requiredText("name"), arguments: text,
      signature: signature)
  }

  private static func readContent(
    _ fields: WireObject, isText: Bool = false
  ) throws(TranslationRefusal) -> [ContentPart] {
    guard let content = fields["content"] else { throw fields.fault("content", "is missing") }
    if case .string(let text) = content { return [.text(text)] }
    guard let objects = try? fields.objects("content") else {
      throw fields.fault("content", "must be a string or a list of parts")
    }
    var parts: [ContentPart] = []
    for object in objects {
      let part = try readPart(object)
      if isText, part.isMedia { throw object.fault("type", "only text may stand here") }
      parts.append(part)
    }
    return parts
  }

  private static func readPart(_ part: WireObject) throws(TranslationRefusal) -> ContentPart {
    let type = try part.requiredText("type")
    switch type {
    case "text": return .text(try part.requiredText("text"))
    case "refusal": return .refusal(try part.requiredText("refusal"))
    case "image_url": return .image(try readImage(part))
    case "input_audio": return .audio(try readAudio(try part.requiredObject("input_audio")))
    case "file": return .file(try readFile(try part.requiredObject("file")))
    default: throw part.fault("type", "parts of type '\(type.prefix(64))' cannot be translated")
    }
  }

  private static func readImage(_ part: WireObject) throws(TranslationRefusal) -> Media {
    // Mistral's clients send the URL itself.
    if let url = part["image_url"]?.string { return try media(url, part, "image_url") }
    let image = try part.requiredObject("image_url")
    var media = try media(try image.requiredText("url"), image, "url")
    media.detail = try image.text("detail")
    return media
  }

  static func media(_ url: String, _ fields: WireObject, _ name: String) throws(TranslationRefusal) -> Media {
    if url.hasPrefix("https://") || url.hasPrefix("http://") { return Media(type: "", source: .url(url)) }
    guard let media = Media.dataURL(url) else {
      throw fields.fault(name, "must be an http(s) URL or a base64 data URL")
    }
    return media
  }

  private static func readAudio(_ audio: WireObject) throws(TranslationRefusal) -> Media {
    let format = try audio.requiredText("format")
    let type = format == "mp3" ? "audio/mpeg" : "audio/\(format)"
    return Media(type: type, source: .base64(try audio.requiredText("data")))
  }

  private static func readFile(_ file: WireObject) throws(TranslationRefusal) -> Media {
    if let id = try file.text("file_id") { return Media(type: "", source: .stored(id: id)) }
    let name = try file.text("filename")
    guard let media = Media.dataURL(try file.requiredText("file_data"), name: name) else {
      throw file.fault("file_data", "must be a base64 data URL")
    }
    return media
  }
}

extension ContentPart {
  /// Neither text nor anything that only assistants and tools say.
  package var isMedia: Bool {
    switch self {
    case .image, .audio, .video, .file: true
    default: false
    }
  }
}
