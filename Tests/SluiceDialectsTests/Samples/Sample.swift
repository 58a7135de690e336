import SluiceDialects
import SluicePolicy
import Testing

/// One file of the protocol samples, and what it is by its name: `<folder>/<what>.request.json`, `.response.json`,
/// `.response.sse` and the like, `error.<status>….json`, `headers.….txt`.
struct Sample: Sendable, CustomTestStringConvertible {
  enum Kind: Sendable {
    case request
    /// A whole answer with a success status.
    case answer
    case stream
    case error(status: Int)
    case headers
    case models
    /// What a health check answers, with its status.
    case health(status: Int)
    /// The named suite reads it.
    case of(suite: String)
  }

  var path: String
  var provider: Provider
  var dialect: ProviderDialect
  /// The provider's own.
  var operation: SluiceDialects.Operation
  var kind: Kind

  var testDescription: String { path }
  var bytes: [UInt8] { get throws { try Fixture.bytes(path) } }

  /// Folder → provider with its options.
  static let folders: [(name: String, provider: Provider, options: [String: ProviderOptions.Value])] = [
    ("openai", .openai, [:]), ("azure-openai", .azureOpenAI, [:]), ("anthropic", .anthropic, [:]),
    ("gemini", .gemini, [:]), ("cohere", .cohere, [:]), ("mistral", .mistral, [:]),
    ("huggingface", .huggingface, [:]), ("bedrock", .bedrock, ["region": .text("us-east-1")]),
    ("ollama", .local, ["server": .text("ollama")]), ("vllm", .local, ["server": .text("vllm")]),
    ("llamacpp", .local, ["server": .text("llamacpp")]), ("localai", .local, ["server": .text("localai")]),
    ("tgi", .local, ["server": .text("tgi")]),
  ]

  /// Beginnings of names, the longer first.
  private static let operations: [String: [(String, SluiceDialects.Operation)]] = [
    "anthropic": [("count-tokens", .countTokens), ("messages", .messages)],
    "bedrock": [
      ("converse-stream", .converseStream), ("converse", .converse), ("count-tokens", .bedrockCountTokens),
      ("invoke-anthropic-stream", .invokeStream), ("invoke-anthropic", .invoke),
    ],
    "cohere": [
      ("chat", .cohereChat), ("embed", .cohereEmbed), ("rerank", .rerank),
      // Served on the provider's own paths only.
      ("tokenize", .native), ("check-api-key", .native),
    ],
    "gemini": [
      ("batch-embed", .batchEmbedContents), ("count-tokens", .geminiCountTokens), ("generate", .generateContent),
      ("stream", .streamGenerateContent),
    ],
    "ollama": [("chat", .ollamaChat), ("embed", .ollamaEmbed), ("load", .ollamaChat), ("show", .native)],
    "tgi": [("chat", .chat), ("generate", .tgiGenerate)],
    "huggingface": [("router-chat", .chat)],
  ]

  private static let openAI: [(String, SluiceDialects.Operation)] = [
    ("chat", .chat), ("embeddings", .embeddings), ("responses", .responses), ("input-tokens", .inputTokens),
  ]

  /// Files of another nature, with the suite that reads them.
  private static let others: [String: Kind] = [
    "bedrock/sigv4-vectors.json": .of(suite: "BedrockTests"),
    "bedrock/sts-get-caller-identity.request.txt": .of(suite: "SampleTests"),
    "bedrock/sts-get-caller-identity.response.xml": .of(suite: "BedrockTests"),
    "bedrock/sts-error.400.Throttling.xml": .of(suite: "BedrockTests"),
    "bedrock/sts-error.403.ExpiredToken.xml": .of(suite: "BedrockTests"),
    "bedrock/sts-error.403.InvalidClientTokenId.xml": .of(suite: "BedrockTests"),
    "bedrock/sts-error.403.SignatureDoesNotMatch.xml": .of(suite: "BedrockTests"),
    "llamacpp/health.200.json": .health(status: 200), "llamacpp/health.503.json": .health(status: 503),
    "localai/readyz.503.json": .health(status: 503), "localai/version.response.json": .health(status: 200),
    "ollama/version.response.json": .health(status: 200), "ollama/ps.response.json": .health(status: 200),
    "tgi/info.response.json": .health(status: 200), "vllm/version.response.json": .health(status: 200),
    "vllm/load.response.json": .health(status: 200),
    // The gateway writes this list, but asks servers for OpenAI's.
    "ollama/tags.response.json": .of(suite: "SampleTests"),
    "ollama/openai-compat.error.404.json": .error(status: 404),
  ]

  static func all() throws -> [Sample] {
    try folders.flatMap { folder in
      try Fixture.names(folder.name) { _ in true }.map { name in
        try #require(Sample(folder.name, name), "nothing is known about \(folder.name)/\(name), so nothing tests it")
      }
    }
  }

  /// Nothing when the name tells nothing.
  init?(_ folder: String, _ name: String) {
    guard let row = Self.folders.first(where: { $0.name == folder }),
      let dialect = try? ProviderDialect(row.provider, options: ProviderOptions(row.options))
    else { return nil }
    path = "\(folder)/\(name)"
    provider = row.provider
    self.dialect = dialect
    let operations = Self.operations[folder] ?? Self.openAI
    let operation = operations.first { name.hasPrefix($0.0) }?.1
    self.operation = operation ?? .native
    if let other = Self.others[path] {
      kind = other
    } else if let kind = Self.kind(name, isKnown: operation != nil) {
      self.kind = kind
    } else {
      return nil
    }
  }

  private static func kind(_ name: String, isKnown: Bool) -> Kind? {
    let words = name.split(separator: ".").map(String.init)
    switch (words.first, words.last) {
    case ("error", "json"): return words.compactMap { Int($0) }.first.map { .error(status: $0) }
    case ("headers", "txt"): return .headers
    case ("models", "json"), ("router-models", "json"), ("list-foundation-models", "json"): return .models
    // The same messages as the `.bin` of that name, one line each, for people.
    case (_, "hex"): return .of(suite: "EventStreamTests")
    default: break
    }
    guard isKnown else { return nil }
    if name.hasSuffix(".request.json") { return .request }
    if name.hasSuffix(".response.json") { return .answer }
    return ["sse", "ndjson", "bin"].contains(words.last) && name.contains(".response.") ? .stream : nil
  }
}

extension Sample {
  var isRequest: Bool { if case .request = kind { true } else { false } }
  var isAnswer: Bool { if case .answer = kind { true } else { false } }
  var isStream: Bool { if case .stream = kind { true } else { false } }

  /// What a client of the sample's own protocol would call it; the model stands in the path where the body has none.
  func source(_ body: ByteSlice) -> Translation.Source {
    let streams = operation == .converseStream || operation == .streamGenerateContent
    return Translation.Source(operation, body: body, model: "m", streams: streams)
  }

  /// The provider's answers to this are what translation has to read.
  func isTranslated(streams: Bool) -> Bool {
    guard let task = operation.task else { return false }
    return dialect.operation(for: task, streams: streams) == operation
  }
}
