extension AnthropicChat {
  /// What an answer may have at most when neither the client nor the catalogue says more; the field is mandatory.
  static let standardMaxTokens = 4096
  /// The smallest budget for thinking that the API takes.
  static let smallestBudget = 1024

  package static func writeRequest(
    _ request: ChatRequest, for target: ChatTarget, _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) -> JSONValue {
    let isCurrent = Anthropic.isCurrent(target)
    var body = JSONObject()
    body["model"] = .string(target.model)
    let most = min(
      request.maxOutputTokens ?? target.facts.maxOutputTokens ?? standardMaxTokens, target.facts.maxOutputTokens ?? .max
    )
    body["max_tokens"] = .int(most)
    var messages = AnthropicMessageWriter(isCurrent: isCurrent, notes)
    let written = try messages.write(request)
    notes = messages.notes
    body["system"] = written.system
    body["messages"] = .array(written.messages)
    let stops = request.stop.filter { $0.contains { !$0.isWhitespace } }
    notes.drop("stop", if: stops.count < request.stop.count)
    if !stops.isEmpty { body["stop_sequences"] = .array(stops.map(JSONValue.string)) }
    writeTools(request, &body, &notes)
    let thinks = writeReasoning(request, isCurrent: isCurrent, most, &body, &notes)
    writeSampling(request.sampling, isTaken: Anthropic.takesSampling(target), thinks: thinks, &body, &notes)
    writeHints(request, &body, &notes)
    if request.streams { body["stream"] = true }
    return body.value
  }

  private static func writeSampling(
    _ sampling: ChatRequest.Sampling, isTaken: Bool, thinks: Bool, _ body: inout JSONObject,
    _ notes: inout TranslationNotes
  ) {
    notes.drop("seed", if: sampling.seed != nil)
    notes.drop("presence_penalty", if: sampling.presencePenalty != nil)
    notes.drop("frequency_penalty", if: sampling.frequencyPenalty != nil)
    // A model that thinks on a budget takes neither of the two.
    if isTaken, !thinks {
      body["temperature"] = sampling.temperature.map { .double(min($0, 1)) }
      body["top_k"] = sampling.topK.map { .int(max(0, $0)) }
    } else {
      notes.drop("temperature", if: sampling.temperature != nil)
      notes.drop("top_k", if: sampling.topK != nil)
    }
    if isTaken, !thinks {
      body["top_p"] = sampling.topP.map(JSONValue.double)
    } else {
      notes.drop("top_p", if: sampling.topP != nil)
    }
  }

  private static func writeHints(
    _ request: ChatRequest, _ body: inout JSONObject, _ notes: inout TranslationNotes
  ) {
    if let user = request.user { body["metadata"] = ["user_id": .string(user)] }
    switch request.serviceTier {
    case nil: break
    case "auto": body["service_tier"] = "auto"
    case "default": body["service_tier"] = "standard_only"
    default: notes.drop("service_tier")
    }
  }

  // MARK: Tools

  private static func writeTools(
    _ request: ChatRequest, _ body: inout JSONObject, _ notes: inout TranslationNotes
  ) {
    let tools = request.offeredTools
    guard !tools.isEmpty else { return }
    var list: [JSONValue] = []
    for tool in tools {
      var object = JSONObject()
      object["name"] = .string(notes.rename(tool.name, .anthropicNames))
      object["description"] = tool.description.map(JSONValue.string)
      object["input_schema"] = tool.objectSchema
      if tool.isStrict == true { object["strict"] = true }
      list.append(object.value)
    }
    body["tools"] = .array(list)
    var choice = JSONObject()
    guard request.toolChoice != nil || request.parallelToolCalls == false else { return }
    switch request.toolChoice {
    case nil, .automatic, .among(_, required: false): choice["type"] = "auto"
    case .some(.none): choice["type"] = "none"
    case .required, .among(_, required: true): choice["type"] = "any"
    case .tool(let name):
      choice["type"] = "tool"
      choice["name"] = .string(notes.rename(name, .anthropicNames))
    }
    if request.parallelToolCalls == false, request.toolChoice != ToolChoice.none {
      choice["disable_parallel_tool_use"] = true
    }
    body["tool_choice"] = choice.value
  }

  // MARK: Reasoning

  /// - Returns: whether the model thinks on a budget, which excludes sampling parameters.
  private static func writeReasoning(
    _ request: ChatRequest, isCurrent: Bool, _ most: Int, _ body: inout JSONObject, _ notes: inout TranslationNotes
  ) -> Bool {
    var output = JSONObject()
    defer { if !output.isEmpty { body["output_config"] = output.value } }
    if case .schema(_, let schema, _) = request.responseFormat {
      output["format"] = ["type": "json_schema", "schema": schema]
    }
    guard let reasoning = request.reasoning else { return false }
    guard reasoning.effort != Reasoning.Effort.none else {
      body["thinking"] = ["type": "disabled"]
      return false
    }
    guard canThink(request) else {
      notes.drop("reasoning_effort")
      return false
    }
    var thinking = JSONObject()
    if isCurrent {
      thinking["type"] = "adaptive"
      output["effort"] = effort(reasoning).map(JSONValue.string)
    } else {
      guard let budget = budget(reasoning, below: most) else {
        notes.drop("reasoning_effort")
        return false
      }
      thinking["type"] = "enabled"
      thinking["budget_tokens"] = .int(budget)
    }
    if let isVisible = reasoning.isVisible, isCurrent { thinking["display"] = isVisible ? "summarized" : "omitted" }
    body["thinking"] = thinking.value
    return !isCurrent
  }

  /// The lowest of the provider's own is `low`.
  private static func effort(_ reasoning: Reasoning) -> String? {
    reasoning.nearestEffort.map { $0 == .minimal || $0 == .none ? "low" : $0.rawValue }
  }

  private static func budget(_ reasoning: Reasoning, below most: Int) -> Int? {
    guard most > smallestBudget else { return nil }
    let wanted: Int
    if let budget = reasoning.budget {
      wanted = budget
    } else {
      switch reasoning.effort {
      case nil, .medium: wanted = 4096
      case .some(.none), .minimal, .low: wanted = 1024
      case .high: wanted = 16384
      case .xhigh, .max: wanted = 32768
      }
    }
    return min(max(wanted, smallestBudget), most - 1)
  }

  /// While the model thinks, no tool may be forced, and a turn that goes on after tools must begin with the thought it
  /// began with, signature and all. A client that did not keep it gets its answer without thinking.
  private static func canThink(_ request: ChatRequest) -> Bool {
    switch request.toolChoice {
    case .required, .tool, .among(_, required: true): return false
    default: break
    }
    guard request.messages.last?.role == .tool else { return true }
    let turn = request.messages.last { $0.role == .assistant }
    guard let turn, !turn.toolCalls.isEmpty else { return true }
    return turn.parts.contains { part in
      if case .reasoning(let thought) = part { thought.signature != nil || thought.isRedacted } else { false }
    }
  }
}
