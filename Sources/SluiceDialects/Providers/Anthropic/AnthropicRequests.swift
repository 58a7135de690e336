/// Anthropic: how requests are addressed and signed.
package enum Anthropic: ProviderKnowledge {
  package static let surface: Surface? = .anthropic
  package static let defaultBaseURL = "https://api.anthropic.com"

  package static let environment = ProviderEnvironment(
    keys: ["ANTHROPIC_API_KEY"], bearerTokens: ["ANTHROPIC_AUTH_TOKEN"], baseURL: "ANTHROPIC_BASE_URL")

  /// The version for clients that name none (plain `curl`). The older of the two known ones: it takes every field the
  /// newer one takes, and the sampling parameters besides.
  static let defaultVersion = "2023-06-01"
  static let currentVersion = "2026-10-21"

  package static let options = [
    ProviderOption(
      "version", .choice([defaultVersion, currentVersion]),
      "`anthropic-version` for clients that name none and for translated requests; the newer one takes no sampling "
        + "parameters.", standard: defaultVersion)
  ]

  /// Whom the request goes to knows the newer version's rules: adaptive thinking, system messages anywhere, no half
  /// answers at the end. Models that take no sampling parameters follow them under either version.
  static func isCurrent(_ target: ChatTarget) -> Bool {
    target.options[text: "version"] == currentVersion || target.facts.acceptsSampling == false
  }

  /// The version header decides whether `temperature` and its like may be sent, and so does the model.
  static func takesSampling(_ target: ChatTarget) -> Bool { !isCurrent(target) }

  package static func speaks(_ operation: Operation, _ options: ProviderOptions) -> Bool {
    switch operation {
    case .messages, .countTokens, .models, .model, .native: true
    default: false
    }
  }

  package static func operation(
    for task: Operation.Purpose, streams: Bool, _ options: ProviderOptions
  ) -> Operation? {
    switch task {
    case .chat: .messages
    case .tokenCount: .countTokens
    case .embeddings: nil
    }
  }

  /// The base URL has no `/v1`; the SDK's paths do.
  package static func appendTarget(_ call: UpstreamCall, _ options: ProviderOptions, to target: inout [UInt8]) {
    if let passed = call.passed {
      passed.path.append(to: &target)
      call.appendQuery(to: &target)
      return
    }
    switch call.operation {
    case .countTokens: target.append("/v1/messages/count_tokens")
    case .models: target.append("/v1/models?limit=1000")
    default: target.append("/v1/messages")
    }
  }

  package static func appendCredential(_ credential: UpstreamCredential, to lines: inout [UInt8]) {
    switch credential.kind {
    case .key: lines.append("x-api-key: ")
    case .bearer: lines.append("authorization: Bearer ")
    }
    lines.append(contentsOf: credential.secret.utf8)
    lines.append("\r\n")
  }

  package static func appendMissingHeaders(
    client: HeaderView, _ call: UpstreamCall, _ options: ProviderOptions, to head: inout [UInt8]
  ) {
    guard !client.contains(.anthropicVersion) else { return }
    head.append("anthropic-version: ")
    head.append(contentsOf: (options[text: "version"] ?? defaultVersion).utf8)
    head.append("\r\n")
  }
}
