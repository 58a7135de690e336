/// Hugging Face: the router in front of many providers, and dedicated endpoints that run TGI. Both speak OpenAI's chat
/// completions.
package enum HuggingFace: ProviderKnowledge {
  package static let surface: Surface? = .openai
  package static let defaultBaseURL = "https://router.huggingface.co/v1"

  package static let environment = ProviderEnvironment(
    keys: ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"], baseURL: "HF_INFERENCE_ENDPOINT")

  package static let options = [
    ProviderOption(
      "endpoint", .choice(["router", "tgi"]), "What answers at `base_url`: the router, or a dedicated TGI endpoint.",
      standard: "router"),
    ProviderOption("bill_to", .text, "The organisation that pays, as `x-hf-bill-to`."),
  ]

  static func isTGI(_ options: ProviderOptions) -> Bool { options[text: "endpoint"] == "tgi" }

  package static func speaks(_ operation: Operation, _ options: ProviderOptions) -> Bool {
    switch operation {
    case .chat, .models, .native: true
    case .completions: isTGI(options)
    default: false
    }
  }

  package static func operation(
    for task: Operation.Purpose, streams: Bool, _ options: ProviderOptions
  ) -> Operation? {
    task == .chat ? .chat : nil
  }

  /// The base URL may hold `/v1` or not: it is added with the path.
  package static func adjustBase(_ target: inout [UInt8]) { target.removeSuffix("/v1") }

  package static func appendTarget(_ call: UpstreamCall, _ options: ProviderOptions, to target: inout [UInt8]) {
    if let passed = call.passed {
      passed.path.append(to: &target)
      return call.appendQuery(to: &target)
    }
    target.append("/v1")
    target.append(OpenAI.path(of: call.operation))
  }

  package static func appendCredential(_ credential: UpstreamCredential, to lines: inout [UInt8]) {
    lines.append("authorization: Bearer ")
    lines.append(contentsOf: credential.secret.utf8)
    lines.append("\r\n")
  }

  package static func appendMissingHeaders(
    client: HeaderView, _ call: UpstreamCall, _ options: ProviderOptions, to head: inout [UInt8]
  ) {
    guard let payer = options[text: "bill_to"], !isTGI(options) else { return }
    // The value is the operator's, but it still may not end a line.
    guard payer.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return }
    head.append("x-hf-bill-to: ")
    head.append(contentsOf: payer.utf8)
    head.append("\r\n")
  }

  /// The router's list costs nothing; TGI's own health check is open to everybody.
  package static func probe(_ options: ProviderOptions) -> ProbeCall {
    ProbeCall(isTGI(options) ? "/health" : "/v1/models")
  }
}
