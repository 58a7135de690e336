/// Writes a conversation as Anthropic's messages: the leading system texts apart, tools' results as a user's blocks
/// before what the user says, neighbours of one role merged, nothing empty.
struct AnthropicMessageWriter {
  /// The API's version that knows system messages in the middle and takes no half answer at the end.
  private let isCurrent: Bool
  private(set) var notes: TranslationNotes
  private var written: [(role: String, blocks: [JSONValue])] = []
  /// The API takes four marks.
  private var cacheMarks = 4

  init(isCurrent: Bool, _ notes: TranslationNotes) {
    self.isCurrent = isCurrent
    self.notes = notes
  }

  mutating func write(
    _ request: ChatRequest
  ) throws(TranslationRefusal) -> (system: JSONValue?, messages: [JSONValue]) {
    let system = writeSystem(request)
    let rest = Conversation.splittingSystem(request.messages).rest
    for message in rest { try write(message) }
    try checkEnds()
    let messages = written.map { entry -> JSONValue in
      ["role": .string(entry.role), "content": Self.content(entry.blocks)]
    }
    return (system, messages)
  }

  private mutating func writeSystem(_ request: ChatRequest) -> JSONValue? {
    var text = Conversation.splittingSystem(request.messages).system
    // There is no mode for any JSON: the model has to be asked.
    if request.responseFormat == .json {
      text += (text.isEmpty ? "" : "\n\n") + "Answer with one JSON object and nothing else."
    }
    guard !text.allSatisfy(\.isWhitespace) else { return nil }
    let isCached = request.messages.prefix { $0.role == .system }.contains(where: \.endsCachedPrefix)
    guard isCached else { return .string(text) }
    return [mark(["type": "text", "text": .string(text)])]
  }

  private mutating func mark(_ block: JSONValue) -> JSONValue {
    guard cacheMarks > 0, case .object(let members) = block else { return block }
    cacheMarks -= 1
    return .object(members + [JSONMember(name: "cache_control", value: ["type": "ephemeral"])])
  }

  /// The one text as a string, as people write it.
  private static func content(_ blocks: [JSONValue]) -> JSONValue {
    guard blocks.count == 1, blocks[0]["type"] == "text", blocks[0]["cache_control"] == nil,
      let text = blocks[0]["text"]
    else { return .array(blocks) }
    return text
  }

  private mutating func write(_ message: ChatMessage) throws(TranslationRefusal) {
    var blocks: [JSONValue] = []
    for part in message.parts {
      if let block = try block(part, message.role) { blocks.append(block) }
    }
    var role = message.role == .assistant ? "assistant" : "user"
    if message.role == .system {
      if isCurrent { role = "system" } else { blocks = blocks.map(Self.asUserText) }
    }
    guard !blocks.isEmpty else { return }
    if message.endsCachedPrefix, let last = blocks.popLast() { blocks.append(mark(last)) }
    if let last = written.indices.last, written[last].role == role {
      written[last].blocks += blocks
    } else {
      written.append((role, blocks))
    }
  }

  private static func asUserText(_ block: JSONValue) -> JSONValue {
    ["type": "text", "text": .string("<system>\(block["text"]?.string ?? "")</system>")]
  }

  /// The first message is the user's; the last one is not the model's own where that is refused.
  private mutating func checkEnds() throws(TranslationRefusal) {
    guard let first = written.first else {
      throw TranslationRefusal("needs at least one message with content", field: "messages")
    }
    if first.role == "assistant" {
      written.insert(("user", [["type": "text", "text": "Continue."]]), at: 0)
    }
    guard let last = written.last, last.role == "assistant" else { return }
    guard !isCurrent else {
      throw TranslationRefusal(
        "this model's provider does not continue an answer that has begun; end with a user or tool message",
        field: "messages")
    }
    trimPrefill()
  }

  /// A begun answer must not end in white space.
  private mutating func trimPrefill() {
    guard let message = written.indices.last, let block = written[message].blocks.indices.last,
      written[message].blocks[block]["type"] == "text", var text = written[message].blocks[block]["text"]?.string
    else { return }
    while text.last?.isWhitespace == true { text.removeLast() }
    if text.isEmpty {
      written[message].blocks.removeLast()
      if written[message].blocks.isEmpty { written.removeLast() }
    } else {
      written[message].blocks[block] = ["type": "text", "text": .string(text)]
    }
  }
}

