import SluiceDialects

/// A Responses request as decoded, with the settings an answer repeats.
struct OpenAIResponsesRequest {
  var completion: CompletionRequest
  var isStream: Bool
  /// The request itself: the answer echoes a dozen of its members.
  var body: JSONValue
}

/// Decodes and checks `POST /v1/responses` and `/v1/responses/input_tokens`.
enum OpenAIResponsesDecoder {
  static func decode(_ body: JSONValue, counting: Bool) throws(ProviderError) -> OpenAIResponsesRequest {
    let fields = try OpenAIFields(body)
    let model = try fields.model()
    try fields.checkSampling()
    try fields.refuse("background") { $0 == .bool(true) }
    try fields.refuse("conversation") { _ in true }
    if let previous = body.given("previous_response_id") {
      // Nothing is stored here, so no earlier answer can be found.
      throw OpenAIFields.invalid(
        "Previous response with id '\(previous.string ?? "")' not found.", param: "previous_response_id",
        code: "previous_response_not_found")
    }
    let limit = try fields.int("max_output_tokens", in: 1...1_000_000_000) ?? .max
    var completion = CompletionRequest(model: model, maxTokens: limit, hash: ContentHash.of(body))
    completion.promptTokens = 3
    completion.wantsThinking = OpenAIFields.wantsThinking(body.given("reasoning")?.given("effort"))
    if let instructions = body.given("instructions") {
      guard let text = instructions.string else {
        throw OpenAIFields.wrongType("instructions", expected: "a string", instructions)
      }
      completion.promptTokens += 4 + TokenRule.count(text)
    }
    try readInput(body, into: &completion)
    try OpenAITools.read(body, into: &completion)
    try readFormat(body, into: &completion)
    return OpenAIResponsesRequest(
      completion: completion, isStream: counting ? false : try fields.bool("stream") ?? false, body: body)
  }

  private static func readInput(_ body: JSONValue, into completion: inout CompletionRequest) throws(ProviderError) {
    guard let input = body.given("input") else { throw OpenAIFields.missing("input") }
    if let text = input.string {
      completion.question = text
      completion.promptTokens += 4 + TokenRule.count(text)
      return
    }
    guard let items = input.array else {
      throw OpenAIFields.wrongType("input", expected: "one of a string or array of input items", input)
    }
    for (index, item) in items.enumerated() {
      try readItem(item, place: "input[\(index)]", into: &completion)
    }
  }

  private static func readItem(
    _ item: JSONValue, place: String, into completion: inout CompletionRequest
  ) throws(ProviderError) {
    completion.promptTokens += 4
    let type = item["type"]?.string ?? "message"
    completion.endsWithToolResults = type == "function_call_output" || type == "custom_tool_call_output"
    guard type == "message" else {
      completion.promptTokens += TokenRule.count(item)
      return
    }
    guard let role = item["role"]?.string else { throw OpenAIFields.missing("\(place).role") }
    guard let content = item.given("content") else { throw OpenAIFields.missing("\(place).content") }
    var text = content.string ?? ""
    if content.string == nil {
      guard let parts = content.array else {
        throw OpenAIFields.wrongType("\(place).content", expected: "one of a string or array of content", content)
      }
      for part in parts {
        if let piece = part["text"]?.string {
          text += text.isEmpty ? piece : "\n" + piece
        } else {
          completion.promptTokens += 85
        }
      }
    }
    completion.promptTokens += TokenRule.count(text)
    if role == "user" { completion.question = text }
  }

  private static func readFormat(_ body: JSONValue, into completion: inout CompletionRequest) throws(ProviderError) {
    guard let format = body.given("text")?.given("format") else { return }
    switch format["type"]?.string {
    case "text": return
    case "json_object": completion.schema = OpenAITools.anyObject
    case "json_schema":
      guard let schema = format.given("schema") else { throw OpenAIFields.missing("text.format.schema") }
      completion.schema = schema
      completion.promptTokens += TokenRule.count(schema)
    default:
      throw OpenAIFields.invalid(
        "Invalid value for 'text.format.type'. Supported values are: 'json_object', 'json_schema', and 'text'.",
        param: "text.format.type", code: "invalid_value")
    }
  }
}
