extension ConverseChat {
  package static func writeRequest(
    _ request: ChatRequest, for target: ChatTarget, _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) -> JSONValue {
    let turns = TurnSequence(ConverseMedia.named(request.messages), joinsLateSystem: false, omits: omits)
    let caches = takesCachePoints(target.model)
    notes.drop("cache_control", if: !caches && request.messages.contains { $0.endsCachedPrefix })
    var messages: [JSONValue] = []
    for turn in turns.turns {
      let blocks = try blocks(turn, caches, &notes)
      guard !blocks.isEmpty else { continue }
      messages.append(.record(["role": .string(turn.isUser ? "user" : "assistant"), "content": .array(blocks)]))
    }
    guard !messages.isEmpty else { throw TranslationRefusal("There is nothing to answer.", field: "messages") }
    noteDropped(request, &notes)
    return .record([
      "messages": .array(messages), "system": system(turns, request, caches).unlessEmpty,
      "inferenceConfig": inference(request, target, &notes).unlessEmpty,
      "toolConfig": toolConfig(request, &notes), "outputConfig": output(request).unlessEmpty,
      "additionalModelRequestFields": fields(request, target, &notes).unlessEmpty,
      "serviceTier": serviceTier(request, &notes),
      "requestMetadata": metadata(request, &notes),
    ])
  }

  private static func noteDropped(_ request: ChatRequest, _ notes: inout TranslationNotes) {
    notes.drop("parallel_tool_calls", if: request.parallelToolCalls == false)
    notes.drop("seed", if: request.sampling.seed != nil)
    notes.drop("presence_penalty", if: request.sampling.presencePenalty != nil)
    notes.drop("frequency_penalty", if: request.sampling.frequencyPenalty != nil)
  }

  /// Others refuse requests with cache points.
  private static func takesCachePoints(_ model: String) -> Bool {
    model.contains("anthropic.") || model.contains("amazon.nova")
  }

  private static var cachePoint: JSONValue { .record(["cachePoint": .record(["type": .string("default")])]) }

  // MARK: Messages

  private static func system(_ turns: TurnSequence, _ request: ChatRequest, _ caches: Bool) -> JSONValue {
    var blocks: [JSONValue] = []
    if let text = turns.systemText { blocks.append(.record(["text": .string(text)])) }
    if case .json = request.responseFormat {
      blocks.append(.record(["text": .string("Answer with a single JSON object and nothing else.")]))
    }
    if turns.systemEndsCachedPrefix, caches, !blocks.isEmpty { blocks.append(cachePoint) }
    return .array(blocks)
  }

  private static func blocks(
    _ turn: TurnSequence.Turn, _ caches: Bool, _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) -> [JSONValue] {
    var blocks: [JSONValue] = []
    let marks = turn.cacheMarks
    for (index, part) in turn.parts.enumerated() {
      if let block = try block(part, &notes) { blocks.append(block) }
      if caches, marks.contains(index + 1), !blocks.isEmpty { blocks.append(cachePoint) }
    }
    return blocks
  }

  private static func block(
    _ part: ContentPart, _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) -> JSONValue? {
    switch part {
    case .text(let text), .refusal(let text): return isBlank(text) ? nil : .record(["text": .string(text)])
    case .image, .audio, .video, .file: return try ConverseMedia.block(part)
    case .reasoning(let thought): return reasoning(thought)
    case .toolCall(let call):
      return .record([
        "toolUse": .record([
          "toolUseId": .string(id(call.id)), "name": .string(name(call.name, &notes)),
          "input": ToolArguments.object(call.arguments),
        ])
      ])
    case .toolResult(let result): return try self.result(result)
    }
  }

  private static func omits(_ part: ContentPart) -> Bool {
    switch part {
    case .text(let text), .refusal(let text): isBlank(text)
    case .reasoning(let thought): reasoning(thought) == nil
    default: false
    }
  }

  private static func isBlank(_ text: String) -> Bool { text.allSatisfy(\.isWhitespace) }

  /// Without its signature a thought is refused.
  private static func reasoning(_ thought: ReasoningPart) -> JSONValue? {
    if thought.isRedacted { return .record(["reasoningContent": .record(["redactedContent": .string(thought.text)])]) }
    guard let signature = thought.signature, !signature.isEmpty else { return nil }
    return .record([
      "reasoningContent": .record([
        "reasoningText": .record(["text": .string(thought.text), "signature": .string(signature)])
      ])
    ])
  }

  private static func result(_ result: ToolResult) throws(TranslationRefusal) -> JSONValue {
    var content: [JSONValue] = []
    let text = result.text
    if !isBlank(text) { content.append(.record(["text": .string(text)])) }
    for part in result.content {
      if let block = try ConverseMedia.block(part) { content.append(block) }
    }
    // The list must not be empty, nor a text blank.
    if content.isEmpty { content.append(.record(["text": .string("(no output)")])) }
    return .record([
      "toolResult": .record([
        "toolUseId": .string(id(result.callID)), "content": .array(content),
        "status": result.isError ? .string("error") : nil,
      ])
    ])
  }

