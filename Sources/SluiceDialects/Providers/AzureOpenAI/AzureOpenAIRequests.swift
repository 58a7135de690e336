/// Azure OpenAI: OpenAI's protocol below deployments of a resource of one's own. What is not here is as in `OpenAI`.
package enum AzureOpenAI: ProviderKnowledge {
  package static let surface: Surface? = .openai
  /// The resource's endpoint, as the SDK wants it: without `/openai`.
  package static let defaultBaseURL = "https://{resource}.openai.azure.com"

  package static let environment = ProviderEnvironment(
    keys: ["AZURE_OPENAI_API_KEY"], bearerTokens: ["AZURE_OPENAI_AD_TOKEN"], baseURL: "AZURE_OPENAI_ENDPOINT",
    options: ["api_version": "OPENAI_API_VERSION"])

  /// The newest dated version that is not a preview.
  static let defaultVersion = "2024-10-21"

  package static let options = [
    ProviderOption("resource", .text, "The resource's name, where `base_url` is not given."),
    ProviderOption(
      "style", .choice(["deployments", "v1"]),
      "Whether the deployment stands in the path with a dated version, or in the body below `/openai/v1`.",
      standard: "deployments"),
    ProviderOption(
      "api_version", .text, "The dated API version of the `deployments` style, else \(defaultVersion)."),
    ProviderOption(
      "deployments", .textMap, "Deployments by model name; a model that is not listed is its own deployment."),
  ]

  package static func speaks(_ operation: Operation, _ options: ProviderOptions) -> Bool {
    OpenAI.speaks(operation, options)
  }

  package static func operation(
    for task: Operation.Purpose, streams: Bool, _ options: ProviderOptions
  ) -> Operation? {
    OpenAI.operation(for: task, streams: streams, options)
  }

  package static func upstreamModel(_ model: String, _ options: ProviderOptions) -> String {
    options[map: "deployments"][model] ?? model
  }

  /// People copy the endpoint with and without the part that is added here.
  package static func adjustBase(_ target: inout [UInt8]) {
    target.removeSuffix("/v1")
    target.removeSuffix("/openai")
  }

  package static func appendTarget(_ call: UpstreamCall, _ options: ProviderOptions, to target: inout [UInt8]) {
    let isDated = options[text: "style"] != "v1"
    if let path = call.passed?.path, path.hasPrefix("/openai/") {
      path.append(to: &target)
      return call.appendQuery(to: &target)
    }
    target.append(isDated ? "/openai" : "/openai/v1")
    if isDated, isBelowDeployment(call.operation) {
      target.append("/deployments/")
      PercentText.append(upstreamModel(call.model, options), to: &target)
    }
    if let path = call.passed?.path {
      (path.hasPrefix("/v1/") ? path.suffix(from: 3) : path).append(to: &target)
    } else {
      target.append(OpenAI.path(of: call.operation))
    }
    call.appendQuery(to: &target)
    guard isDated, !namesVersion(call) else { return }
    target.append(call.passed?.query?.isEmpty == false ? "&api-version=" : "?api-version=")
    PercentText.append(options[text: "api_version"] ?? defaultVersion, to: &target)
  }

  private static func isBelowDeployment(_ operation: Operation) -> Bool {
    operation == .chat || operation == .completions || operation == .embeddings
  }

  private static func namesVersion(_ call: UpstreamCall) -> Bool {
    call.passed?.query?.containsIgnoringCase("api-version=") ?? false
  }

  package static func appendCredential(_ credential: UpstreamCredential, to lines: inout [UInt8]) {
    switch credential.kind {
    case .key: lines.append("api-key: ")
    case .bearer: lines.append("authorization: Bearer ")
    }
    lines.append(contentsOf: credential.secret.utf8)
    lines.append("\r\n")
  }
}
