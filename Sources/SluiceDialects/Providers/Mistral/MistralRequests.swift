/// Mistral: shaped like OpenAI, but strict about fields it does not know, so OpenAI's clients are translated. Its own
/// clients' fill-in-the-middle completions are passed on.
package enum Mistral: ProviderKnowledge {
  package static let surface: Surface? = nil
  package static let defaultBaseURL = "https://api.mistral.ai"
  package static let environment = ProviderEnvironment(keys: ["MISTRAL_API_KEY"])

  package static let options = [
    ProviderOption(
      "residency", .choice(["eu", "us"]),
      "Where requests may be processed; only that region's host is used, and another `base_url` is refused.")
  ]

  package static func standardBaseURL(_ options: ProviderOptions) -> String {
    options[text: "residency"].map { "https://\(host($0))" } ?? defaultBaseURL
  }

  package static func refusal(host: String, _ options: ProviderOptions) -> String? {
    guard let residency = options[text: "residency"], host != self.host(residency) else { return nil }
    return "residency '\(residency)' allows the host \(self.host(residency)) only"
  }

  private static func host(_ residency: String) -> String { "api.\(residency).mistral.ai" }

  package static func speaks(_ operation: Operation, _ options: ProviderOptions) -> Bool {
    switch operation {
    case .fillInMiddle, .models, .model, .native: true
    default: false
    }
  }

  package static func operation(
    for task: Operation.Purpose, streams: Bool, _ options: ProviderOptions
  ) -> Operation? {
    OpenAI.operation(for: task, streams: streams, options)
  }

  /// The SDK's paths hold `/v1`, its base URL does not.
  package static func adjustBase(_ target: inout [UInt8]) { target.removeSuffix("/v1") }

  package static func appendTarget(_ call: UpstreamCall, _ options: ProviderOptions, to target: inout [UInt8]) {
    if let passed = call.passed {
      passed.path.append(to: &target)
      return call.appendQuery(to: &target)
    }
    target.append("/v1")
    target.append(call.operation == .fillInMiddle ? "/fim/completions" : OpenAI.path(of: call.operation))
  }

  package static func appendCredential(_ credential: UpstreamCredential, to lines: inout [UInt8]) {
    lines.append("authorization: Bearer ")
    lines.append(contentsOf: credential.secret.utf8)
    lines.append("\r\n")
  }

  /// `GET /v1/models` costs no tokens and proves name, TLS and key.
  package static func probe(_ options: ProviderOptions) -> ProbeCall { ProbeCall("/v1/models") }
}
