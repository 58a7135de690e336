extension CohereChat {
  package static func writeRequest(
    _ request: ChatRequest, for target: ChatTarget, _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) -> JSONValue {
    var messages: [JSONValue] = []
    for message in request.messages { try append(message, to: &messages) }
    guard let last = request.messages.last else {
      throw TranslationRefusal("There is nothing to answer.", field: "messages")
    }
    guard last.role != .assistant else {
      throw TranslationRefusal(
        "Cohere does not continue an answer: the last message must not be the assistant's.",
        field: "messages[\(request.messages.count - 1)]")
    }
    noteDropped(request, &notes)
    let sampling = accepted(request.sampling, target, &notes)
    let (tools, choice) = tools(request)
    return .record([
      "model": .string(target.model), "messages": .array(messages), "tools": tools, "tool_choice": .text(choice),
      "strict_tools": isStrict(request) ? .bool(true) : nil,
      "max_tokens": .number(request.maxOutputTokens), "temperature": .number(sampling.temperature),
      "p": .number(sampling.topP.map { min(0.99, max(0.01, $0)) }), "k": .number(sampling.topK),
      "stop_sequences": request.stop.isEmpty ? nil : .texts(Array(request.stop.prefix(maxStops))),
      "seed": .number(sampling.seed),
      "presence_penalty": .number(sampling.presencePenalty.map { min(1, max(0, $0)) }),
      "frequency_penalty": .number(sampling.frequencyPenalty.map { min(1, max(0, $0)) }),
      "response_format": responseFormat(request.responseFormat), "thinking": thinking(request, target, &notes),
      "stream": .bool(request.streams),
    ])
  }

  private static func noteDropped(_ request: ChatRequest, _ notes: inout TranslationNotes) {
    notes.drop("parallel_tool_calls", if: request.parallelToolCalls == false)
    notes.drop("user", if: request.user != nil)
    notes.drop("service_tier", if: request.serviceTier != nil)
    notes.drop("stop", if: request.stop.count > maxStops)
  }

  private static func accepted(
    _ sampling: ChatRequest.Sampling, _ target: ChatTarget, _ notes: inout TranslationNotes
  ) -> ChatRequest.Sampling {
    var sampling = sampling
    guard target.facts.acceptsSampling == false else { return sampling }
    notes.drop("temperature", if: sampling.temperature != nil)
    notes.drop("top_p", if: sampling.topP != nil)
    notes.drop("top_k", if: sampling.topK != nil)
    (sampling.temperature, sampling.topP, sampling.topK) = (nil, nil, nil)
    return sampling
  }

  // MARK: Messages

  private static func append(_ message: ChatMessage, to messages: inout [JSONValue]) throws(TranslationRefusal) {
    switch message.role {
    case .system:
      if !message.text.isEmpty {
        messages.append(.record(["role": .string("system"), "content": .string(message.text)]))
      }
    case .user: messages.append(.record(["role": .string("user"), "content": try content(message.parts)]))
    case .assistant: messages.append(assistant(message))
    case .tool:
      for part in message.parts {
        guard case .toolResult(let result) = part else { continue }
        messages.append(
          .record([
            "role": .string("tool"), "tool_call_id": .string(result.callID), "content": try content(result.content),
          ]))
      }
    }
  }

  /// Beside calls, text is the plan.
  private static func assistant(_ message: ChatMessage) -> JSONValue {
    var text = ""
    for part in message.parts {
      if case .text(let piece) = part { text += piece }
      if case .refusal(let piece) = part { text += piece }
    }
    let calls = message.toolCalls.map(toolCall)
    guard !calls.isEmpty else { return .record(["role": .string("assistant"), "content": .string(text)]) }
    return .record([
      "role": .string("assistant"), "tool_plan": text.isEmpty ? nil : .string(text), "tool_calls": .array(calls),
    ])
  }

  static func toolCall(_ call: ToolCall) -> JSONValue {
    .record([
      "id": .string(call.id), "type": .string("function"),
      "function": .record([
        "name": .string(call.name), "arguments": .string(call.arguments.isEmpty ? "{}" : call.arguments),
      ]),
    ])
  }

  private static func content(_ parts: [ContentPart]) throws(TranslationRefusal) -> JSONValue {
    if parts.isEmpty { return .string("") }
    if parts.count == 1, case .text(let text) = parts[0] { return .string(text) }
    var items: [JSONValue] = []
    for part in parts {
      switch part {
      case .text(let text), .refusal(let text):
        items.append(.record(["type": .string("text"), "text": .string(text)]))
      case .image(let media): items.append(try image(media))
      case .reasoning: break
      case .audio, .video, .file:
        throw TranslationRefusal("Cohere takes texts and images only.", field: "messages")
      case .toolCall, .toolResult:
        throw TranslationRefusal("A tool call or its result stands in a message of another role.", field: "messages")
      }
    }
    return .array(items)
  }

  private static func image(_ media: Media) throws(TranslationRefusal) -> JSONValue {
    guard let url = DataURL.text(media) else {
      throw TranslationRefusal("Cohere does not know files that another provider stores.", field: "messages")
    }
    return .record([
      "type": .string("image_url"), "image_url": .record(["url": .string(url), "detail": .text(media.detail)]),
    ])
  }

  // MARK: Tools and formats

  private static func isStrict(_ request: ChatRequest) -> Bool {
    !request.tools.isEmpty && request.tools.allSatisfy { $0.isStrict == true }
  }

  /// There is no way to name one tool: it is sent alone, and some tool is required.
  private static func tools(_ request: ChatRequest) -> (JSONValue?, String?) {
    var tools = request.tools
    var choice: String?
    switch request.toolChoice {
    case nil, .automatic: break
    case ToolChoice.none?: choice = "NONE"
    case .required: choice = "REQUIRED"
    case .tool(let name):
      tools.removeAll { $0.name != name }
      choice = "REQUIRED"
    case .among(_, let required):
      tools = request.offeredTools
      choice = required ? "REQUIRED" : nil
    }
    guard !tools.isEmpty else { return (nil, nil) }
    let items = tools.map { tool in
      JSONValue.record([
        "type": .string("function"),
        "function": .record([
          "name": .string(tool.name), "description": .text(tool.description),
          "parameters": tool.objectSchema,
        ]),
      ])
    }
    return (.array(items), choice)
  }

  private static func responseFormat(_ format: ResponseFormat) -> JSONValue? {
    switch format {
    case .text: nil
    case .json: .record(["type": .string("json_object")])
    case .schema(_, let schema, _): .record(["type": .string("json_object"), "json_schema": schema])
    }
  }

  private static func thinking(
    _ request: ChatRequest, _ target: ChatTarget, _ notes: inout TranslationNotes
  ) -> JSONValue? {
    guard let reasoning = request.reasoning else { return nil }
    if target.facts.reasons == false {
      notes.drop("reasoning_effort", if: reasoning.asksToReason)
      return nil
    }
    let isOff = reasoning.effort == Reasoning.Effort.none
    return .record([
      "type": .string(isOff ? "disabled" : "enabled"), "token_budget": isOff ? nil : .number(reasoning.budget),
    ])
  }
}
