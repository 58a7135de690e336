extension GeminiChat {
  package static func readRequest(
    _ body: JSONValue, model: String, streams: Bool, _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) -> ChatRequest {
    let source = try WireObject(body, folding: true)
    try source.refuse("cachedContent", "continuationToken")
    source.dropOthers(
      than: ["contents", "systemInstruction", "generationConfig", "tools", "toolConfig", "model", "serviceTier"], &notes
    )
    var request = ChatRequest(model: model)
    request.streams = streams
    request.includesUsage = true
    request.serviceTier = try source.text("serviceTier")?.lowercased()
    if let instruction = try source.object("systemInstruction") {
      let text = try systemText(instruction)
      if !text.isEmpty { request.messages.append(ChatMessage(.system, text: text)) }
    }
    guard let contents = try source.objects("contents"), !contents.isEmpty else {
      throw source.refusal("contents", "'contents' must have at least one element.")
    }
    var reader = GeminiContentReader()
    for content in contents { try reader.read(content, &notes) }
    request.messages += reader.messages
    if let settings = try source.object("generationConfig") { try readSettings(settings, &request, &notes) }
    for tool in try source.objects("tools") ?? [] { try readTool(tool, &request, &notes) }
    if let config = try source.object("toolConfig") { try readToolConfig(config, &request, &notes) }
    return request
  }

  private static func systemText(_ content: WireObject) throws(TranslationRefusal) -> String {
    var texts: [String] = []
    for part in try content.objects("parts") ?? [] { texts.append(try part.requiredText("text")) }
    return texts.joined(separator: "\n\n")
  }

  // MARK: Settings

  private static func readSettings(
    _ settings: WireObject, _ request: inout ChatRequest, _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) {
    settings.dropOthers(
      than: [
        "temperature", "topP", "topK", "maxOutputTokens", "stopSequences", "candidateCount", "seed", "presencePenalty",
        "frequencyPenalty", "responseMimeType", "responseJsonSchema", "responseSchema", "thinkingConfig",
        "responseModalities",
      ], &notes)
    try settings.refuse("speechConfig", "imageConfig")
    if let count = try settings.integer("candidateCount"), count != 1 {
      throw settings.refusal("candidateCount", "Only one candidate can be asked for.")
    }
    for modality in try settings.texts("responseModalities") ?? [] where modality.uppercased() != "TEXT" {
      throw settings.refusal("responseModalities", "Only text can be answered by a provider of another protocol.")
    }
    request.sampling.temperature = try settings.number("temperature")
    request.sampling.topP = try settings.number("topP")
    request.sampling.topK = try settings.integer("topK")
    request.sampling.seed = try settings.integer("seed")
    request.sampling.presencePenalty = try settings.number("presencePenalty")
    request.sampling.frequencyPenalty = try settings.number("frequencyPenalty")
    request.maxOutputTokens = try settings.count("maxOutputTokens")
    request.stop = try settings.texts("stopSequences") ?? []
    try readFormat(settings, &request)
    if let thinking = try settings.object("thinkingConfig") { request.reasoning = try reasoning(thinking) }
  }

  private static func readFormat(
    _ settings: WireObject, _ request: inout ChatRequest
  ) throws(TranslationRefusal) {
    let schema = try settings.document("responseJsonSchema")
    let subset = try settings.document("responseSchema").map(GeminiSchema.jsonSchema)
    switch try settings.text("responseMimeType") {
    case nil, "text/plain", "": break
    case "application/json": request.responseFormat = .json
    default:
      throw settings.refusal(
        "responseMimeType", "'\(settings.place("responseMimeType"))' must be text/plain or application/json.")
    }
    if let schema = schema ?? subset { request.responseFormat = .schema(name: nil, schema: schema, isStrict: nil) }
  }

  private static func reasoning(_ config: WireObject) throws(TranslationRefusal) -> Reasoning {
    var reasoning = Reasoning()
    reasoning.isVisible = try config.flag("includeThoughts")
    if let budget = try config.integer("thinkingBudget") {
      // -1 leaves the amount to the model.
      if budget == 0 { reasoning.effort = Reasoning.Effort.none }
      if budget > 0 { reasoning.budget = budget }
    }
    if let level = try config.text("thinkingLevel"), level.uppercased() != "THINKING_LEVEL_UNSPECIFIED" {
      guard let effort = Reasoning.Effort(rawValue: level.lowercased()), effort != .none else {
        throw config.refusal("thinkingLevel", "'\(level)' is no thinking level.")
      }
      reasoning.effort = effort
    }
    return reasoning
  }

  // MARK: Tools

  private static func readTool(
    _ tool: WireObject, _ request: inout ChatRequest, _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) {
    for name in tool.names where name != "functionDeclarations" {
      throw tool.refusal(name, "'\(tool.place(name))' is a tool of Gemini itself; other providers do not have it.")
    }
    for declaration in try tool.objects("functionDeclarations") ?? [] {
      declaration.dropOthers(than: ["name", "description", "parameters", "parametersJsonSchema"], &notes)
      let subset = try declaration.document("parameters").map(GeminiSchema.jsonSchema)
      request.tools.append(
        ToolDefinition(
          name: try declaration.requiredText("name"), description: try declaration.text("description"),
          parameters: try declaration.document("parametersJsonSchema") ?? subset))
    }
  }

  private static func readToolConfig(
    _ config: WireObject, _ request: inout ChatRequest, _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) {
    config.dropOthers(than: ["functionCallingConfig"], &notes)
    guard let calling = try config.object("functionCallingConfig") else { return }
    let names = try calling.texts("allowedFunctionNames") ?? []
    switch try calling.text("mode")?.uppercased() {
    case nil, "AUTO", "MODE_UNSPECIFIED": request.toolChoice = .automatic
    case "NONE": request.toolChoice = ToolChoice.none
    case "ANY":
      request.toolChoice =
        names.isEmpty ? .required : names.count == 1 ? .tool(names[0]) : .among(names, required: true)
    case "VALIDATED": request.toolChoice = names.isEmpty ? .automatic : .among(names, required: false)
    case let mode?:
      throw calling.refusal("mode", "'\(mode.prefix(40))' is no mode of function calling.")
    }
  }
}