// MARK: - Blocks

extension AnthropicMessageWriter {
  private mutating func block(
    _ part: ContentPart, _ role: ChatMessage.Role
  ) throws(TranslationRefusal) -> JSONValue? {
    switch part {
    // The API refuses texts of nothing but white space.
    case .text(let text), .refusal(let text):
      return text.allSatisfy(\.isWhitespace) ? nil : ["type": "text", "text": .string(text)]
    case .image(let media): return ["type": "image", "source": try imageSource(media)]
    case .file(let media): return try document(media)
    case .audio: throw TranslationRefusal("this model's provider takes no sound", field: "messages")
    case .video: throw TranslationRefusal("this model's provider takes no videos", field: "messages")
    case .reasoning(let thought): return Self.thinking(thought)
    case .toolCall(let call):
      return [
        "type": "tool_use", "id": .string(ForeignNames.anthropicIDs.id(call.id)),
        "name": .string(notes.rename(call.name, .anthropicNames)), "input": ToolArguments.object(call.arguments),
      ]
    case .toolResult(let result): return try self.result(result)
    }
  }

  /// A thought without its signature is refused: it is left out.
  private static func thinking(_ thought: ReasoningPart) -> JSONValue? {
    if thought.isRedacted { return ["type": "redacted_thinking", "data": .string(thought.text)] }
    guard let signature = thought.signature else { return nil }
    return ["type": "thinking", "thinking": .string(thought.text), "signature": .string(signature)]
  }

  private mutating func result(_ result: ToolResult) throws(TranslationRefusal) -> JSONValue {
    var object = JSONObject()
    object["type"] = "tool_result"
    object["tool_use_id"] = .string(ForeignNames.anthropicIDs.id(result.callID))
    if result.content.contains(where: \.isMedia) {
      var blocks: [JSONValue] = []
      for part in result.content {
        if let block = try block(part, .tool) { blocks.append(block) }
      }
      object["content"] = .array(blocks)
    } else if !result.text.isEmpty {
      object["content"] = .string(result.text)
    }
    if result.isError { object["is_error"] = true }
    return object.value
  }

  private func imageSource(_ media: Media) throws(TranslationRefusal) -> JSONValue {
    guard case .base64 = media.source else { return try source(media, type: "") }
    let type = media.type == "image/jpg" ? "image/jpeg" : media.type
    guard ["image/jpeg", "image/png", "image/gif", "image/webp"].contains(type) else {
      throw TranslationRefusal(
        "this model's provider takes JPEG, PNG, GIF and WebP, not '\(type.prefix(64))'", field: "messages")
    }
    return try source(media, type: type)
  }

  private func document(_ media: Media) throws(TranslationRefusal) -> JSONValue {
    var object = JSONObject()
    object["type"] = "document"
    if media.type == "text/plain", case .base64(let data) = media.source,
      let bytes = Array(data.utf8).withSlice({ Base64Text.decode($0) })
    {
      object["source"] = [
        "type": "text", "media_type": "text/plain", "data": .string(String(decoding: bytes, as: UTF8.self)),
      ]
    } else {
      guard media.type == "application/pdf" || media.type.isEmpty else {
        throw TranslationRefusal(
          "this model's provider takes PDF and plain text, not '\(media.type.prefix(64))'", field: "messages")
      }
      object["source"] = try source(media, type: "application/pdf")
    }
    object["title"] = media.name.map(JSONValue.string)
    return object.value
  }

  private func source(_ media: Media, type: String) throws(TranslationRefusal) -> JSONValue {
    switch media.source {
    case .base64(let data): return ["type": "base64", "media_type": .string(type), "data": .string(data)]
    case .url(let url): return ["type": "url", "url": .string(url)]
    case .stored:
      throw TranslationRefusal(
        "a file stored at one provider cannot be used at another; send its content", field: "messages")
    }
  }
}
