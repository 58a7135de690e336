extension OpenAIChat {
  private static let known: Set<String> = [
    "model", "messages", "max_completion_tokens", "max_tokens", "temperature", "top_p", "top_k", "n", "stop", "seed",
    "random_seed", "presence_penalty", "frequency_penalty", "tools", "tool_choice", "parallel_tool_calls",
    "response_format", "reasoning_effort", "stream", "stream_options", "service_tier", "user", "safety_identifier",
  ]

  /// Fields without which the answer would be another one: refused, since nothing of them can be carried.
  private static let meaningful: [(String, String)] = [
    ("functions", "is outdated; send `tools`"), ("function_call", "is outdated; send `tool_choice`"),
    ("audio", "spoken answers cannot be translated for this model's provider"),
    ("web_search_options", "web search cannot be translated for this model's provider"),
  ]

  package static func readRequest(
    _ body: JSONValue, model: String, streams: Bool, _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) -> ChatRequest {
    let fields = try WireObject(body)
    try refuseMeaningful(fields)
    var request = ChatRequest(model: model.isEmpty ? try fields.requiredText("model") : model)
    request.messages = try readMessages(fields)
    try readSampling(fields, into: &request)
    try readTools(fields, into: &request)
    request.responseFormat = try readResponseFormat(fields)
    request.reasoning = try readReasoning(fields)
    request.streams = streams
    request.includesUsage = try fields.object("stream_options")?.flag("include_usage") ?? false
    let user = try fields.text("user")
    request.user = try fields.text("safety_identifier") ?? user
    request.serviceTier = try fields.text("service_tier")
    fields.dropOthers(than: known.union(["modalities"]), &notes)
    return request
  }

  private static func refuseMeaningful(_ fields: WireObject) throws(TranslationRefusal) {
    for (name, reason) in meaningful where fields.has(name) { throw fields.fault(name, reason) }
    if let count = try fields.integer("n", in: 1...128), count > 1 {
      throw fields.fault("n", "several answers to one request cannot be translated; ask once for each")
    }
    if let kinds = try fields.texts("modalities"), kinds.contains(where: { $0 != "text" }) {
      throw fields.fault("modalities", "only text can be translated for this model's provider")
    }
  }

  private static func readSampling(
    _ fields: WireObject, into request: inout ChatRequest
  ) throws(TranslationRefusal) {
    let older = try fields.integer("max_tokens", in: 1...Int(Int32.max))
    request.maxOutputTokens = try fields.integer("max_completion_tokens", in: 1...Int(Int32.max)) ?? older
    request.sampling.temperature = try fields.number("temperature", in: 0...2)
    request.sampling.topP = try fields.number("top_p", in: 0...1)
    request.sampling.topK = try fields.integer("top_k")
    let seed = try fields.integer("seed")
    request.sampling.seed = try fields.integer("random_seed") ?? seed
    request.sampling.presencePenalty = try fields.number("presence_penalty", in: -2...2)
    request.sampling.frequencyPenalty = try fields.number("frequency_penalty", in: -2...2)
    guard let stop = fields["stop"] else { return }
    request.stop = if case .string(let text) = stop { [text] } else { try fields.texts("stop") ?? [] }
  }

  private static func readReasoning(_ fields: WireObject) throws(TranslationRefusal) -> Reasoning? {
    guard let text = try fields.text("reasoning_effort") else { return nil }
    guard let effort = Reasoning.Effort(rawValue: text) else {
      let names = Reasoning.Effort.allCases.map(\.rawValue).joined(separator: ", ")
      throw fields.fault("reasoning_effort", "must be one of \(names)")
    }
    return Reasoning(effort: effort)
  }

  private static func readResponseFormat(_ fields: WireObject) throws(TranslationRefusal) -> ResponseFormat {
    guard let format = try fields.object("response_format") else { return .text }
    switch try format.requiredText("type") {
    case "text": return .text
    // TGI, and with it the clients of Hugging Face, say `value` where OpenAI has no schema or puts it elsewhere.
    case "json_object", "json":
      guard let schema = try format.document("value"), schema != ["type": "object"] else { return .json }
      return .schema(name: nil, schema: schema, isStrict: nil)
    case "json_schema":
      let value = try format.object("value")
      let inner = if let value { value } else { try format.requiredObject("json_schema") }
      guard let schema = inner["schema"] else { return .json }
      guard schema.members != nil else { throw inner.fault("schema", "must be an object") }
      return .schema(name: try inner.text("name"), schema: schema, isStrict: try inner.flag("strict"))
    default: throw format.fault("type", "must be text, json_object or json_schema")
    }
  }
}

// MARK: - Tools

extension OpenAIChat {
  private static func readTools(_ fields: WireObject, into request: inout ChatRequest) throws(TranslationRefusal) {
    for tool in try fields.objects("tools") ?? [] {
      let type = try tool.text("type") ?? "function"
      guard type == "function" else {
        throw tool.fault("type", "only tools of type function can be translated")
      }
      request.tools.append(try readDefinition(try tool.requiredObject("function")))
    }
    request.toolChoice = try readChoice(fields)
    request.parallelToolCalls = try fields.flag("parallel_tool_calls")
  }

  static func readDefinition(_ function: WireObject) throws(TranslationRefusal) -> ToolDefinition {
    let parameters = function["parameters"]
    guard parameters == nil || parameters?.members != nil else {
      throw function.fault("parameters", "must be an object")
    }
    return ToolDefinition(
      name: try function.requiredText("name"), description: try function.text("description"), parameters: parameters,
      isStrict: try function.flag("strict"))
  }

  private static func readChoice(_ fields: WireObject) throws(TranslationRefusal) -> ToolChoice? {
    guard let value = fields["tool_choice"] else { return nil }
    if case .string(let word) = value {
      guard let choice = choice(word) else { throw fields.fault("tool_choice", "must be auto, none or required") }
      return choice
    }
    let object = try fields.requiredObject("tool_choice")
    switch try object.requiredText("type") {
    case "function": return .tool(try object.requiredObject("function").requiredText("name"))
    case "allowed_tools": return try readAllowed(try object.requiredObject("allowed_tools"))
    default: throw object.fault("type", "must be function or allowed_tools")
    }
  }

  static func choice(_ word: String) -> ToolChoice? {
    switch word {
    case "auto": .automatic
    case "none": ToolChoice.none
    case "required", "any": .required
    default: nil
    }
  }

  private static func readAllowed(_ allowed: WireObject) throws(TranslationRefusal) -> ToolChoice {
    var names: [String] = []
    for tool in try allowed.objects("tools") ?? [] {
      names.append(try tool.requiredObject("function").requiredText("name"))
    }
    return .among(names, required: try allowed.text("mode") == "required")
  }
}
