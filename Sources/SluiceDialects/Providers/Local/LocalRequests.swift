/// Servers of one's own: Ollama, llama.cpp, vLLM, TGI, LocalAI, and whatever else is shaped like OpenAI.
package enum Local: ProviderKnowledge {
  package static let surface: Surface? = .openai
  package static let defaultBaseURL = ""
  package static let environment = ProviderEnvironment(keys: [])
  package static let needsCredential = false

  package static let options = [
    ProviderOption(
      "server", .choice(LocalServerKind.allCases.map(\.rawValue)), "What kind of server answers at `base_url`.",
      standard: LocalServerKind.openai.rawValue)
  ]

  package static func standardBaseURL(_ options: ProviderOptions) -> String { LocalServerKind(options).baseURL }

  package static func speaks(_ operation: Operation, _ options: ProviderOptions) -> Bool {
    LocalServerKind(options).speaks(operation)
  }

  package static func operation(
    for task: Operation.Purpose, streams: Bool, _ options: ProviderOptions
  ) -> Operation? {
    let server = LocalServerKind(options)
    switch task {
    case .chat: return .chat
    case .embeddings: return server.speaks(.embeddings) ? .embeddings : nil
    case .tokenCount: return server.speaks(.countTokens) ? .countTokens : nil
    }
  }

  /// The base URL may hold `/v1` or not: beside it there are `/api` and `/health`.
  package static func adjustBase(_ target: inout [UInt8]) { target.removeSuffix("/v1") }

  package static func appendTarget(_ call: UpstreamCall, _ options: ProviderOptions, to target: inout [UInt8]) {
    if let passed = call.passed {
      passed.path.append(to: &target)
      return call.appendQuery(to: &target)
    }
    switch call.operation {
    case .countTokens: target.append("/v1/messages/count_tokens")
    case .messages: target.append("/v1/messages")
    default:
      target.append("/v1")
      target.append(OpenAI.path(of: call.operation))
    }
  }

  package static func appendCredential(_ credential: UpstreamCredential, to lines: inout [UInt8]) {
    lines.append("authorization: Bearer ")
    lines.append(contentsOf: credential.secret.utf8)
    lines.append("\r\n")
  }

  package static func probe(_ options: ProviderOptions) -> ProbeCall { ProbeCall(LocalServerKind(options).probe) }
}
