extension GeminiChat {
  package static func writeRequest(
    _ request: ChatRequest, for target: ChatTarget, _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) -> JSONValue {
    let turns = TurnSequence(request.messages, joinsLateSystem: true) { part in
      if case .reasoning = part { true } else { false }
    }
    guard !turns.turns.isEmpty else { throw TranslationRefusal("There is nothing to answer.", field: "messages") }
    var contents: [JSONValue] = []
    for turn in turns.turns {
      var parts: [JSONValue] = []
      for part in turn.parts { try append(part, to: &parts, &notes) }
      guard !parts.isEmpty else { continue }
      contents.append(.record(["role": .string(turn.isUser ? "user" : "model"), "parts": .array(parts)]))
    }
    noteDropped(request, &notes)
    let system = turns.systemText.map { JSONValue.record(["parts": .array([.record(["text": .string($0)])])]) }
    return .record([
      "systemInstruction": system,
      "contents": .array(contents),
      "tools": tools(request, &notes),
      "toolConfig": try toolConfig(request, &notes),
      "generationConfig": try settings(request, target, &notes).unlessEmpty,
      "safetySettings": safetySettings(target.options).unlessEmpty,
    ])
  }

  private static func noteDropped(_ request: ChatRequest, _ notes: inout TranslationNotes) {
    notes.drop("parallel_tool_calls", if: request.parallelToolCalls == false)
    notes.drop("user", if: request.user != nil)
    notes.drop("service_tier", if: request.serviceTier != nil)
  }

  // MARK: Parts

  private static func append(
    _ part: ContentPart, to parts: inout [JSONValue], _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) {
    switch part {
    case .text(let text), .refusal(let text): parts.append(.record(["text": .string(text)]))
    case .image(let media), .audio(let media), .video(let media), .file(let media): parts.append(try data(media))
    // Thoughts of other providers mean nothing to Gemini, and of its own it needs the signatures of calls only.
    case .reasoning: break
    case .toolCall(let call): parts.append(functionCall(call, &notes))
    case .toolResult(let result): try append(result, to: &parts, &notes)
    }
  }

  private static func data(_ media: Media) throws(TranslationRefusal) -> JSONValue {
    switch media.source {
    case .base64(let data):
      return .record(["inlineData": .record(["mimeType": .string(media.type), "data": .string(data)])])
    case .url(let url) where isGoogleHosted(url):
      let type: JSONValue? = media.type.isEmpty ? nil : .string(media.type)
      return .record(["fileData": .record(["mimeType": type, "fileUri": .string(url)])])
    case .url:
      throw TranslationRefusal(
        "Gemini does not fetch media from URLs. Send the data itself as base64.", field: "messages")
    case .stored:
      throw TranslationRefusal("Gemini does not know files that another provider stores.", field: "messages")
    }
  }

  private static func isGoogleHosted(_ url: String) -> Bool {
    ["https://generativelanguage.googleapis.com/", "gs://", "https://www.youtube.com/", "https://youtu.be/"]
      .contains { url.hasPrefix($0) }
  }

  private static func functionCall(_ call: ToolCall, _ notes: inout TranslationNotes) -> JSONValue {
    let (id, carried) = SignedCallID.split(call.id)
    return .record([
      "functionCall": .record([
        "id": .string(id), "name": .string(name(call.name, &notes)), "args": ToolArguments.object(call.arguments),
      ]),
      "thoughtSignature": .text(call.signature ?? carried),
    ])
  }

  private static func append(
    _ result: ToolResult, to parts: inout [JSONValue], _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) {
    guard let name = result.name else {
      throw TranslationRefusal("A tool result answers no call of this conversation.", field: "messages")
    }
    parts.append(
      .record([
        "functionResponse": .record([
          "id": .string(SignedCallID.split(result.callID).id), "name": .string(self.name(name, &notes)),
          "response": response(result),
        ])
      ]))
    for part in result.content {
      switch part {
      case .image, .audio, .video, .file: try append(part, to: &parts, &notes)
      default: break
      }
    }
  }

