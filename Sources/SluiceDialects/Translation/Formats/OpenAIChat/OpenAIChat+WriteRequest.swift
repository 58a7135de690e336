extension OpenAIChat {
  package static func writeRequest(
    _ request: ChatRequest, for target: ChatTarget, _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) -> JSONValue {
    let flavour = OpenAIFlavour(target)
    var body = JSONObject()
    body["model"] = .string(target.model)
    var messages = OpenAIMessageWriter(flavour, notes)
    body["messages"] = .array(try messages.write(request.messages))
    notes = messages.notes
    writeSampling(request, target, flavour, &body, &notes)
    writeTools(request, flavour, &body, &notes)
    try writeFormat(request, flavour, &body)
    writeHints(request, target, flavour, &body, &notes)
    if request.streams || flavour.alwaysSaysStream { body["stream"] = .bool(request.streams) }
    // Always asked for: what an answer cost is known even when the client does not care.
    if request.streams, flavour.asksForUsage { body["stream_options"] = ["include_usage": true] }
    return body.value
  }

  private static func writeSampling(
    _ request: ChatRequest, _ target: ChatTarget, _ flavour: OpenAIFlavour, _ body: inout JSONObject,
    _ notes: inout TranslationNotes
  ) {
    body[flavour.maxTokens] = request.maxOutputTokens.map(JSONValue.int)
    writeStops(request.stop, flavour, &body, &notes)
    let sampling = request.sampling
    body[flavour.seed] = sampling.seed.map(JSONValue.int)
    guard target.facts.acceptsSampling != false else {
      notes.drop("temperature", if: sampling.temperature != nil)
      notes.drop("top_p", if: sampling.topP != nil)
      notes.drop("top_k", if: sampling.topK != nil)
      notes.drop("presence_penalty", if: sampling.presencePenalty != nil)
      notes.drop("frequency_penalty", if: sampling.frequencyPenalty != nil)
      return
    }
    body["temperature"] = sampling.temperature.map { .double(min($0, flavour.hottest)) }
    body["top_p"] = sampling.topP.map(JSONValue.double)
    if flavour.takesTopK {
      body["top_k"] = sampling.topK.map(JSONValue.int)
    } else {
      notes.drop("top_k", if: sampling.topK != nil)
    }
    body["presence_penalty"] = sampling.presencePenalty.map(JSONValue.double)
    body["frequency_penalty"] = sampling.frequencyPenalty.map(JSONValue.double)
  }

  private static func writeStops(
    _ stops: [String], _ flavour: OpenAIFlavour, _ body: inout JSONObject, _ notes: inout TranslationNotes
  ) {
    guard !stops.isEmpty else { return }
    let most = flavour.mostStops ?? stops.count
    notes.drop("stop[\(most)...]", if: stops.count > most)
    body["stop"] = .array(stops.prefix(most).map(JSONValue.string))
  }

  private static func writeFormat(
    _ request: ChatRequest, _ flavour: OpenAIFlavour, _ body: inout JSONObject
  ) throws(TranslationRefusal) {
    if flavour.isTGI, request.responseFormat != .text, !request.tools.isEmpty {
      throw TranslationRefusal("this server takes no format together with tools", field: "response_format")
    }
    switch request.responseFormat {
    case .text: break
    case .json where flavour.isTGI:
      body["response_format"] = ["type": "json_object", "value": ["type": "object"]]
    case .json: body["response_format"] = ["type": "json_object"]
    case .schema(let name, let schema, let isStrict):
      var inner = JSONObject()
      inner["name"] = .string(ForeignNames.openAINames.name(name ?? "answer"))
      inner["schema"] = schema
      inner["strict"] = isStrict.map(JSONValue.bool)
      body["response_format"] = ["type": "json_schema", (flavour.isTGI ? "value" : "json_schema"): inner.value]
    }
  }

  private static func writeHints(
    _ request: ChatRequest, _ target: ChatTarget, _ flavour: OpenAIFlavour, _ body: inout JSONObject,
    _ notes: inout TranslationNotes
  ) {
    if target.facts.reasons == false {
      notes.drop("reasoning_effort", if: request.reasoning?.asksToReason == true)
    } else {
      body["reasoning_effort"] = request.reasoning?.nearestEffort.map { .string($0.rawValue) }
    }
    if let user = request.user {
      if let name = flavour.user { body[name] = .string(user) } else { notes.drop("user") }
    }
    guard let tier = request.serviceTier else { return }
    switch target.provider {
    case .openai, .azureOpenAI: body["service_tier"] = .string(tier)
    case .mistral where tier == "auto": body["service_tier"] = "auto"
    case .mistral where tier == "default": body["service_tier"] = "standard_only"
    default: notes.drop("service_tier")
    }
  }
}

// MARK: - Tools

extension OpenAIChat {
  private static func writeTools(
    _ request: ChatRequest, _ flavour: OpenAIFlavour, _ body: inout JSONObject, _ notes: inout TranslationNotes
  ) {
    let tools = flavour.takesAllowedTools ? request.tools : request.offeredTools
    guard !tools.isEmpty else { return }
    var list: [JSONValue] = []
    for tool in tools {
      var function = JSONObject()
      function["name"] = .string(notes.rename(tool.name, .openAINames))
      function["description"] = tool.description.map(JSONValue.string)
      function["parameters"] = tool.parameters
      function["strict"] = tool.isStrict.map(JSONValue.bool)
      list.append(["type": "function", "function": function.value])
    }
    body["tools"] = .array(list)
    body["tool_choice"] = request.toolChoice.map { choice($0, flavour, &notes) }
    body["parallel_tool_calls"] = request.parallelToolCalls.map(JSONValue.bool)
  }

  private static func choice(
    _ choice: ToolChoice, _ flavour: OpenAIFlavour, _ notes: inout TranslationNotes
  ) -> JSONValue {
    switch choice {
    case .automatic: return "auto"
    case .none: return "none"
    case .required: return flavour.requiredTool
    case .tool(let name): return function(notes.rename(name, .openAINames))
    case .among(let names, let required):
      guard flavour.takesAllowedTools else { return required ? flavour.requiredTool : "auto" }
      let tools = names.map { function(notes.rename($0, .openAINames)) }
      return [
        "type": "allowed_tools",
        "allowed_tools": ["mode": required ? "required" : "auto", "tools": .array(tools)],
      ]
    }
  }

  private static func function(_ name: String) -> JSONValue {
    ["type": "function", "function": ["name": .string(name)]]
  }
}
