/// The protocol a client speaks to the gateway.
package enum Surface: UInt8, CaseIterable, Hashable, Sendable {
  case openai, anthropic

  /// Short and stable: metrics, logs, configuration.
  package var label: String {
    switch self {
    case .openai: "openai"
    case .anthropic: "anthropic"
    }
  }
}

/// What a request asks for, by path and method; the same word whichever provider will answer it.
package enum Operation: UInt8, CaseIterable, Hashable, Sendable {
  case chat, completions, embeddings
  case responses, inputTokens, compactResponse, readResponse, deleteResponse, cancelResponse
  case messages, countTokens
  case models, model

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
    case .messages: "messages"
    case .countTokens: "count_tokens"
    case .models: "models"
    case .model: "model"
    }
  }

  /// The request carries a JSON body whose `model` decides where it goes.
  package var hasModelInBody: Bool {
    switch self {
    case .chat, .completions, .embeddings, .responses, .inputTokens, .compactResponse, .messages, .countTokens: true
    case .readResponse, .deleteResponse, .cancelResponse, .models, .model: false
    }
  }

  /// The answer may be an event stream when the body says `"stream": true`.
  package var mayStream: Bool {
    switch self {
    case .chat, .completions, .responses, .messages: true
    default: false
    }
  }

  /// The path names a response that one account stored: only the endpoint that stored it can answer.
  package var namesStoredResponse: Bool {
    switch self {
    case .readResponse, .deleteResponse, .cancelResponse: true
    default: false
    }
  }

  /// The answer costs nothing and changes nothing at the provider, so that sending it twice is harmless.
  package var isIdempotent: Bool {
    switch self {
    case .models, .model, .readResponse, .countTokens, .inputTokens: true
    default: false
    }
  }
}
