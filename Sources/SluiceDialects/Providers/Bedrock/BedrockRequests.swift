/// Amazon Bedrock's runtime: how requests are addressed and signed.
package enum Bedrock: ProviderKnowledge {
  package static let surface: Surface? = .bedrock
  package static let defaultBaseURL = "https://bedrock-runtime.{region}.amazonaws.com"

  /// Access keys stand in two variables each, see `AWSCredentialPlan`.
  package static let environment = ProviderEnvironment(
    keys: [], bearerTokens: ["AWS_BEARER_TOKEN_BEDROCK"], baseURL: "AWS_ENDPOINT_URL_BEDROCK_RUNTIME")

  package static let options: [ProviderOption] = [
    ProviderOption(
      "region", .text, "The AWS region: part of the default host, and of signatures where the host does not name it.",
      standard: defaultRegion),
    ProviderOption("access_key_id", .secret, "The access key's id, in place of `keys`."),
    ProviderOption("secret_access_key", .secret, "The access key's secret."),
    ProviderOption("session_token", .secret, "The session token of temporary credentials."),
    ProviderOption(
      "profile", .text,
      "The profile of AWS's shared files that the credentials come from, whatever the environment says."),
    ProviderOption(
      "input_type", .choice(["search_document", "search_query", "classification", "clustering"]),
      "What embeddings of Cohere's models are for, where the client cannot say it.", standard: Cohere.defaultInputType),
  ]

  static let defaultRegion = "us-east-1"

  /// The list is the control plane's, at another host.
  package static let listsModels = false

  package static func region(_ options: ProviderOptions) -> String { options[text: "region"] ?? defaultRegion }

  package static func speaks(_ operation: Operation, _ options: ProviderOptions) -> Bool {
    switch operation {
    case .converse, .converseStream, .invoke, .invokeStream, .bedrockCountTokens, .native: true
    default: false
    }
  }

  package static func operation(
    for task: Operation.Purpose, streams: Bool, _ options: ProviderOptions
  ) -> Operation? {
    switch task {
    case .chat: streams ? .converseStream : .converse
    case .embeddings: .invoke
    case .tokenCount: .bedrockCountTokens
    }
  }

  package static func framing(_ operation: Operation) -> StreamFraming { .awsEventStream }

  /// The model's id is encoded fully: it may be an ARN with slashes.
  package static func appendTarget(_ call: UpstreamCall, _ options: ProviderOptions, to target: inout [UInt8]) {
    if let passed = call.passed, passed.keepsModel || method(of: call.operation) == nil {
      passed.path.append(to: &target)
    } else {
      target.append("/model/")
      PercentText.append(call.model, to: &target)
      target.append(method(of: call.operation) ?? "/converse")
    }
    call.appendQuery(to: &target)
  }

  private static func method(of operation: Operation) -> StaticString? {
    switch operation {
    case .converse: "/converse"
    case .converseStream: "/converse-stream"
    case .invoke: "/invoke"
    case .invokeStream: "/invoke-with-response-stream"
    case .bedrockCountTokens: "/count-tokens"
    default: nil
    }
  }

  /// API keys and tokens are sent as they are; access keys sign, see `signer`.
  package static func appendCredential(_ credential: UpstreamCredential, to lines: inout [UInt8]) {
    guard accessKey(credential) == nil else { return }
    lines.append("authorization: Bearer ")
    lines.append(contentsOf: credential.secret.utf8)
    lines.append("\r\n")
  }

  package static func signer(_ credential: UpstreamCredential, _ options: ProviderOptions) -> RequestSigner? {
    accessKey(credential).map { RequestSigner(desk: FixedSigningDesk($0), region: region(options)) }
  }

  /// The access key in a key of the configuration; nothing for keys that are sent themselves.
  package static func accessKey(_ credential: UpstreamCredential) -> AWSCredentials? {
    credential.kind == .key ? AWSCredentials(text: credential.secret) : nil
  }
}
