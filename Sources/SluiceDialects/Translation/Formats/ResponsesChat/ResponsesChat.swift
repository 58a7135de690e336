/// OpenAI's Responses API, as far as it is a chat: for its clients in front of providers of other protocols. What an
/// account stores (earlier responses, conversations, background work) and the provider's own tools stay with OpenAI.
package enum ResponsesChat: ChatClientFormat {
  package typealias StreamWriter = ResponsesStreamWriter

  private static let known: Set<String> = [
    "model", "input", "instructions", "max_output_tokens", "tools", "tool_choice", "parallel_tool_calls", "reasoning",
    "text", "temperature", "top_p", "user", "safety_identifier", "service_tier", "stream",
  ]

  private static let bound: [(String, String)] = [
    ("previous_response_id", "names a response that only the account that stored it knows; send the whole input"),
    ("conversation", "names a conversation that only the account that stored it knows; send the whole input"),
    ("prompt", "names a stored prompt; send its text as `instructions`"),
  ]

  package static func readRequest(
    _ body: JSONValue, model: String, streams: Bool, _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) -> ChatRequest {
    let fields = try WireObject(body)
    for (name, reason) in bound where fields.has(name) { throw fields.fault(name, reason) }
    guard try fields.flag("background") != true else {
      throw fields.fault("background", "background work cannot be translated for this model's provider")
    }
    var request = ChatRequest(model: model.isEmpty ? try fields.requiredText("model") : model)
    if let text = try fields.text("instructions"), !text.isEmpty {
      request.messages.append(ChatMessage(.system, text: text))
    }
    request.messages += try ResponsesInput.read(fields)
    request.maxOutputTokens = try fields.integer("max_output_tokens", in: 1...Int(Int32.max))
    request.sampling.temperature = try fields.number("temperature", in: 0...2)
    request.sampling.topP = try fields.number("top_p", in: 0...1)
    try readTools(fields, into: &request)
    try readReasoning(fields, into: &request, &notes)
    try readText(fields, into: &request, &notes)
    request.streams = streams
    request.includesUsage = true
    let user = try fields.text("user")
    request.user = try fields.text("safety_identifier") ?? user
    request.serviceTier = try fields.text("service_tier")
    // Nothing is stored here, and nothing is cut: asking for that is no loss.
    let harmless = ["background", fields["store"] == false ? "store" : "", standardTruncation(fields)]
    fields.dropOthers(than: known.union(harmless), &notes)
    return request
  }

  private static func standardTruncation(_ fields: WireObject) -> String {
    fields["truncation"] == "disabled" ? "truncation" : ""
  }

  private static func readReasoning(
    _ fields: WireObject, into request: inout ChatRequest, _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) {
    guard let reasoning = try fields.object("reasoning") else { return }
    var wanted = Reasoning()
    if let text = try reasoning.text("effort") {
      guard let effort = Reasoning.Effort(rawValue: text) else { throw reasoning.fault("effort", "is not known") }
      wanted.effort = effort
    }
    if try reasoning.text("summary") != nil { wanted.isVisible = true }
    request.reasoning = wanted.effort == nil ? nil : wanted
    notes.drop("reasoning.summary", if: wanted.effort == nil && wanted.isVisible != nil)
  }

  private static func readText(
    _ fields: WireObject, into request: inout ChatRequest, _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) {
    guard let text = try fields.object("text") else { return }
    notes.drop("text.verbosity", if: text.has("verbosity"))
    guard let format = try text.object("format") else { return }
    switch try format.requiredText("type") {
    case "text": break
    case "json_object": request.responseFormat = .json
    case "json_schema":
      guard let schema = format["schema"], schema.members != nil else {
        throw format.fault("schema", "must be an object")
      }
      request.responseFormat = .schema(
        name: try format.text("name"), schema: schema, isStrict: try format.flag("strict"))
    default: throw format.fault("type", "must be text, json_object or json_schema")
    }
  }

  // MARK: Tools

  private static func readTools(_ fields: WireObject, into request: inout ChatRequest) throws(TranslationRefusal) {
    for tool in try fields.objects("tools") ?? [] {
      let type = try tool.requiredText("type")
      guard type == "function" else {
        throw tool.fault("type", "the provider's own tool '\(type.prefix(64))' cannot be translated")
      }
      request.tools.append(try OpenAIChat.readDefinition(tool))
    }
    request.parallelToolCalls = try fields.flag("parallel_tool_calls")
    guard let value = fields["tool_choice"] else { return }
    if case .string(let word) = value {
      guard let choice = OpenAIChat.choice(word) else {
        throw fields.fault("tool_choice", "must be auto, none or required")
      }
      request.toolChoice = choice
      return
    }
    request.toolChoice = try readChoice(try fields.requiredObject("tool_choice"))
  }

  private static func readChoice(_ choice: WireObject) throws(TranslationRefusal) -> ToolChoice {
    switch try choice.requiredText("type") {
    case "function": return .tool(try choice.requiredText("name"))
    case "allowed_tools":
      var names: [String] = []
      for tool in try choice.objects("tools") ?? [] { names.append(try tool.requiredText("name")) }
      return .among(names, required: try choice.text("mode") == "required")
    default: throw choice.fault("type", "must be function or allowed_tools")
    }
  }
}
