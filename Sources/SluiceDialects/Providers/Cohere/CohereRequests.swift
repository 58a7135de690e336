/// Cohere: how requests are addressed and signed.
package enum Cohere: ProviderKnowledge {
  package static let surface: Surface? = .cohere
  package static let defaultBaseURL = "https://api.cohere.com"

  package static let environment = ProviderEnvironment(keys: ["CO_API_KEY", "COHERE_API_KEY"], baseURL: "CO_API_URL")

  package static let options: [ProviderOption] = [
    ProviderOption(
      "input_type", .choice(["search_document", "search_query", "classification", "clustering"]),
      "What embeddings are for when a client's protocol cannot say it.", standard: defaultInputType)
  ]

  static let defaultInputType = "search_document"

  package static func speaks(_ operation: Operation, _ options: ProviderOptions) -> Bool {
    switch operation {
    case .cohereChat, .cohereEmbed, .rerank, .native: true
    default: false
    }
  }

  package static func operation(
    for task: Operation.Purpose, streams: Bool, _ options: ProviderOptions
  ) -> Operation? {
    switch task {
    case .chat: .cohereChat
    case .embeddings: .cohereEmbed
    case .tokenCount: nil
    }
  }

  package static func appendTarget(_ call: UpstreamCall, _ options: ProviderOptions, to target: inout [UInt8]) {
    if let passed = call.passed {
      passed.path.append(to: &target)
      call.appendQuery(to: &target)
      return
    }
    switch call.operation {
    case .cohereEmbed: target.append("/v2/embed")
    case .rerank: target.append("/v2/rerank")
    case .models: target.append("/v1/models?page_size=1000")
    default: target.append("/v2/chat")
    }
  }

  package static func appendCredential(_ credential: UpstreamCredential, to lines: inout [UInt8]) {
    lines.append("authorization: Bearer ")
    lines.append(contentsOf: credential.secret.utf8)
    lines.append("\r\n")
  }
}
