/// The protocol a client speaks to the gateway.
package enum Surface: UInt8, CaseIterable, Hashable, Sendable {
  case openai, anthropic, gemini, cohere, ollama, bedrock

  /// Short and stable: metrics, logs, configuration.
  package var label: String {
    switch self {
    case .openai: "openai"
    case .anthropic: "anthropic"
    case .gemini: "gemini"
    case .cohere: "cohere"
    case .ollama: "ollama"
    case .bedrock: "bedrock"
    }
  }

  /// What its clients mostly ask for.
  package var chat: Operation {
    switch self {
    case .openai: .chat
    case .anthropic: .messages
    case .gemini: .generateContent
    case .cohere: .cohereChat
    case .ollama: .ollamaChat
    case .bedrock: .converse
    }
  }
}
