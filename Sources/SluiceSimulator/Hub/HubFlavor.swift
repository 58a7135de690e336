import SluiceDialects

/// What is particular to one provider that is simulated through the product's wire formats: its errors, limits, lists
/// and ids. Shapes are those of the providers' documentation and of what their SDKs accept.
struct HubFlavor {
  let provider: ProviderCall.Provider
  let models: [String]
  let limits: SimulatorLimits

  init(_ provider: ProviderCall.Provider, _ options: SimulatorOptions) {
    self.provider = provider
    models = options.models ?? Self.models(provider)
    limits = options.limits(of: provider)
  }

  var idRule: HubAnswer.IDRule {
    switch provider {
    case .mistral: .nineCharacters
    case .bedrock: .prefixed("tooluse_")
    case .anthropic: .prefixed("toolu_")
    default: .prefixed("call_")
    }
  }

  private static func models(_ provider: ProviderCall.Provider) -> [String] {
    switch provider {
    case .openai, .anthropic: []
    case .azureOpenAI: ["gpt-4o", "gpt-5.4-mini", "text-embedding-3-small"]
    case .gemini: ["gemini-2.5-pro", "gemini-2.5-flash", "gemini-2.5-flash-lite", "gemini-embedding-001"]
    case .cohere: ["command-a-03-2025", "command-r7b-12-2024", "embed-english-v3.0", "rerank-v3.5"]
    case .mistral: ["mistral-large-latest", "mistral-small-latest", "codestral-latest", "mistral-embed"]
    case .huggingface: ["meta-llama/Llama-3.3-70B-Instruct", "Qwen/Qwen3-32B"]
    case .local: ["llama3.1", "qwen3", "nomic-embed-text"]
    case .bedrock:
      [
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "amazon.nova-pro-v1:0", "amazon.titan-embed-text-v2:0",
        "cohere.embed-english-v3",
      ]
    }
  }

  /// `GET` of the model list, in the provider's shape.
  func list() -> JSONValue {
    switch provider {
    case .gemini:
      .of([
        "models": .array(
          models.map { name in
            .of([
              "name": .string("models/\(name)"), "displayName": .string(name), "inputTokenLimit": .int(1_048_576),
              "outputTokenLimit": .int(65_536),
              "supportedGenerationMethods": .array([.string("generateContent"), .string("countTokens")]),
            ])
          })
      ])
    case .cohere:
      .of([
        "models": .array(
          models.map { name in
            .of([
              "name": .string(name), "endpoints": .array([.string("chat")]), "context_length": .int(256_000),
              "finetuned": .bool(false),
            ])
          })
      ])
    case .bedrock:
      .of([
        "modelSummaries": .array(
          models.map { .of(["modelId": .string($0), "modelArn": .string("arn:aws:bedrock:us-east-1::\($0)")]) })
      ])
    case .mistral:
      .of([
        "object": .string("list"),
        "data": .array(
          models.map { name in
            .of([
              "id": .string(name), "object": .string("model"), "created": .int(1_783_000_000),
              "owned_by": .string("mistralai"), "max_context_length": .int(131_072),
              "capabilities": .of(["completion_chat": .bool(true), "function_calling": .bool(true)]),
            ])
          }),
      ])
    default:
      .of([
        "object": .string("list"),
        "data": .array(
          models.map { name in
            .of([
              "id": .string(name), "object": .string("model"), "created": .int(1_783_000_000),
              "owned_by": .string("simulator"),
            ])
          }),
      ])
    }
  }
}

extension JSONValue {
  /// An object of these members, in the order of their names.
  static func of(_ members: KeyValuePairs<String, JSONValue>) -> JSONValue {
    .object(members.map { JSONMember(name: $0.key, value: $0.value) })
  }
}
