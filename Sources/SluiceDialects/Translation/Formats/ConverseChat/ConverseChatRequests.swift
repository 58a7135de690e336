extension ConverseChat {
  package static func readRequest(
    _ body: JSONValue, model: String, streams: Bool, _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) -> ChatRequest {
    let source = try WireObject(body)
    source.dropOthers(
      than: [
        "messages", "system", "inferenceConfig", "toolConfig", "outputConfig", "additionalModelRequestFields",
        "serviceTier", "requestMetadata",
      ], &notes)
    try source.refuse("guardrailConfig", "promptVariables")
    var request = ChatRequest(model: model)
    request.streams = streams
    request.includesUsage = true
    for block in try source.objects("system") ?? [] { try readSystem(block, &request) }
    guard let messages = try source.objects("messages"), !messages.isEmpty else {
      throw source.refusal("messages", "'messages' must have at least one element.")
    }
    for message in messages { request.messages += try ConverseMessageReader.read(message) }
    if let config = try source.object("inferenceConfig") { try readInference(config, &request, &notes) }
    if let config = try source.object("toolConfig") { try readTools(config, &request) }
    if let config = try source.object("outputConfig") { try readOutput(config, &request, &notes) }
    if let fields = try source.object("additionalModelRequestFields") { try readFields(fields, &request, &notes) }
    request.serviceTier = try source.object("serviceTier")?.text("type")
    if let metadata = try source.object("requestMetadata") {
      request.user = try metadata.text("user")
      metadata.dropOthers(than: ["user"], &notes)
    }
    return request
  }

  private static func readSystem(_ block: WireObject, _ request: inout ChatRequest) throws(TranslationRefusal) {
    if block["cachePoint"] != nil {
      if let last = request.messages.indices.last { request.messages[last].endsCachedPrefix = true }
      return
    }
    try block.refuse("guardContent")
    request.messages.append(ChatMessage(.system, text: try block.requiredText("text")))
  }

  private static func readInference(
    _ config: WireObject, _ request: inout ChatRequest, _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) {
    config.dropOthers(than: ["maxTokens", "temperature", "topP", "stopSequences"], &notes)
    request.maxOutputTokens = try config.count("maxTokens")
    request.sampling.temperature = try config.number("temperature")
    request.sampling.topP = try config.number("topP")
    request.stop = try config.texts("stopSequences") ?? []
  }

  private static func readTools(_ config: WireObject, _ request: inout ChatRequest) throws(TranslationRefusal) {
    for tool in try config.objects("tools") ?? [] where tool["cachePoint"] == nil {
      guard let spec = try tool.object("toolSpec") else {
        throw tool.refusal("toolSpec", "'\(tool.path)' is a tool that other providers do not have.")
      }
      request.tools.append(
        ToolDefinition(
          name: try spec.requiredText("name"), description: try spec.text("description"),
          parameters: try spec.object("inputSchema")?.document("json"), isStrict: try spec.flag("strict")))
    }
    guard let choice = try config.object("toolChoice") else { return }
    if choice["auto"] != nil { request.toolChoice = .automatic }
    if choice["any"] != nil { request.toolChoice = .required }
    if let tool = try choice.object("tool") { request.toolChoice = .tool(try tool.requiredText("name")) }
  }

  private static func readOutput(
    _ config: WireObject, _ request: inout ChatRequest, _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) {
    config.dropOthers(than: ["textFormat", "effort"], &notes)
    if let level = try config.text("effort") {
      guard let effort = Reasoning.Effort(rawValue: level) else {
        throw config.refusal("effort", "'\(level.prefix(40))' is no effort.")
      }
      request.reasoning = Reasoning(effort: effort)
    }
    guard let format = try config.object("textFormat"), let structure = try format.object("structure"),
      let schema = try structure.object("jsonSchema")
    else { return }
    let text = try schema.requiredText("schema")
    guard let document = try? JSONReader.read(Array(text.utf8)), document.members != nil else {
      throw schema.refusal("schema", "'\(schema.place("schema"))' must be the text of a JSON Schema.")
    }
    request.responseFormat = .schema(name: try schema.text("name"), schema: document, isStrict: nil)
  }

  /// The fields of Anthropic's models that other protocols know as well.
  private static func readFields(
    _ fields: WireObject, _ request: inout ChatRequest, _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) {
    fields.dropOthers(than: ["top_k", "thinking", "reasoning_config"], &notes)
    request.sampling.topK = try fields.integer("top_k")
    let config = try fields.object("reasoning_config")
    guard let thinking = try fields.object("thinking") ?? config else { return }
    var reasoning = request.reasoning ?? Reasoning()
    if try thinking.text("type") == "disabled" { reasoning.effort = Reasoning.Effort.none }
    reasoning.budget = try thinking.count("budget_tokens")
    request.reasoning = reasoning
  }
}
