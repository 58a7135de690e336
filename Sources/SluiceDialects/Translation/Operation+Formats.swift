/// The wire formats behind operations, whichever side speaks them.
extension Operation {
  package var chatFormat: (any ChatFormat.Type)? {
    switch self {
    case .generateContent, .streamGenerateContent: GeminiChat.self
    case .cohereChat: CohereChat.self
    case .converse, .converseStream: ConverseChat.self
    case .ollamaChat: OllamaChat.self
    case .ollamaGenerate: OllamaGenerate.self
    default: nil
    }
  }

  package var embeddingFormat: (any EmbeddingFormat.Type)? {
    switch self {
    case .embedContent, .batchEmbedContents: GeminiEmbeddings.self
    case .cohereEmbed: CohereEmbeddings.self
    case .ollamaEmbed: OllamaEmbeddings.self
    default: nil
    }
  }
}
