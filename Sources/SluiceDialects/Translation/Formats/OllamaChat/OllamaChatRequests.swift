extension OllamaChat {
  package static func readRequest(
    _ body: JSONValue, model: String, streams: Bool, _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) -> ChatRequest {
    let source = try WireObject(body)
    source.dropOthers(than: ["model", "messages", "tools", "format", "options", "stream", "think"], &notes)
    var request = ChatRequest(model: model)
    guard let messages = try source.objects("messages"), !messages.isEmpty else {
      throw source.refusal(
        "messages", "'messages' must have at least one element: models of other providers cannot be loaded ahead.")
    }
    var reader = OllamaMessageReader()
    for message in messages { request.messages.append(try reader.read(message, &notes)) }
    for tool in try source.objects("tools") ?? [] {
      guard let function = try tool.object("function") else {
        throw tool.refusal("function", "'\(tool.place("function"))' is missing.")
      }
      request.tools.append(
        ToolDefinition(
          name: try function.requiredText("name"), description: try function.text("description"),
          parameters: try function.document("parameters")))
    }
    try readCommon(source, streams: streams, &request, &notes)
    return request
  }

  /// What `/api/chat` and `/api/generate` have in common.
  static func readCommon(
    _ source: WireObject, streams: Bool, _ request: inout ChatRequest, _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) {
    request.streams = streams
    request.includesUsage = true
    switch source["format"] {
    case nil, .string("")?: break
    case .string("json")?: request.responseFormat = .json
    case .object?:
      request.responseFormat = .schema(name: nil, schema: source["format"] ?? .emptyObject, isStrict: nil)
    default: throw source.refusal("format", "'format' must be \"json\" or a JSON Schema.")
    }
    switch source["think"] {
    case nil: break
    case .bool(let thinks)?: request.reasoning = thinks ? Reasoning() : Reasoning(effort: Reasoning.Effort.none)
    case .string(let level)?:
      guard let effort = Reasoning.Effort(rawValue: level) else {
        throw source.refusal("think", "'\(level.prefix(40))' is no level of thinking.")
      }
      request.reasoning = Reasoning(effort: effort)
    default: throw source.refusal("think", "'think' must be true, false or a level.")
    }
    if let options = try source.object("options") { try readOptions(options, &request, &notes) }
  }

  private static func readOptions(
    _ options: WireObject, _ request: inout ChatRequest, _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) {
    options.dropOthers(
      than: ["num_predict", "temperature", "top_p", "top_k", "seed", "stop", "presence_penalty", "frequency_penalty"],
      &notes)
    // -1 and -2 mean no limit.
    request.maxOutputTokens = try options.integer("num_predict").flatMap { $0 > 0 ? $0 : nil }
    request.sampling.temperature = try options.number("temperature")
    request.sampling.topP = try options.number("top_p")
    request.sampling.topK = try options.integer("top_k").flatMap { $0 > 0 ? $0 : nil }
    request.sampling.seed = try options.integer("seed")
    request.sampling.presencePenalty = try options.number("presence_penalty")
    request.sampling.frequencyPenalty = try options.number("frequency_penalty")
    if let stop = options["stop"]?.string {
      request.stop = [stop]
    } else {
      request.stop = try options.texts("stop") ?? []
    }
  }

  /// Pictures come as base64 without a type; the first bytes tell it.
  static func images(_ source: WireObject) throws(TranslationRefusal) -> [ContentPart] {
    var parts: [ContentPart] = []
    for (index, text) in (try source.texts("images") ?? []).enumerated() {
      guard let data = Base64Text.standard(text) else {
        throw source.refusal("images[\(index)]", "'\(source.place("images"))[\(index)]' is not base64.")
      }
      parts.append(.image(Media(type: imageType(data), source: .base64(data))))
    }
    return parts
  }

  private static func imageType(_ base64: String) -> String {
    if base64.hasPrefix("/9j/") { return "image/jpeg" }
    if base64.hasPrefix("R0lG") { return "image/gif" }
    return base64.hasPrefix("UklGR") ? "image/webp" : "image/png"
  }
}
