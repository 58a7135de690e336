internal import NIOCore
internal import NIOHTTP1

/// Decides from path and headers which provider a request is for. OpenAI lives under `/v1`, Anthropic under
/// `/v1/messages`; the shared `/v1/models` is Anthropic's when the request carries one of its headers. The prefixes
/// `/openai` and `/anthropic` decide by themselves.
enum ProviderRouter {
  static func route(_ request: SimulatedRequest) -> ProviderCall? {
    var path = request.path
    var provider: ProviderCall.Provider?
    if path.hasPrefix("/openai/") {
      provider = .openai
      path = path.dropFirst("/openai".count)
    } else if path.hasPrefix("/anthropic/") {
      provider = .anthropic
      path = path.dropFirst("/anthropic".count)
    }
    guard path.hasPrefix("/v1/") else { return nil }
    let rest = path.dropFirst("/v1/".count)
    let chosen = provider ?? guess(rest, request)
    let operation = chosen == .openai ? openAIOperation(rest) : anthropicOperation(rest)
    let counted: String =
      switch operation {
      case .unknown: "other"
      case .model: "/v1/models/{model}"
      default: String(path)
      }
    return ProviderCall(
      provider: chosen, operation: operation, countedPath: counted, key: key(chosen, request), request: request)
  }

  private static func guess(_ rest: Substring, _ request: SimulatedRequest) -> ProviderCall.Provider {
    if rest == "messages" || rest.hasPrefix("messages/") { return .anthropic }
    guard rest == "models" || rest.hasPrefix("models/") else { return .openai }
    let headers = request.head.headers
    return headers.contains(name: "anthropic-version") || headers.contains(name: "x-api-key") ? .anthropic : .openai
  }

  private static func openAIOperation(_ rest: Substring) -> ProviderCall.Operation {
    switch rest {
    case "chat/completions": .chat
    case "completions": .completions
    case "embeddings": .embeddings
    case "responses": .responses
    case "responses/input_tokens": .inputTokens
    default: modelOperation(rest)
    }
  }

  private static func anthropicOperation(_ rest: Substring) -> ProviderCall.Operation {
    switch rest {
    case "messages": .messages
    case "messages/count_tokens": .countTokens
    default: modelOperation(rest)
    }
  }

  private static func modelOperation(_ rest: Substring) -> ProviderCall.Operation {
    if rest == "models" { return .models }
    guard rest.hasPrefix("models/") else { return .unknown }
    let name = rest.dropFirst("models/".count)
    return name.isEmpty ? .unknown : .model(String(name))
  }

  /// Anthropic accepts its own header or a bearer token, OpenAI a bearer token only.
  private static func key(_ provider: ProviderCall.Provider, _ request: SimulatedRequest) -> ProviderCall.Key {
    if provider == .anthropic, let key = request.header("x-api-key") { return checked(Substring(key)) }
    guard let value = request.header("authorization") else { return .missing }
    guard value.count > 7, value.prefix(7).lowercased() == "bearer " else { return .malformed }
    return checked(value.dropFirst(7))
  }

  private static func checked(_ key: Substring) -> ProviderCall.Key {
    let isPlain = key.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    return isPlain && !key.isEmpty && key.utf8.count <= 512 ? .given(String(key)) : .malformed
  }
}
