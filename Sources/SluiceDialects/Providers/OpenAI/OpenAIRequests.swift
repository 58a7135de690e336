/// OpenAI: how requests are addressed and signed.
package enum OpenAI: ProviderKnowledge {
  package static let surface: Surface? = .openai
  package static let defaultBaseURL = "https://api.openai.com/v1"

  package static let environment = ProviderEnvironment(
    keys: ["OPENAI_API_KEY"], baseURL: "OPENAI_BASE_URL", organization: "OPENAI_ORG_ID",
    project: "OPENAI_PROJECT_ID")

  package static func speaks(_ operation: Operation, _ options: ProviderOptions) -> Bool {
    switch operation {
    case .chat, .completions, .embeddings, .responses, .inputTokens, .compactResponse, .readResponse, .deleteResponse,
      .cancelResponse, .inputItems, .models, .model, .native:
      true
    default: false
    }
  }

  package static func operation(
    for task: Operation.Purpose, streams: Bool, _ options: ProviderOptions
  ) -> Operation? {
    switch task {
    case .chat: .chat
    case .embeddings: .embeddings
    case .tokenCount: nil
    }
  }

  /// The SDK joins its paths after a base URL that already holds `/v1`, so the client's own `/v1` goes.
  package static func appendTarget(_ call: UpstreamCall, _ options: ProviderOptions, to target: inout [UInt8]) {
    if let passed = call.passed {
      let path = passed.path
      (path.hasPrefix("/v1/") ? path.suffix(from: 3) : path).append(to: &target)
      call.appendQuery(to: &target)
    } else {
      target.append(path(of: call.operation))
    }
  }

  /// The paths of the operations that translation ends in.
  static func path(of operation: Operation) -> StaticString {
    switch operation {
    case .completions: "/completions"
    case .embeddings: "/embeddings"
    case .responses: "/responses"
    case .models: "/models"
    default: "/chat/completions"
    }
  }

  package static func appendCredential(_ credential: UpstreamCredential, to lines: inout [UInt8]) {
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
