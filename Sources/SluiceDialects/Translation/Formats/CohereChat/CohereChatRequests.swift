extension CohereChat {
  package static func readRequest(
    _ body: JSONValue, model: String, streams: Bool, _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) -> ChatRequest {
    let source = try WireObject(body)
    source.dropOthers(
      than: [
        "model", "messages", "stream", "max_tokens", "temperature", "p", "k", "seed", "frequency_penalty",
        "presence_penalty", "stop_sequences", "tools", "tool_choice", "strict_tools", "response_format", "thinking",
      ], &notes)
    try source.refuse("documents")
    var request = ChatRequest(model: model)
    request.streams = streams
    request.includesUsage = true
    guard let messages = try source.objects("messages"), !messages.isEmpty else {
      throw source.refusal("messages", "'messages' must have at least one element.")
    }
    for message in messages { request.messages.append(try read(message, &notes)) }
    request.maxOutputTokens = try source.count("max_tokens")
    request.sampling.temperature = try source.number("temperature")
    request.sampling.topP = try source.number("p")
    // Zero switches it off.
    request.sampling.topK = try source.integer("k").flatMap { $0 > 0 ? $0 : nil }
    request.sampling.seed = try source.integer("seed")
    request.sampling.frequencyPenalty = try source.number("frequency_penalty")
    request.sampling.presencePenalty = try source.number("presence_penalty")
    request.stop = try source.texts("stop_sequences") ?? []
    try readTools(source, &request, &notes)
    if let format = try source.object("response_format") { request.responseFormat = try responseFormat(format) }
    if let thinking = try source.object("thinking") { request.reasoning = try reasoning(thinking) }
    return request
  }

  private static func readTools(
    _ source: WireObject, _ request: inout ChatRequest, _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) {
    let isStrict = try source.flag("strict_tools")
    for tool in try source.objects("tools") ?? [] {
      guard let function = try tool.object("function") else {
        throw tool.refusal("function", "'\(tool.place("function"))' is missing.")
      }
      function.dropOthers(than: ["name", "description", "parameters"], &notes)
      request.tools.append(
        ToolDefinition(
          name: try function.requiredText("name"), description: try function.text("description"),
          parameters: try function.document("parameters"), isStrict: isStrict))
    }
    switch try source.text("tool_choice") {
    case nil: break
    case "REQUIRED": request.toolChoice = .required
    case "NONE": request.toolChoice = ToolChoice.none
    default: throw source.refusal("tool_choice", "'tool_choice' must be REQUIRED or NONE.")
    }
  }

  private static func responseFormat(_ format: WireObject) throws(TranslationRefusal) -> ResponseFormat {
    switch try format.requiredText("type") {
    case "text": return .text
    case "json_object":
      let plain = try format.document("schema")
      let schema = try format.document("json_schema") ?? plain
      return schema.map { .schema(name: nil, schema: $0, isStrict: nil) } ?? .json
    default: throw format.refusal("type", "'\(format.place("type"))' must be text or json_object.")
    }
  }

  private static func reasoning(_ thinking: WireObject) throws(TranslationRefusal) -> Reasoning {
    switch try thinking.requiredText("type") {
    case "enabled": return Reasoning(budget: try thinking.count("token_budget"))
    case "disabled": return Reasoning(effort: Reasoning.Effort.none)
    default: throw thinking.refusal("type", "'\(thinking.place("type"))' must be enabled or disabled.")
    }
  }

  // MARK: Messages

  private static func read(
    _ message: WireObject, _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) -> ChatMessage {
    switch try message.requiredText("role") {
    case "system": return ChatMessage(.system, try content(message))
    case "user": return ChatMessage(.user, try content(message))
    case "assistant": return try assistant(message, &notes)
    case "tool":
      let id = try message.requiredText("tool_call_id")
      return ChatMessage(.tool, [.toolResult(ToolResult(callID: id, content: try content(message)))])
    case let role: throw message.refusal("role", "'\(role.prefix(40))' is no role.")
    }
  }

  private static func assistant(
    _ message: WireObject, _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) -> ChatMessage {
    message.dropOthers(than: ["role", "content", "tool_plan", "tool_calls"], &notes)
    var parts = try content(message)
    if let plan = try message.text("tool_plan"), !plan.isEmpty { parts.append(.text(plan)) }
    for call in try message.objects("tool_calls") ?? [] {
      guard let function = try call.object("function") else {
        throw call.refusal("function", "'\(call.place("function"))' is missing.")
      }
      parts.append(
        .toolCall(
          ToolCall(
            id: try call.requiredText("id"), name: try function.requiredText("name"),
            arguments: try function.text("arguments") ?? "")))
    }
    return ChatMessage(.assistant, parts)
  }

  /// A text or a list of parts.
  private static func content(_ message: WireObject) throws(TranslationRefusal) -> [ContentPart] {
    if let text = message["content"]?.string { return [.text(text)] }
    var parts: [ContentPart] = []
    for part in try message.objects("content") ?? [] { parts.append(try self.part(part)) }
    return parts
  }

  private static func part(_ part: WireObject) throws(TranslationRefusal) -> ContentPart {
    switch try part.requiredText("type") {
    case "text": return .text(try part.requiredText("text"))
    case "thinking": return .reasoning(ReasoningPart(try part.requiredText("thinking")))
    case "image_url":
      guard let image = try part.object("image_url") else {
        throw part.refusal("image_url", "'\(part.place("image_url"))' is missing.")
      }
      let media = DataURL.media(try image.requiredText("url"))
      return .image(Media(type: media.type, source: media.source, detail: try image.text("detail")))
    case "document":
      guard let document = try part.object("document"), let data = try document.document("data") else {
        throw part.refusal("document", "'\(part.place("document"))' must hold data.")
      }
      return .text(data.jsonText)
    case let type: throw part.refusal("type", "'\(type.prefix(40))' is no type of content.")
    }
  }
}
