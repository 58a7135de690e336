extension AnthropicChat {
  private static let known: Set<String> = [
    "model", "max_tokens", "messages", "system", "tools", "tool_choice", "stop_sequences", "metadata", "stream",
    "service_tier", "thinking", "output_config", "cache_control", "temperature", "top_p", "top_k",
  ]

  package static func readRequest(
    _ body: JSONValue, model: String, streams: Bool, _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) -> ChatRequest {
    let fields = try WireObject(body)
    for name in ["container", "mcp_servers"] where fields.has(name) {
      throw fields.fault(name, "cannot be translated for this model's provider")
    }
    var request = ChatRequest(model: model.isEmpty ? try fields.requiredText("model") : model)
    guard let most = try fields.integer("max_tokens", in: 1...Int(Int32.max)) else {
      throw fields.fault("max_tokens", "is missing")
    }
    request.maxOutputTokens = most
    if let system = try AnthropicContent.readSystem(fields) { request.messages.append(system) }
    request.messages += try AnthropicContent.readMessages(fields)
    try readSampling(fields, into: &request)
    try readTools(fields, into: &request, &notes)
    try readOutput(fields, into: &request)
    request.streams = streams
    request.includesUsage = true
    request.user = try fields.object("metadata")?.text("user_id")
    request.serviceTier = try fields.text("service_tier").map { $0 == "standard_only" ? "default" : $0 }
    fields.dropOthers(than: known, &notes)
    return request
  }

  private static func readSampling(
    _ fields: WireObject, into request: inout ChatRequest
  ) throws(TranslationRefusal) {
    request.sampling.temperature = try fields.number("temperature", in: 0...1)
    request.sampling.topP = try fields.number("top_p", in: 0...1)
    request.sampling.topK = try fields.integer("top_k", in: 0...Int(Int32.max))
    request.stop = try fields.texts("stop_sequences") ?? []
  }

  private static func readOutput(_ fields: WireObject, into request: inout ChatRequest) throws(TranslationRefusal) {
    request.reasoning = try readThinking(fields)
    guard let output = try fields.object("output_config") else { return }
    if let text = try output.text("effort") {
      guard let effort = Reasoning.Effort(rawValue: text) else { throw output.fault("effort", "is not known") }
      // Switched off stays off.
      if request.reasoning?.effort != Reasoning.Effort.none {
        request.reasoning = request.reasoning ?? Reasoning()
        request.reasoning?.effort = effort
      }
    }
    guard let format = try output.object("format") else { return }
    guard try format.requiredText("type") == "json_schema" else {
      throw format.fault("type", "must be json_schema")
    }
    guard let schema = format["schema"], schema.members != nil else {
      throw format.fault("schema", "must be an object")
    }
    request.responseFormat = .schema(name: try format.text("name"), schema: schema, isStrict: true)
  }

  private static func readThinking(_ fields: WireObject) throws(TranslationRefusal) -> Reasoning? {
    guard let thinking = try fields.object("thinking") else { return nil }
    var reasoning = Reasoning()
    switch try thinking.requiredText("type") {
    case "disabled": reasoning.effort = Reasoning.Effort.none
    case "enabled":
      guard let budget = try thinking.integer("budget_tokens", in: 1...Int(Int32.max)) else {
        throw thinking.fault("budget_tokens", "is missing")
      }
      reasoning.budget = budget
    case "adaptive", "between_tools": break
    default: throw thinking.fault("type", "must be adaptive, enabled, disabled or between_tools")
    }
    reasoning.isVisible = try thinking.text("display").map { $0 != "omitted" }
    return reasoning
  }

  // MARK: Tools

  private static func readTools(
    _ fields: WireObject, into request: inout ChatRequest, _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) {
    for tool in try fields.objects("tools") ?? [] {
      let type = try tool.text("type") ?? "custom"
      guard type == "custom" else {
        throw tool.fault("type", "the provider's own tool '\(type.prefix(64))' cannot be translated")
      }
      let schema = tool["input_schema"]
      guard schema?.members != nil else { throw tool.fault("input_schema", "must be an object") }
      request.tools.append(
        ToolDefinition(
          name: try tool.requiredText("name"), description: try tool.text("description"), parameters: schema,
          isStrict: try tool.flag("strict")))
    }
    guard let choice = try fields.object("tool_choice") else { return }
    switch try choice.requiredText("type") {
    case "auto": request.toolChoice = .automatic
    case "any": request.toolChoice = .required
    case "none": request.toolChoice = ToolChoice.none
    case "tool": request.toolChoice = .tool(try choice.requiredText("name"))
    default: throw choice.fault("type", "must be auto, any, tool or none")
    }
    if try choice.flag("disable_parallel_tool_use") == true { request.parallelToolCalls = false }
  }
}
