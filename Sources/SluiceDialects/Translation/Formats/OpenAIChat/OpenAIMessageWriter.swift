/// Writes a conversation as OpenAI's messages.
struct OpenAIMessageWriter {
  private let flavour: OpenAIFlavour
  private(set) var notes: TranslationNotes
  private var written: [JSONValue] = []
  /// From tools' results; they follow in a user message behind the last result, since tools may only say text.
  private var pictures: [ContentPart] = []

  init(_ flavour: OpenAIFlavour, _ notes: TranslationNotes) {
    self.flavour = flavour
    self.notes = notes
  }

  mutating func write(_ messages: [ChatMessage]) throws(TranslationRefusal) -> [JSONValue] {
    let messages = flavour.isMistral ? Self.mergingAssistants(messages) : messages
    for (index, message) in messages.enumerated() {
      let isLast = index == messages.count - 1
      if message.role != .tool { try flushPictures() }
      switch message.role {
      case .system:
        guard !message.text.isEmpty else { continue }
        append("system", .string(message.text), message)
      case .user: append("user", try content(message.parts), message)
      case .assistant: writeAssistant(message, isLast: isLast)
      case .tool: writeResults(message)
      }
    }
    try flushPictures()
    return written
  }

  private static func mergingAssistants(_ messages: [ChatMessage]) -> [ChatMessage] {
    messages.reduce(into: []) { merged, message in
      if let last = merged.indices.last, message.role == .assistant, merged[last].role == .assistant {
        merged[last].parts += message.parts
      } else {
        merged.append(message)
      }
    }
  }

  private mutating func append(_ role: JSONValue, _ content: JSONValue, _ message: ChatMessage) {
    var object = JSONObject()
    object["role"] = role
    object["content"] = content
    if !flavour.isMistral { object["name"] = message.name.map(JSONValue.string) }
    written.append(object.value)
  }

  /// The one text as a string, anything else as parts.
  private func content(_ parts: [ContentPart]) throws(TranslationRefusal) -> JSONValue {
    if parts.count == 1, case .text(let text) = parts[0] { return .string(text) }
    var list: [JSONValue] = []
    for part in parts {
      switch part {
      case .text(let text): list.append(["type": "text", "text": .string(text)])
      case .refusal(let text): list.append(["type": "text", "text": .string(text)])
      case .image(let media): list.append(["type": "image_url", "image_url": try image(media)])
      case .audio(let media): list.append(["type": "input_audio", "input_audio": try audio(media)])
      case .file(let media): list.append(try file(media))
      case .video: throw TranslationRefusal("this model's provider takes no videos", field: "messages")
      case .reasoning, .toolCall, .toolResult: break
      }
    }
    return list.isEmpty ? "" : .array(list)
  }

  private func image(_ media: Media) throws(TranslationRefusal) -> JSONValue {
    guard let url = DataURL.text(media) else { throw Self.storedElsewhere }
    var image = JSONObject()
    image["url"] = .string(url)
    image["detail"] = media.detail.map(JSONValue.string)
    return image.value
  }

  private func audio(_ media: Media) throws(TranslationRefusal) -> JSONValue {
    guard case .base64(let data) = media.source else {
      throw TranslationRefusal("this model's provider takes sound as data only, not by URL", field: "messages")
    }
    if flavour.isMistral { return .string(data) }
    switch media.type {
    case "audio/wav", "audio/x-wav", "audio/wave": return ["data": .string(data), "format": "wav"]
    case "audio/mpeg", "audio/mp3": return ["data": .string(data), "format": "mp3"]
    default:
      throw TranslationRefusal("this model's provider takes WAV and MP3, not '\(media.type)'", field: "messages")
    }
  }

  private func file(_ media: Media) throws(TranslationRefusal) -> JSONValue {
    guard let url = DataURL.text(media) else { throw Self.storedElsewhere }
    if flavour.isMistral { return ["type": "document_url", "document_url": .string(url)] }
    guard case .base64 = media.source else {
      throw TranslationRefusal("this model's provider takes documents as data only, not by URL", field: "messages")
    }
    let name = media.name ?? (media.type == "application/pdf" ? "document.pdf" : "document")
    return ["type": "file", "file": ["file_data": .string(url), "filename": .string(name)]]
  }

  private static let storedElsewhere = TranslationRefusal(
    "a file stored at one provider cannot be used at another; send its content", field: "messages")
}

// MARK: - Assistants and results

extension OpenAIMessageWriter {
  private mutating func writeAssistant(_ message: ChatMessage, isLast: Bool) {
    var object = JSONObject()
    object["role"] = "assistant"
    var text = message.text
    let refusal = message.parts.compactMap { if case .refusal(let text) = $0 { text } else { nil } }.joined()
    if flavour.isMistral || flavour.takesReasoning { text += refusal }
    object["content"] = text.isEmpty ? .null : .string(text)
    if text.isEmpty, message.toolCalls.isEmpty, refusal.isEmpty || flavour.isMistral { object["content"] = "" }
    if !flavour.isMistral, !flavour.takesReasoning, !refusal.isEmpty { object["refusal"] = .string(refusal) }
    if flavour.takesReasoning { object["reasoning_content"] = reasoning(message) }
    if !flavour.isMistral { object["name"] = message.name.map(JSONValue.string) }
    let calls = message.toolCalls.map { call($0) }
    if !calls.isEmpty { object["tool_calls"] = .array(calls) }
    if flavour.isMistral, isLast { object["prefix"] = true }
    written.append(object.value)
  }

  private func reasoning(_ message: ChatMessage) -> JSONValue? {
    let text = message.parts.compactMap { part -> String? in
      if case .reasoning(let thought) = part, !thought.isRedacted { thought.text } else { nil }
    }.joined()
    return text.isEmpty ? nil : .string(text)
  }

  private mutating func call(_ call: ToolCall) -> JSONValue {
    [
      "id": .string(flavour.ids.id(call.id)), "type": "function",
      "function": [
        "name": .string(notes.rename(call.name, .openAINames)),
        "arguments": .string(call.arguments.isEmpty ? "{}" : call.arguments),
      ],
    ]
  }

  /// One message for each result.
  private mutating func writeResults(_ message: ChatMessage) {
    for part in message.parts {
      guard case .toolResult(let result) = part else { continue }
      var object = JSONObject()
      object["role"] = "tool"
      object["tool_call_id"] = .string(flavour.ids.id(result.callID))
      object["content"] = .string(result.isError ? "Error: \(result.text)" : result.text)
      if flavour.namesResults, let name = result.name { object["name"] = .string(notes.rename(name, .openAINames)) }
      written.append(object.value)
      pictures += result.content.filter(\.isMedia)
    }
  }

  private mutating func flushPictures() throws(TranslationRefusal) {
    guard !pictures.isEmpty else { return }
    append("user", try content(pictures), ChatMessage(.user, pictures))
    pictures = []
  }
}