  private static func id(_ id: String) -> String { ForeignNames.bedrockIDs.id(id) }

  private static func name(_ name: String, _ notes: inout TranslationNotes) -> String {
    notes.rename(name, .bedrockNames)
  }

  // MARK: Settings

  private static func inference(
    _ request: ChatRequest, _ target: ChatTarget, _ notes: inout TranslationNotes
  ) -> JSONValue {
    var sampling = request.sampling
    if target.facts.acceptsSampling == false {
      notes.drop("temperature", if: sampling.temperature != nil)
      notes.drop("top_p", if: sampling.topP != nil)
      (sampling.temperature, sampling.topP) = (nil, nil)
    }
    return .record([
      "maxTokens": .number(request.maxOutputTokens),
      "temperature": .number(sampling.temperature.map { min(1, max(0, $0)) }),
      "topP": .number(sampling.topP.map { min(1, max(0, $0)) }),
      "stopSequences": request.stop.isEmpty ? nil : .texts(request.stop),
    ])
  }

  private static func output(_ request: ChatRequest) -> JSONValue {
    var format: JSONValue?
    if case .schema(let name, let schema, _) = request.responseFormat {
      format = .record([
        "type": .string("json_schema"),
        "structure": .record([
          "jsonSchema": .record(["schema": .string(schema.jsonText), "name": .text(name)])
        ]),
      ])
    }
    let effort = request.reasoning?.effort.flatMap { $0 == Reasoning.Effort.none ? nil : $0.rawValue }
    return .record(["textFormat": format, "effort": .text(effort)])
  }

  /// What only Anthropic's models know.
  private static func fields(
    _ request: ChatRequest, _ target: ChatTarget, _ notes: inout TranslationNotes
  ) -> JSONValue {
    guard target.model.contains("anthropic.") else {
      notes.drop("top_k", if: request.sampling.topK != nil)
      notes.drop("reasoning_effort", if: request.reasoning?.effort == Reasoning.Effort.none)
      notes.drop("thinking", if: request.reasoning?.budget != nil)
      return .emptyObject
    }
    var thinking: JSONValue?
    if request.reasoning?.effort == Reasoning.Effort.none {
      thinking = .record(["type": .string("disabled")])
    } else if let budget = request.reasoning?.budget {
      thinking = .record(["type": .string("enabled"), "budget_tokens": .int(budget)])
    }
    let topK = target.facts.acceptsSampling == false ? nil : request.sampling.topK
    notes.drop("top_k", if: topK == nil && request.sampling.topK != nil)
    return .record(["top_k": .number(topK), "thinking": thinking])
  }

  private static func serviceTier(_ request: ChatRequest, _ notes: inout TranslationNotes) -> JSONValue? {
    guard let tier = request.serviceTier, tier != "auto" else { return nil }
    guard ["priority", "default", "flex", "reserved"].contains(tier) else {
      notes.drop("service_tier")
      return nil
    }
    return .record(["type": .string(tier)])
  }

  private static func metadata(_ request: ChatRequest, _ notes: inout TranslationNotes) -> JSONValue? {
    guard let user = request.user else { return nil }
    let allowed = Set(" :_@$#=/+,-.".utf8)
    guard (1...256).contains(user.utf8.count),
      user.utf8.allSatisfy({ WireText.isAlphanumeric($0) || allowed.contains($0) })
    else {
      notes.drop("user")
      return nil
    }
    return .record(["user": .string(user)])
  }

  // MARK: Tools

  /// There is no choice `none`: without calls in the history the tools are left out; with them they have to stay.
  private static func toolConfig(_ request: ChatRequest, _ notes: inout TranslationNotes) -> JSONValue? {
    var tools = request.tools
    var choice: JSONValue?
    let used = usedTools(request)
    switch request.toolChoice {
    case nil: break
    case .automatic: choice = .record(["auto": .emptyObject])
    case ToolChoice.none?:
      if used.isEmpty { return nil }
      notes.drop("tool_choice")
    case .required: choice = .record(["any": .emptyObject])
    case .tool(let tool): choice = .record(["tool": .record(["name": .string(name(tool, &notes))])])
    case .among(let names, let required):
      let kept = Set(names).union(used)
      tools.removeAll { !kept.contains($0.name) }
      choice = required ? .record(["any": .emptyObject]) : .record(["auto": .emptyObject])
    }
    // A history with calls is refused without the tools.
    if tools.isEmpty { tools = used.map { ToolDefinition(name: $0) } }
    guard !tools.isEmpty else { return nil }
    var items: [JSONValue] = []
    for tool in tools {
      items.append(
        .record([
          "toolSpec": .record([
            "name": .string(name(tool.name, &notes)), "description": .text(tool.description),
            "inputSchema": .record(["json": tool.objectSchema]), "strict": .flag(tool.isStrict),
          ])
        ]))
    }
    return .record(["tools": .array(items), "toolChoice": request.tools.isEmpty ? nil : choice])
  }

  private static func usedTools(_ request: ChatRequest) -> [String] {
    var seen: Set<String> = []
    return request.messages.flatMap(\.toolCalls).map(\.name).filter { seen.insert($0).inserted }
  }
}
