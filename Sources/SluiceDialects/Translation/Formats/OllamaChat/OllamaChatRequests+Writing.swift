extension OllamaChat {
  package static func writeRequest(
    _ request: ChatRequest, for target: ChatTarget, _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) -> JSONValue {
    guard !request.messages.isEmpty else {
      throw TranslationRefusal("There is nothing to answer.", field: "messages")
    }
    var messages: [JSONValue] = []
    for message in request.messages { try append(message, to: &messages) }
    notes.drop("parallel_tool_calls", if: request.parallelToolCalls == false)
    notes.drop("user", if: request.user != nil)
    notes.drop("service_tier", if: request.serviceTier != nil)
    return .record([
      "model": .string(target.model), "messages": .array(messages),
      "tools": tools(request, &notes).unlessEmpty, "format": format(request.responseFormat),
      "think": request.reasoning.flatMap(think), "options": options(request, target, &notes).unlessEmpty,
      // Long prompts are cut silently unless the server is told not to.
      "truncate": .flag(target.options[flag: "truncate"]), "keep_alive": .text(target.options[text: "keep_alive"]),
      "stream": .bool(request.streams),
    ])
  }

  private static func append(_ message: ChatMessage, to messages: inout [JSONValue]) throws(TranslationRefusal) {
    switch message.role {
    case .system:
      if !message.text.isEmpty {
        messages.append(.record(["role": .string("system"), "content": .string(message.text)]))
      }
    case .user, .assistant: messages.append(try spoken(message))
    case .tool:
      for part in message.parts {
        guard case .toolResult(let result) = part else { continue }
        messages.append(
          .record([
            "role": .string("tool"), "tool_name": .text(result.name), "tool_call_id": .string(result.callID),
            "content": .string(result.text), "images": try images(result.content),
          ]))
      }
    }
  }

  private static func spoken(_ message: ChatMessage) throws(TranslationRefusal) -> JSONValue {
    var text = ""
    var thinking = ""
    for part in message.parts {
      switch part {
      case .text(let piece), .refusal(let piece): text += piece
      case .reasoning(let thought): if !thought.isRedacted { thinking += thought.text }
      case .audio, .video, .file: throw TranslationRefusal("Ollama takes texts and images only.", field: "messages")
      case .image, .toolCall, .toolResult: break
      }
    }
    return .record([
      "role": .string(message.role == .user ? "user" : "assistant"), "content": .string(text),
      "thinking": thinking.isEmpty ? nil : .string(thinking), "images": try images(message.parts),
      "tool_calls": JSONValue.array(message.toolCalls.map { toolCall($0, $0.name) }).unlessEmpty,
    ])
  }

  private static func images(_ parts: [ContentPart]) throws(TranslationRefusal) -> JSONValue? {
    var images: [String] = []
    for case .image(let media) in parts {
      guard case .base64(let data) = media.source else {
        throw TranslationRefusal(
          "Ollama does not fetch images from URLs. Send the data itself as base64.", field: "messages")
      }
      images.append(data)
    }
    return images.isEmpty ? nil : .texts(images)
  }

  /// There is no tool choice: what can be said by leaving tools out is said so.
  private static func tools(_ request: ChatRequest, _ notes: inout TranslationNotes) -> JSONValue {
    var tools = request.tools
    switch request.toolChoice {
    case nil, .automatic: break
    case ToolChoice.none?: tools = []
    case .required: notes.drop("tool_choice")
    case .tool(let name): tools.removeAll { $0.name != name }
    case .among: tools = request.offeredTools
    }
    return .array(
      tools.map { tool in
        .record([
          "type": .string("function"),
          "function": .record([
            "name": .string(tool.name), "description": .text(tool.description),
            "parameters": tool.objectSchema,
          ]),
        ])
      })
  }

  private static func format(_ format: ResponseFormat) -> JSONValue? {
    switch format {
    case .text: nil
    case .json: .string("json")
    case .schema(_, let schema, _): schema
    }
  }

  private static func think(_ reasoning: Reasoning) -> JSONValue? {
    switch reasoning.effort {
    case nil: reasoning.budget == nil ? nil : .bool(true)
    case Reasoning.Effort.none?: .bool(false)
    case .minimal, .low: .string("low")
    case .medium: .string("medium")
    case .high, .xhigh: .string("high")
    case .max: .string("max")
    }
  }

  private static func options(
    _ request: ChatRequest, _ target: ChatTarget, _ notes: inout TranslationNotes
  ) -> JSONValue {
    var sampling = request.sampling
    if target.facts.acceptsSampling == false {
      notes.drop("temperature", if: sampling.temperature != nil)
      notes.drop("top_p", if: sampling.topP != nil)
      notes.drop("top_k", if: sampling.topK != nil)
      (sampling.temperature, sampling.topP, sampling.topK) = (nil, nil, nil)
    }
    return .record([
      "num_predict": .number(request.maxOutputTokens), "num_ctx": .number(target.options[integer: "num_ctx"]),
      "temperature": .number(sampling.temperature), "top_p": .number(sampling.topP), "top_k": .number(sampling.topK),
      "stop": request.stop.isEmpty ? nil : .texts(request.stop), "seed": .number(sampling.seed),
      "presence_penalty": .number(sampling.presencePenalty), "frequency_penalty": .number(sampling.frequencyPenalty),
    ])
  }
}
