/// The answer to a request that counts the tokens of a prompt, where nobody can count: an estimate.
package struct TokenCount: Hashable, Sendable {
  package var input: Int

  package init(input: Int) { self.input = input }

  /// About four bytes of English to a token, and a few tokens for the frame of the conversation.
  package static func estimate(_ fields: RequestFields) -> TokenCount {
    TokenCount(input: max(1, fields.promptBytes / 4 + 4))
  }

  /// In the shape of the operation, marked as an estimate.
  package func rendered(for operation: Operation) -> [UInt8] {
    var members: [JSONMember]
    switch operation {
    case .geminiCountTokens: members = [JSONMember(name: "totalTokens", value: .int(input))]
    case .bedrockCountTokens: members = [JSONMember(name: "inputTokens", value: .int(input))]
    case .inputTokens:
      members = [
        JSONMember(name: "object", value: .string("response.input_tokens")),
        JSONMember(name: "input_tokens", value: .int(input)),
      ]
    default: members = [JSONMember(name: "input_tokens", value: .int(input))]
    }
    members.append(JSONMember(name: "estimate", value: .bool(true)))
    var bytes: [UInt8] = []
    JSONValue.object(members).append(to: &bytes)
    return bytes
  }
}
