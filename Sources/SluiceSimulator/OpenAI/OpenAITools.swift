import SluiceDialects

/// Decodes `tools`, `tool_choice` and `parallel_tool_calls`, which chat nests and the Responses API has flat.
enum OpenAITools {
  /// The schema behind `json_object`.
  static let anyObject = JSONValue.object([
    JSONMember(name: "type", value: .string("object")),
    JSONMember(
      name: "properties",
      value: .object([
        JSONMember(name: "answer", value: .object([JSONMember(name: "type", value: .string("string"))]))
      ])),
  ])

  static func read(_ body: JSONValue, into completion: inout CompletionRequest) throws(ProviderError) {
    if let value = body.given("tools") {
      guard let tools = value.array else {
        throw OpenAIFields.wrongType("tools", expected: "an array of objects", value)
      }
      for (index, tool) in tools.enumerated() {
        if let tool = try self.tool(tool, place: "tools[\(index)]") { completion.tools.append(tool) }
      }
      completion.promptTokens += TokenRule.count(value)
    }
    if let flag = body.given("parallel_tool_calls") {
      guard let allowed = flag.bool else {
        throw OpenAIFields.wrongType("parallel_tool_calls", expected: "a boolean", flag)
      }
      completion.allowsParallelTools = allowed
    }
    if let choice = body.given("tool_choice") { try readChoice(choice, into: &completion) }
  }

  private static func tool(_ tool: JSONValue, place: String) throws(ProviderError) -> CompletionRequest.Tool? {
    guard let type = tool["type"]?.string else { throw OpenAIFields.missing("\(place).type") }
    // Tools the service runs by itself (search, code) never appear as calls.
    guard type == "function" || type == "custom" else { return nil }
    let inner = tool[type] ?? tool
    guard let name = inner["name"]?.string else {
      throw OpenAIFields.missing(tool[type] == nil ? "\(place).name" : "\(place).\(type).name")
    }
    guard isToolName(name, longest: 64) else {
      throw OpenAIFields.invalid(
        "Invalid '\(place).\(type).name': string does not match pattern. Expected a string that matches the pattern "
          + "'^[a-zA-Z0-9_-]+$'.", param: "\(place).\(type).name", code: "invalid_value")
    }
    return CompletionRequest.Tool(
      name: name, schema: inner.given("parameters") ?? .object([]), isCustom: type == "custom")
  }

  static func isToolName(_ name: String, longest: Int) -> Bool {
    !name.isEmpty && name.utf8.count <= longest
      && name.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
          true
        default: false
        }
      }
  }

  private static func readChoice(
    _ choice: JSONValue, into completion: inout CompletionRequest
  ) throws(ProviderError) {
    guard !completion.tools.isEmpty else {
      if choice.string == "none" || choice.string == "auto" { return }
      throw OpenAIFields.invalid(
        "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.",
        param: "tool_choice")
    }
    switch choice.string ?? choice["type"]?.string {
    case "none": completion.toolMode = .none
    case "auto": completion.toolMode = .auto
    case "required": completion.toolMode = .required
    case "function", "custom":
      let name = choice["function"]?["name"] ?? choice["custom"]?["name"] ?? choice["name"]
      guard let name = name?.string, completion.tools.contains(where: { $0.name == name }) else {
        throw OpenAIFields.invalid(
          "Invalid value for 'tool_choice': the named tool is not among 'tools'.", param: "tool_choice")
      }
      completion.toolMode = .named(name)
    case "allowed_tools":
      let allowed = choice["allowed_tools"] ?? choice
      let names = (allowed["tools"]?.array ?? []).compactMap { ($0["function"] ?? $0)["name"]?.string }
      completion.tools.removeAll { !names.contains($0.name) }
      completion.toolMode = allowed["mode"]?.string == "required" ? .required : .auto
    default:
      throw OpenAIFields.invalid(
        "Invalid value: '\(choice.string ?? choice.jsonText)'. Supported values are: 'none', 'auto', and 'required'.",
        param: "tool_choice", code: "invalid_value")
    }
  }
}
