/// Reads a Gemini client's `contents`. Calls and results may come without ids: then they are matched by name and order,
/// and get ids that follow from their places, so that the same conversation always gets the same ones.
struct GeminiContentReader {
  private(set) var messages: [ChatMessage] = []
  private var open: [ToolCall] = []
  private var calls = 0

  mutating func read(_ content: WireObject, _ notes: inout TranslationNotes) throws(TranslationRefusal) {
    content.dropOthers(than: ["role", "parts"], &notes)
    let parts = try content.objects("parts") ?? []
    switch try content.text("role") {
    case "model": try readModel(parts, &notes)
    case nil, "user", "function", "": try readUser(parts, &notes)
    case let role?: throw content.refusal("role", "'\(role.prefix(40))' is no role; use user or model.")
    }
  }

  private mutating func readModel(_ parts: [WireObject], _ notes: inout TranslationNotes) throws(TranslationRefusal) {
    var message = ChatMessage(.assistant, [])
    open = []
    for part in parts {
      if let call = try part.object("functionCall") {
        let made = try toolCall(call, signature: part.text("thoughtSignature"))
        message.parts.append(.toolCall(made))
        open.append(made)
      } else if let spoken = try spoken(part, &notes) {
        message.parts.append(spoken)
      }
    }
    messages.append(message)
  }

  private mutating func toolCall(_ call: WireObject, signature: String?) throws(TranslationRefusal) -> ToolCall {
    calls += 1
    let given = try call.text("id") ?? ""
    return ToolCall(
      id: given.isEmpty ? "call_\(calls)" : given, name: try call.requiredText("name"),
      arguments: ToolArguments.text(try call.document("args")), signature: signature)
  }

  /// Results come first: they answer the turn before, whatever else the user says beside them.
  private mutating func readUser(_ parts: [WireObject], _ notes: inout TranslationNotes) throws(TranslationRefusal) {
    var results: [ContentPart] = []
    var words: [ContentPart] = []
    for part in parts {
      if let response = try part.object("functionResponse") {
        results.append(.toolResult(try result(response)))
      } else if let spoken = try spoken(part, &notes) {
        words.append(spoken)
      }
    }
    if !results.isEmpty { messages.append(ChatMessage(.tool, results)) }
    if !words.isEmpty { messages.append(ChatMessage(.user, words)) }
  }

  private mutating func result(_ response: WireObject) throws(TranslationRefusal) -> ToolResult {
    let name = try response.requiredText("name")
    let given = try response.text("id") ?? ""
    let place = open.firstIndex { given.isEmpty ? $0.name == name : $0.id == given }
    guard let id = place.map({ open[$0].id }) ?? (given.isEmpty ? nil : given) else {
      throw response.refusal("name", "'\(response.place("name"))' names no call of the turn before.")
    }
    if let place { open.remove(at: place) }
    let value = try response.document("response")
    if let failure = value?.given("error"), value?.members?.count == 1 {
      return ToolResult(callID: id, name: name, content: [.text(failure.string ?? failure.jsonText)], isError: true)
    }
    var output = value ?? .emptyObject
    for member in ["output", "result"] where output.members?.count == 1 {
      if let inner = output[member] { output = inner }
    }
    return ToolResult(callID: id, name: name, content: [.text(output.string ?? output.jsonText)])
  }

  private func spoken(_ part: WireObject, _ notes: inout TranslationNotes) throws(TranslationRefusal) -> ContentPart? {
    try part.refuse("executableCode", "codeExecutionResult", "toolCall", "toolResponse")
    part.dropOthers(than: ["text", "thought", "thoughtSignature", "inlineData", "fileData"], &notes)
    if let text = try part.text("text") {
      guard try part.flag("thought") == true else { return .text(text) }
      return .reasoning(ReasoningPart(text, signature: try part.text("thoughtSignature")))
    }
    if let data = try part.object("inlineData") {
      guard let base64 = Base64Text.standard(try data.requiredText("data")) else {
        throw data.refusal("data", "'\(data.place("data"))' is not base64.")
      }
      let type = try data.requiredText("mimeType")
      return Self.media(Media(type: type, source: .base64(base64), name: try data.text("displayName")))
    }
    guard let file = try part.object("fileData") else { return nil }
    let uri = try file.requiredText("fileUri")
    return Self.media(Media(type: try file.text("mimeType") ?? "", source: .url(uri)))
  }

  static func media(_ media: Media) -> ContentPart {
    if media.type.hasPrefix("image/") || media.type.isEmpty { return .image(media) }
    if media.type.hasPrefix("audio/") { return .audio(media) }
    return media.type.hasPrefix("video/") ? .video(media) : .file(media)
  }
}
