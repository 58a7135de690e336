/// A protocol family of language-model providers, by the name used in configuration files.
public enum Provider: String, CaseIterable, Hashable, Sendable {
  case openai
  case azureOpenAI = "azure_openai"
  case anthropic
  case gemini
  case cohere
  case mistral
  case huggingface
  case local
  case bedrock

  /// The providers that this version can talk to.
  public static let implemented = allCases.filter(\.isImplemented)

  /// Whether this version can talk to the provider; the others are known by name only, so that a configuration file
  /// gets a precise answer instead of "unknown".
  public var isImplemented: Bool { knowledge != nil }

  /// What is known about the provider's protocol.
  var knowledge: (any ProviderKnowledge.Type)? {
    switch self {
    case .openai: OpenAI.self
    case .anthropic: Anthropic.self
    case .gemini: Gemini.self
    case .cohere: Cohere.self
    case .bedrock: Bedrock.self
    case .azureOpenAI: AzureOpenAI.self
    case .mistral: Mistral.self
    case .huggingface: HuggingFace.self
    case .local: Local.self
    }
  }

  /// What may stand below `options:` of a pool of this provider.
  package var options: [ProviderOption] { knowledge?.options ?? [] }

  /// How people write the name.
  public var displayName: String {
    switch self {
    case .openai: "OpenAI"
    case .azureOpenAI: "Azure OpenAI"
    case .anthropic: "Anthropic"
    case .gemini: "Gemini"
    case .cohere: "Cohere"
    case .mistral: "Mistral"
    case .huggingface: "Hugging Face"
    case .local: "Local"
    case .bedrock: "Amazon Bedrock"
    }
  }
}

/// Why a provider name cannot be used.
package struct UnsupportedProvider: Error, Hashable, Sendable, CustomStringConvertible {
  package var name: String
  package var isKnown: Bool

  package var description: String {
    let usable = Provider.implemented.map(\.rawValue).joined(separator: ", ")
    return isKnown
      ? "provider '\(name)' is not in this version; use one of: \(usable)"
      : "unknown provider '\(name)'; use one of: \(usable)"
  }
}
