import SluiceDialects

/// A chat request as decoded: what the model is asked, and how the answer is to be sent.
struct OpenAIChatRequest {
  var completion: CompletionRequest
  var choices: Int
  var isStream: Bool
  var includesUsage: Bool
  var includesPadding: Bool
}

/// Decodes and checks `POST /v1/chat/completions`.
enum OpenAIChatDecoder {
  private static let roles: Set<String> = ["developer", "system", "user", "assistant", "tool", "function"]

  static func decode(_ body: JSONValue, _ world: inout World) throws(ProviderError) -> OpenAIChatRequest {
    let fields = try OpenAIFields(body)
    let model = try fields.model()
    guard let value = body.given("messages") else { throw OpenAIFields.missing("messages") }
    guard let messages = value.array else {
      throw OpenAIFields.wrongType("messages", expected: "an array of objects", value)
    }
    guard !messages.isEmpty else {
      throw OpenAIFields.invalid(
        "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
        param: "messages", code: "empty_array")
    }
    try fields.checkSampling()
    try fields.refuse("logprobs") { $0 == .bool(true) }
    try fields.refuse("audio") { _ in true }
    var completion = CompletionRequest(
      model: model, maxTokens: try maxTokens(fields, model), hash: ContentHash.of(body))
    completion.stops = try fields.stops()
    completion.promptTokens = 3
    try read(messages, into: &completion)
    try OpenAITools.read(body, into: &completion)
    try readFormat(body, into: &completion)
    completion.wantsThinking = OpenAIFields.wantsThinking(body.given("reasoning_effort"))
    let options = body.given("stream_options")
    return OpenAIChatRequest(
      completion: completion, choices: try fields.int("n", in: 1...128) ?? 1,
      isStream: try fields.bool("stream") ?? false,
      includesUsage: options?["include_usage"]?.bool ?? false,
      includesPadding: options?["include_obfuscation"]?.bool ?? true)
  }

  private static func maxTokens(_ fields: OpenAIFields, _ model: String) throws(ProviderError) -> Int {
    let isReasoning = ["o1", "o3", "o4"].contains { model.hasPrefix($0) }
    if isReasoning, fields.body.given("max_tokens") != nil {
      throw OpenAIFields.invalid(
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        param: "max_tokens", code: "unsupported_parameter")
    }
    let newer = try fields.int("max_completion_tokens", in: 1...1_000_000_000)
    let older = try fields.int("max_tokens", in: 1...1_000_000_000)
    return newer ?? older ?? .max
  }

  // MARK: Messages

  private static func read(_ messages: [JSONValue], into completion: inout CompletionRequest) throws(ProviderError) {
    var open: Set<String> = []
    for (index, message) in messages.enumerated() {
      let place = "messages[\(index)]"
      guard message.members != nil else {
        throw OpenAIFields.wrongType(place, expected: "an object", message)
      }
      guard let role = message.given("role") else { throw OpenAIFields.missing("\(place).role") }
      guard let name = role.string, roles.contains(name) else {
        throw OpenAIFields.invalid(
          "Invalid value: '\(role.string ?? role.jsonText)'. Supported values are: 'system', 'assistant', 'user', "
            + "'function', 'tool', and 'developer'.", param: "\(place).role", code: "invalid_value")
      }
      let text = try content(message, role: name, place: place, into: &completion)
      try track(message, role: name, place: place, open: &open)
      completion.endsWithToolResults = name == "tool" || name == "function"
      if name == "user" { completion.question = text }
    }
    guard open.isEmpty else { throw unanswered(open, param: "messages.[\(messages.count - 1)].role") }
  }

  /// Checks a message's content and counts it; gives back its text.
  private static func content(
    _ message: JSONValue, role: String, place: String, into completion: inout CompletionRequest
  ) throws(ProviderError) -> String {
    completion.promptTokens += 4
    if let calls = message.given("tool_calls") { completion.promptTokens += TokenRule.count(calls) }
    guard let value = message.given("content") else {
      guard role == "assistant" || role == "function" else { throw OpenAIFields.missing("\(place).content") }
      return ""
    }
    if let text = value.string {
      completion.promptTokens += TokenRule.count(text)
      return text
    }
    guard let parts = value.array else {
      throw OpenAIFields.wrongType("\(place).content", expected: "one of a string or array of objects", value)
    }
    var text = ""
    for (index, part) in parts.enumerated() {
      guard let type = part["type"]?.string else { throw OpenAIFields.missing("\(place).content[\(index)].type") }
      switch type {
      case "text", "refusal":
        guard let piece = part[type]?.string else { throw OpenAIFields.missing("\(place).content[\(index)].\(type)") }
        text += text.isEmpty ? piece : "\n" + piece
      case "image_url", "input_audio", "file":
        // A fixed price: what is inside is not looked at.
        completion.promptTokens += 85
      default:
        throw OpenAIFields.invalid(
          "Invalid value: '\(type)'. Supported values are: 'text', 'image_url', 'input_audio', 'refusal', and 'file'.",
          param: "\(place).content[\(index)].type", code: "invalid_value")
      }
    }
    completion.promptTokens += TokenRule.count(text)
    return text
  }

  /// Every call of an assistant message must be answered before anybody else speaks.
  private static func track(
    _ message: JSONValue, role: String, place: String, open: inout Set<String>
  ) throws(ProviderError) {
    if role == "tool" {
      guard let id = message.given("tool_call_id")?.string else {
        throw OpenAIFields.missing("\(place).tool_call_id")
      }
      guard open.remove(id) != nil else {
        throw OpenAIFields.invalid(
          "Invalid parameter: messages with role 'tool' must be a response to a preceding message with 'tool_calls'.",
          param: "\(place).role")
      }
      return
    }
    guard open.isEmpty else { throw unanswered(open, param: "\(place).role") }
    for call in message.given("tool_calls")?.array ?? [] {
      if let id = call["id"]?.string { open.insert(id) }
    }
  }

  private static func unanswered(_ open: Set<String>, param: String) -> ProviderError {
    OpenAIFields.invalid(
      "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. "
        + "The following tool_call_ids did not have response messages: \(open.sorted().joined(separator: ", "))",
      param: param)
  }

  // MARK: Answer format

  private static func readFormat(_ body: JSONValue, into completion: inout CompletionRequest) throws(ProviderError) {
    guard let format = body.given("response_format") else { return }
    switch format["type"]?.string {
    case "text": return
    case "json_object": completion.schema = OpenAITools.anyObject
    case "json_schema":
      guard let schema = format["json_schema"]?.given("schema") else {
        throw OpenAIFields.missing("response_format.json_schema.schema")
      }
      completion.schema = schema
      completion.promptTokens += TokenRule.count(schema)
    default:
      throw OpenAIFields.invalid(
        "Invalid value for 'response_format.type'. Supported values are: 'json_object', 'json_schema', and 'text'.",
        param: "response_format.type", code: "invalid_value")
    }
  }
}
