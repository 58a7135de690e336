/// Bedrock's `invoke` and `invoke-with-response-stream` for Anthropic's models: the body is a message request without
/// `model` and `stream`, with a version of Bedrock's own; streams hold Anthropic's events in base64, one per message.
package enum BedrockInvoke: ChatFormat {
  package typealias StreamReader = BedrockInvokeStreamReader
  package typealias StreamWriter = BedrockInvokeStreamWriter

  static let version = "bedrock-2023-05-31"

  package static func readRequest(
    _ body: JSONValue, model: String, streams: Bool, _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) -> ChatRequest {
    let source = try WireObject(body)
    guard try source.text("anthropic_version") != nil else {
      throw source.refusal(
        "anthropic_version",
        "Only bodies of Anthropic's models can be carried to a provider of another protocol: 'anthropic_version' is missing."
      )
    }
    notes.drop("anthropic_beta", if: source["anthropic_beta"] != nil)
    var members = (body.members ?? []).filter {
      !["anthropic_version", "anthropic_beta", "model", "stream"].contains($0.name)
    }
    members.append(JSONMember(name: "model", value: .string(model)))
    members.append(JSONMember(name: "stream", value: .bool(streams)))
    return try AnthropicChat.readRequest(.object(members), model: model, streams: streams, &notes)
  }

  package static func writeRequest(
    _ request: ChatRequest, for target: ChatTarget, _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) -> JSONValue {
    let body = try AnthropicChat.writeRequest(request, for: target, &notes)
    var members = (body.members ?? []).filter { $0.name != "model" && $0.name != "stream" }
    members.insert(JSONMember(name: "anthropic_version", value: .string(version)), at: 0)
    return .object(members)
  }

  package static func readAnswer(_ body: JSONValue) throws(UnreadableAnswer) -> ChatAnswer {
    try AnthropicChat.readAnswer(body)
  }

  package static func writeAnswer(_ answer: ChatAnswer, _ reply: ReplyFacts) -> JSONValue {
    AnthropicChat.writeAnswer(answer, reply)
  }
}
