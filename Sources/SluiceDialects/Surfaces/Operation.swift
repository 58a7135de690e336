/// What a request asks for, by path and method; the same word whichever provider will answer it.
package enum Operation: UInt8, CaseIterable, Hashable, Sendable {
  // OpenAI
  case chat, completions, embeddings
  case responses, inputTokens, compactResponse, readResponse, deleteResponse, cancelResponse, inputItems
  // Anthropic
  case messages, countTokens
  // Gemini
  case generateContent, streamGenerateContent, streamGenerateArray, embedContent, batchEmbedContents, geminiCountTokens
  // Cohere
  case cohereChat, cohereEmbed, rerank
  // Ollama
  case ollamaChat, ollamaGenerate, ollamaEmbed
  // Bedrock runtime
  case converse, converseStream, invoke, invokeStream, bedrockCountTokens
  // Lists
  case models, model, ollamaTags, ollamaVersion
  /// Mistral's fill-in-the-middle completions; they are passed through only.
  case fillInMiddle
  /// TGI's own `/generate` and `/generate_stream`; below `/pools/{pool}/` only, since they name no model.
  case tgiGenerate
  /// Anything else below `/pools/{pool}/`.
  case native

  package var label: String {
    switch self {
    case .chat: "chat"
    case .completions: "completions"
    case .embeddings: "embeddings"
    case .responses: "responses"
    case .inputTokens: "input_tokens"
    case .compactResponse: "compact_response"
    case .readResponse: "read_response"
    case .deleteResponse: "delete_response"
    case .cancelResponse: "cancel_response"
    case .inputItems: "input_items"
    case .messages: "messages"
    case .countTokens: "count_tokens"
    case .generateContent: "generate_content"
    case .streamGenerateContent: "stream_generate_content"
    case .streamGenerateArray: "stream_generate_array"
    case .embedContent: "embed_content"
    case .batchEmbedContents: "batch_embed_contents"
    case .geminiCountTokens: "gemini_count_tokens"
    case .cohereChat: "cohere_chat"
    case .cohereEmbed: "cohere_embed"
    case .rerank: "rerank"
    case .ollamaChat: "ollama_chat"
    case .ollamaGenerate: "ollama_generate"
    case .ollamaEmbed: "ollama_embed"
    case .converse: "converse"
    case .converseStream: "converse_stream"
    case .invoke: "invoke"
    case .invokeStream: "invoke_stream"
    case .bedrockCountTokens: "bedrock_count_tokens"
    case .models: "models"
    case .model: "model"
    case .ollamaTags: "ollama_tags"
    case .ollamaVersion: "ollama_version"
    case .fillInMiddle: "fim"
    case .tgiGenerate: "tgi_generate"
    case .native: "native"
    }
  }

  /// What the request is about, whatever the protocol: the hub that translation goes through. Nothing: it can only be
  /// passed through.
  package var task: Purpose? {
    switch self {
    case .chat, .completions, .responses, .messages, .generateContent, .streamGenerateContent,
      .streamGenerateArray, .cohereChat, .ollamaChat, .ollamaGenerate, .converse, .converseStream, .invoke,
      .invokeStream:
      .chat
    case .embeddings, .embedContent, .batchEmbedContents, .cohereEmbed, .ollamaEmbed: .embeddings
    case .countTokens, .inputTokens, .geminiCountTokens, .bedrockCountTokens: .tokenCount
    default: nil
    }
  }

  package enum Purpose: UInt8, Hashable, Sendable { case chat, embeddings, tokenCount }

  /// The request carries a JSON body whose `model` decides where it goes.
  package var hasModelInBody: Bool {
    switch self {
    case .chat, .completions, .embeddings, .responses, .inputTokens, .compactResponse, .messages, .countTokens,
      .cohereChat, .cohereEmbed, .rerank, .ollamaChat, .ollamaGenerate, .ollamaEmbed, .fillInMiddle:
      true
    default: false
    }
  }

  /// The path holds the model's name.
  package var hasModelInPath: Bool {
    switch self {
    case .generateContent, .streamGenerateContent, .streamGenerateArray, .embedContent, .batchEmbedContents,
      .geminiCountTokens, .converse, .converseStream, .invoke, .invokeStream, .bedrockCountTokens:
      true
    default: false
    }
  }

  /// How a request asks for a stream.
  package enum Streaming: UInt8, Hashable, Sendable {
    /// `"stream": true` in the body.
    case bodyFlag
    /// As `bodyFlag`, but a body that says nothing means yes (Ollama).
    case bodyFlagUnlessFalse
    case always
    case never
  }

  package var streaming: Streaming {
    switch self {
    case .chat, .completions, .responses, .messages, .cohereChat, .fillInMiddle: .bodyFlag
    case .ollamaChat, .ollamaGenerate: .bodyFlagUnlessFalse
    case .streamGenerateContent, .streamGenerateArray, .converseStream, .invokeStream: .always
    default: .never
    }
  }

  /// Whether a request asks for a stream.
  ///
  /// - Parameter flag: `stream` of the body.
  package func streams(_ flag: Bool?) -> Bool {
    switch streaming {
    case .always: true
    case .never: false
    case .bodyFlag: flag == true
    case .bodyFlagUnlessFalse: flag != false
    }
  }

  /// The path names a response that one account stored: only the endpoint that stored it can answer.
  package var namesStoredResponse: Bool {
    switch self {
    case .readResponse, .deleteResponse, .cancelResponse, .inputItems: true
    default: false
    }
  }

  /// The body may name an earlier response to go on from, which only the account that stored it has.
  package var mayContinueResponse: Bool {
    switch self {
    case .responses, .inputTokens, .compactResponse: true
    default: false
    }
  }

  /// The answer costs nothing and changes nothing at the provider, so that sending it twice is harmless.
  package var isIdempotent: Bool {
    switch self {
    case .models, .model, .readResponse, .inputItems, .countTokens, .inputTokens, .geminiCountTokens,
      .bedrockCountTokens,
      .ollamaTags, .ollamaVersion:
      true
    default: false
    }
  }
}
