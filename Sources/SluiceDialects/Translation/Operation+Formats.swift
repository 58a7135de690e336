/// The wire formats behind operations, whichever side speaks them.
extension Operation {
  /// What clients of the operation speak.
  package var chatFormat: (any ChatClientFormat.Type)? {
    switch self {
    case .chat: OpenAIChat.self
    case .completions: OpenAICompletions.self
    case .responses: ResponsesChat.self
    case .messages: AnthropicChat.self
    case .generateContent, .streamGenerateContent, .streamGenerateArray: GeminiChat.self
    case .cohereChat: CohereChat.self
    case .converse, .converseStream: ConverseChat.self
    case .invoke, .invokeStream: BedrockInvoke.self
    case .ollamaChat: OllamaChat.self
    case .ollamaGenerate: OllamaGenerate.self
    default: nil
    }
  }

  /// What providers that answer the operation speak; most formats are spoken by both sides.
  package var providerChatFormat: (any ChatProviderFormat.Type)? { chatFormat as? any ChatProviderFormat.Type }

  package var embeddingFormat: (any EmbeddingFormat.Type)? {
    switch self {
    case .embeddings: OpenAIEmbeddings.self
    case .embedContent, .batchEmbedContents: GeminiEmbeddings.self
    case .cohereEmbed: CohereEmbeddings.self
    case .ollamaEmbed: OllamaEmbeddings.self
    // Of a provider only: Bedrock's clients ask for chat and embeddings by the same operation.
    case .invoke: BedrockEmbeddings.self
    default: nil
    }
  }
}
