/// OpenAI: how requests are addressed and signed.
enum OpenAI {
  static let defaultBaseURL = "https://api.openai.com/v1"

  static let environment = ProviderEnvironment(
    keys: ["OPENAI_API_KEY"], baseURL: "OPENAI_BASE_URL", organization: "OPENAI_ORG_ID",
    project: "OPENAI_PROJECT_ID")

  /// The SDK joins its paths after a base URL that already holds `/v1`, so the client's own `/v1` goes.
  static func upstreamPath(_ clientPath: ByteSlice) -> ByteSlice {
    clientPath.hasPrefix("/v1/") ? clientPath.suffix(from: 3) : clientPath
  }

  static func appendCredential(_ credential: UpstreamCredential, to lines: inout [UInt8]) {
    lines.append("authorization: Bearer ")
    lines.append(contentsOf: credential.secret.utf8)
    lines.append("\r\n")
    append("openai-organization: ", credential.organization, to: &lines)
    append("openai-project: ", credential.project, to: &lines)
  }

  private static func append(_ name: StaticString, _ value: String?, to lines: inout [UInt8]) {
    guard let value, !value.isEmpty else { return }
    lines.append(name)
    lines.append(contentsOf: value.utf8)
    lines.append("\r\n")
  }
}