  /// The API wants an object: text that is none is wrapped.
  private static func response(_ result: ToolResult) -> JSONValue {
    let text = result.text
    if result.isError { return .record(["error": .string(text)]) }
    if let value = try? JSONReader.read(Array(text.utf8)), case .object = value { return value }
    return .record(["output": .string(text)])
  }

  // MARK: Tools

  private static func name(_ name: String, _ notes: inout TranslationNotes) -> String {
    notes.rename(name, .geminiNames)
  }

  private static func tools(_ request: ChatRequest, _ notes: inout TranslationNotes) -> JSONValue? {
    guard !request.tools.isEmpty else { return nil }
    var declarations: [JSONValue] = []
    for tool in request.tools {
      declarations.append(
        .record([
          "name": .string(name(tool.name, &notes)), "description": .text(tool.description),
          "parametersJsonSchema": tool.parameters,
        ]))
    }
    return .array([.record(["functionDeclarations": .array(declarations)])])
  }

  private static func toolConfig(
    _ request: ChatRequest, _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) -> JSONValue? {
    guard let choice = request.toolChoice, !request.tools.isEmpty else { return nil }
    var names: [String] = []
    let mode: String
    switch choice {
    case .automatic: mode = "AUTO"
    case .none: mode = "NONE"
    case .required: mode = "ANY"
    case .tool(let name):
      mode = "ANY"
      names = [name]
    case .among(let some, let required):
      mode = required ? "ANY" : "VALIDATED"
      names = some
    }
    for (index, tool) in names.enumerated() { names[index] = name(tool, &notes) }
    return .record([
      "functionCallingConfig": .record([
        "mode": .string(mode), "allowedFunctionNames": names.isEmpty ? nil : .texts(names),
      ])
    ])
  }

  // MARK: Settings

  private static func settings(
    _ request: ChatRequest, _ target: ChatTarget, _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) -> JSONValue {
    var sampling = request.sampling
    if target.facts.acceptsSampling == false {
      notes.drop("temperature", if: sampling.temperature != nil)
      notes.drop("top_p", if: sampling.topP != nil)
      notes.drop("top_k", if: sampling.topK != nil)
      (sampling.temperature, sampling.topP, sampling.topK) = (nil, nil, nil)
    }
    notes.drop("stop", if: request.stop.count > maxStops)
    var format: JSONValue?
    var schema: JSONValue?
    switch request.responseFormat {
    case .text: break
    case .json: format = .string("application/json")
    case .schema(_, let document, _):
      format = .string("application/json")
      schema = document
    }
    return .record([
      "maxOutputTokens": .number(request.maxOutputTokens),
      "temperature": .number(sampling.temperature), "topP": .number(sampling.topP), "topK": .number(sampling.topK),
      "stopSequences": request.stop.isEmpty ? nil : .texts(Array(request.stop.prefix(maxStops))),
      "seed": .number(sampling.seed), "presencePenalty": .number(sampling.presencePenalty),
      "frequencyPenalty": .number(sampling.frequencyPenalty),
      "responseMimeType": format, "responseJsonSchema": schema,
      "thinkingConfig": request.reasoning.flatMap { thinking($0).unlessEmpty },
    ])
  }

  /// A budget and a level exclude each other; the budget is the more precise word.
  private static func thinking(_ reasoning: Reasoning) -> JSONValue {
    var budget = reasoning.budget
    var level: String?
    switch reasoning.effort {
    case Reasoning.Effort.none?: budget = 0
    case nil: break
    case .max, .xhigh: level = "XHIGH"
    case let effort?: level = effort.rawValue.uppercased()
    }
    return .record([
      "thinkingBudget": .number(budget), "thinkingLevel": budget == nil ? .text(level) : nil,
      "includeThoughts": .flag(reasoning.isVisible),
    ])
  }

  /// The pool's `safety_settings`: other protocols' clients cannot say any, Gemini's own may leave them out.
  static func safetySettings(_ options: ProviderOptions) -> JSONValue {
    .array(
      options[map: "safety_settings"].sorted { $0.key < $1.key }.map { category, threshold in
        let name = category.uppercased()
        return .record([
          "category": .string(name.hasPrefix("HARM_CATEGORY_") ? name : "HARM_CATEGORY_" + name),
          "threshold": .string(threshold.uppercased()),
        ])
      })
  }
}
