import SluiceDialects

/// A request that was read by a wire format of the product, as the author wants it.
extension CompletionRequest {
  init(_ request: ChatRequest, body: JSONValue, profile: SimulatorModelProfile) {
    self.init(
      model: request.model, maxTokens: min(request.maxOutputTokens ?? .max, profile.maxOutputTokens),
      hash: ContentHash.of(body))
    stops = request.stop
    tools = request.tools.map { Tool(name: $0.name, schema: $0.parameters ?? .object([])) }
    allowsParallelTools = request.parallelToolCalls ?? true
    toolMode = Self.mode(request.toolChoice)
    if case .schema(_, let schema, _) = request.responseFormat { self.schema = schema }
    if request.responseFormat == .json { schema = .object([]) }
    wantsThinking = request.reasoning.map { $0.effort != Reasoning.Effort.none && $0.budget != 0 } ?? false
    promptTokens = 3
    for message in request.messages { read(message) }
  }

  private static func mode(_ choice: ToolChoice?) -> ToolMode {
    switch choice {
    case nil, .automatic: .auto
    case .none?: .none
    case .required: .required
    case .tool(let name): .named(name)
    case .among(_, let required): required ? .required : .auto
    }
  }

  private mutating func read(_ message: ChatMessage) {
    promptTokens += 4
    var question = ""
    var hasResults = false
    for part in message.parts {
      switch part {
      case .text(let text), .refusal(let text):
        promptTokens += TokenRule.count(text)
        question += question.isEmpty ? text : "\n" + text
      case .image, .audio, .video, .file: promptTokens += 85
      case .reasoning(let thought): promptTokens += TokenRule.count(thought.text)
      case .toolCall(let call): promptTokens += TokenRule.count(call.name) + TokenRule.count(call.arguments)
      case .toolResult(let result):
        hasResults = true
        promptTokens += TokenRule.count(result.text)
      }
    }
    if message.role != .system { endsWithToolResults = hasResults }
    if message.role == .user, !question.isEmpty { self.question = question }
  }
}
