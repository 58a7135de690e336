/// Gemini: how requests are addressed and signed.
package enum Gemini: ProviderKnowledge {
  package static let surface: Surface? = .gemini
  package static let defaultBaseURL = "https://generativelanguage.googleapis.com"

  package static let environment = ProviderEnvironment(
    keys: ["GOOGLE_API_KEY", "GEMINI_API_KEY"], baseURL: "GOOGLE_GEMINI_BASE_URL",
    options: ["api_version": "GOOGLE_GENAI_API_VERSION"])

  package static let options: [ProviderOption] = [
    ProviderOption(
      "api_version", .text, "Version segment of the paths of translated requests and of the probe.",
      standard: defaultVersion),
    ProviderOption(
      "safety_settings", .textMap,
      "Harm categories to thresholds for requests that bring none; for example `harassment: BLOCK_NONE`."),
  ]

  /// Preview features and many request fields exist only there.
  static let defaultVersion = "v1beta"

  /// The SDK's environment calls the preview `beta`.
  static func version(_ options: ProviderOptions) -> String {
    guard let version = options[text: "api_version"], version != "beta" else { return defaultVersion }
    return version
  }

  package static func speaks(_ operation: Operation, _ options: ProviderOptions) -> Bool {
    switch operation {
    case .generateContent, .streamGenerateContent, .streamGenerateArray, .embedContent, .batchEmbedContents,
      .geminiCountTokens, .models, .model, .native:
      true
    default: false
    }
  }

  package static func operation(
    for task: Operation.Purpose, streams: Bool, _ options: ProviderOptions
  ) -> Operation? {
    switch task {
    case .chat: streams ? .streamGenerateContent : .generateContent
    case .embeddings: .batchEmbedContents
    case .tokenCount: .geminiCountTokens
    }
  }

  package static func appendTarget(_ call: UpstreamCall, _ options: ProviderOptions, to target: inout [UInt8]) {
    if let passed = call.passed, passed.keepsModel || method(of: call.operation) == nil {
      passed.path.append(to: &target)
    } else {
      appendPath(call, options, to: &target)
    }
    if call.passed == nil {
      if call.operation == .streamGenerateContent { target.append("?alt=sse") }
      if call.operation == .models { target.append("?pageSize=1000") }
    } else {
      // Google's own place for a key: the client's is for the gateway.
      call.appendQuery(dropsKey: true, to: &target)
    }
  }

  private static let safetyPaths = JSONPathSet(["safetySettings", "safety_settings"])

  /// `safety_settings`, unless the client has its own.
  package static func addition(
    to body: ByteSlice, _ fields: RequestFields, _ operation: Operation, _ options: ProviderOptions
  ) -> BodySplice? {
    switch operation {
    case .generateContent, .streamGenerateContent, .streamGenerateArray: break
    default: return nil
    }
    guard !options[map: "safety_settings"].isEmpty,
      unsafe JSONPathReader.first(body.raw, safetyPaths).allSatisfy({ $0 == nil })
    else { return nil }
    var settings: [UInt8] = []
    GeminiChat.safetySettings(options).append(to: &settings)
    return .member("safetySettings", json: settings, into: fields)
  }

  private static func appendPath(_ call: UpstreamCall, _ options: ProviderOptions, to target: inout [UInt8]) {
    target.append(Ascii.slash)
    if let path = call.passed?.path, let end = path.firstIndex(of: Ascii.slash, from: 1) {
      path[1..<end].append(to: &target)
    } else {
      PercentText.append(version(options), to: &target)
    }
    target.append(Ascii.slash)
    guard let method = method(of: call.operation) else { return target.append("models") }
    // Tuned models have a collection of their own in front.
    if !call.model.utf8.contains(Ascii.slash) { target.append("models/") }
    PercentText.append(call.model, keepsSlash: true, to: &target)
    target.append(Ascii.colon)
    target.append(method)
  }

  private static func method(of operation: Operation) -> StaticString? {
    switch operation {
    case .generateContent: "generateContent"
    case .streamGenerateContent, .streamGenerateArray: "streamGenerateContent"
    case .embedContent: "embedContent"
    case .batchEmbedContents: "batchEmbedContents"
    case .geminiCountTokens: "countTokens"
    default: nil
    }
  }

  package static func appendCredential(_ credential: UpstreamCredential, to lines: inout [UInt8]) {
    switch credential.kind {
    case .key: lines.append("x-goog-api-key: ")
    case .bearer: lines.append("authorization: Bearer ")
    }
    lines.append(contentsOf: credential.secret.utf8)
    lines.append("\r\n")
    guard credential.kind == .bearer, let project = credential.project, !project.isEmpty else { return }
    lines.append("x-goog-user-project: ")
    lines.append(contentsOf: project.utf8)
    lines.append("\r\n")
  }
}
