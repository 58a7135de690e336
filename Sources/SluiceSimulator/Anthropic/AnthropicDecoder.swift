import SluiceDialects

/// A messages request as decoded.
struct AnthropicRequest {
  var completion: CompletionRequest
  var isStream: Bool
  /// Thinking is done but not shown.
  var hidesThinking: Bool
}

/// Decodes and checks the body of `POST /v1/messages` and `/v1/messages/count_tokens`.
enum AnthropicDecoder {
  static func invalid(_ message: String) -> ProviderError {
    ProviderError(400, type: "invalid_request_error", message)
  }

  static func decode(
    _ body: JSONValue, version: String, counting: Bool
  ) throws(ProviderError) -> AnthropicRequest {
    guard body.members != nil else { throw invalid("Input should be a valid dictionary") }
    guard let model = body["model"] else { throw invalid("model: Field required") }
    guard let name = model.string, !name.isEmpty else { throw invalid("model: Input should be a valid string") }
    let limit = counting ? .max : try maxTokens(body)
    try checkSampling(body, version: version)
    var completion = CompletionRequest(model: name, maxTokens: limit, hash: ContentHash.of(body))
    completion.promptTokens = 3
    try readSystem(body, into: &completion)
    try readMessages(body, model: name, into: &completion)
    try readTools(body, into: &completion)
    try readStops(body, into: &completion)
    let hidesThinking = try readThinking(body, limit: limit, into: &completion)
    try readFormat(body, into: &completion)
    let stream = body.given("stream")
    guard stream == nil || stream?.bool != nil else { throw invalid("stream: Input should be a valid boolean") }
    return AnthropicRequest(
      completion: completion, isStream: !counting && stream?.bool == true, hidesThinking: hidesThinking)
  }

  private static func maxTokens(_ body: JSONValue) throws(ProviderError) -> Int {
    guard let value = body["max_tokens"] else { throw invalid("max_tokens: Field required") }
    guard let number = value.int else { throw invalid("max_tokens: Input should be a valid integer") }
    guard number >= 1 else { throw invalid("max_tokens: Input should be greater than or equal to 1") }
    return number
  }

  /// The version of October 2026 takes no sampling parameters, not even their default values.
  private static func checkSampling(_ body: JSONValue, version: String) throws(ProviderError) {
    for name in ["temperature", "top_p", "top_k"] {
      guard let value = body[name] else { continue }
      guard version != AnthropicVersion.withoutSampling else {
        throw invalid("\(name): Extra inputs are not permitted")
      }
      guard let number = value.double else { throw invalid("\(name): Input should be a valid number") }
      guard number >= 0 else { throw invalid("\(name): Input should be greater than or equal to 0") }
      guard name == "top_k" || number <= 1 else { throw invalid("\(name): range: 0..1") }
    }
  }

  private static func readSystem(_ body: JSONValue, into completion: inout CompletionRequest) throws(ProviderError) {
    guard let system = body.given("system") else { return }
    if let text = system.string {
      completion.promptTokens += TokenRule.count(text)
      return
    }
    guard let blocks = system.array else { throw invalid("system: Input should be a valid string or list") }
    for (index, block) in blocks.enumerated() {
      guard let text = block["text"]?.string else { throw invalid("system.\(index).text: Field required") }
      guard !text.isEmpty else { throw invalid("system: text content blocks must be non-empty") }
      completion.promptTokens += TokenRule.count(text)
    }
  }

  // MARK: Tools and format

  private static func readTools(_ body: JSONValue, into completion: inout CompletionRequest) throws(ProviderError) {
    if let value = body.given("tools") {
      guard let tools = value.array else { throw invalid("tools: Input should be a valid list") }
      for (index, tool) in tools.enumerated() {
        // Tools that run on the provider's side (web search and the like) never appear as calls here.
        if let type = tool["type"]?.string, type != "custom" { continue }
        guard let name = tool["name"]?.string else { throw invalid("tools.\(index).name: Field required") }
        guard OpenAITools.isToolName(name, longest: 128) else {
          throw invalid("tools.\(index).name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'")
        }
        guard let schema = tool["input_schema"] else {
          throw invalid("tools.\(index).input_schema: Field required")
        }
        guard schema["type"]?.string == "object" else {
          throw invalid("tools.\(index).input_schema.type: Input should be 'object'")
        }
        completion.tools.append(.init(name: name, schema: schema))
      }
      completion.promptTokens += TokenRule.count(value)
    }
    guard let choice = body.given("tool_choice") else { return }
    switch choice["type"]?.string {
    case "auto": completion.toolMode = .auto
    case "any": completion.toolMode = .required
    case "none": completion.toolMode = .none
    case "tool":
      guard let name = choice["name"]?.string, completion.tools.contains(where: { $0.name == name }) else {
        throw invalid("tool_choice.name: Tool not found in provided tools")
      }
      completion.toolMode = .named(name)
    default: throw invalid("tool_choice.type: Input should be 'auto', 'any', 'tool' or 'none'")
    }
    guard !completion.tools.isEmpty || completion.toolMode == .none else {
      throw invalid("tool_choice: may only be specified while providing tools")
    }
    completion.allowsParallelTools = choice["disable_parallel_tool_use"]?.bool != true
  }

  private static func readStops(_ body: JSONValue, into completion: inout CompletionRequest) throws(ProviderError) {
    guard let value = body.given("stop_sequences") else { return }
    guard let items = value.array else { throw invalid("stop_sequences: Input should be a valid list") }
    for (index, item) in items.enumerated() {
      guard let text = item.string else { throw invalid("stop_sequences.\(index): Input should be a valid string") }
      guard text.contains(where: { !$0.isWhitespace }) else {
        throw invalid("stop_sequences: each stop sequence must contain non-whitespace")
      }
      completion.stops.append(text)
    }
  }

  /// Gives back whether the thinking is to be left out of the answer.
  private static func readThinking(
    _ body: JSONValue, limit: Int, into completion: inout CompletionRequest
  ) throws(ProviderError) -> Bool {
    guard let thinking = body.given("thinking") else { return false }
    switch thinking["type"]?.string {
    case "adaptive": completion.wantsThinking = true
    case "enabled":
      guard let budget = thinking["budget_tokens"]?.int else {
        throw invalid("thinking.enabled.budget_tokens: Field required")
      }
      guard budget >= 1_024 else {
        throw invalid("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024")
      }
      guard budget < limit else { throw invalid("`max_tokens` must be greater than `thinking.budget_tokens`.") }
      completion.wantsThinking = true
    case "between_tools": completion.wantsThinking = completion.endsWithToolResults
    case "disabled": break
    default:
      throw invalid("thinking.type: Input should be 'adaptive', 'enabled', 'between_tools' or 'disabled'")
    }
    return thinking["display"]?.string == "omitted"
  }

  private static func readFormat(_ body: JSONValue, into completion: inout CompletionRequest) throws(ProviderError) {
    guard let format = body.given("output_config")?.given("format") ?? body.given("output_format") else { return }
    guard format["type"]?.string == "json_schema", let schema = format.given("schema") else {
      throw invalid("output_config.format: Input should be of type 'json_schema' with a schema")
    }
    completion.schema = schema
    completion.promptTokens += TokenRule.count(schema)
  }
}

/// The values of the `anthropic-version` header.
enum AnthropicVersion {
  static let withoutSampling = "2026-10-21"
  static let known: Set<String> = ["2023-01-01", "2023-06-01", withoutSampling]
}
