import SluiceDialects

internal import NIOCore
internal import NIOHTTP1

/// Decides from path and headers which provider a request is for. OpenAI lives under `/v1`, Anthropic under
/// `/v1/messages`; the shared `/v1/models` is Anthropic's when the request carries one of its headers. Paths that only one
/// provider has (`/v1beta/…`, `/v2/…`, `/api/…`, `/model/…`, `/openai/deployments/…`) decide by themselves, and so does the
/// prefix of a provider's name: `/mistral/v1/chat/completions`.
enum ProviderRouter {
  private static let prefixes: [(String, ProviderCall.Provider)] = [
    ("/anthropic", .anthropic), ("/azure", .azureOpenAI), ("/gemini", .gemini), ("/cohere", .cohere),
    ("/mistral", .mistral), ("/huggingface", .huggingface), ("/local", .local), ("/ollama", .local),
    ("/bedrock", .bedrock),
  ]

  static func route(_ request: SimulatedRequest) -> ProviderCall? {
    var path = request.path
    var provider: ProviderCall.Provider?
    if path.hasPrefix("/openai/v1/"), request.header("api-key") == nil {
      provider = .openai
      path = path.dropFirst("/openai".count)
    } else if let (prefix, named) = prefixes.first(where: { path.hasPrefix($0.0 + "/") }) {
      provider = named
      path = path.dropFirst(prefix.count)
    }
    let chosen = provider ?? owner(of: path, request)
    guard let chosen else { return nil }
    guard chosen == .openai || chosen == .anthropic else { return hub(chosen, path, request) }
    guard path.hasPrefix("/v1/") else { return nil }
    let rest = path.dropFirst("/v1/".count)
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

  /// Whose path it is when no prefix says so.
  private static func owner(of path: Substring, _ request: SimulatedRequest) -> ProviderCall.Provider? {
    if path.hasPrefix("/v1beta/") { return .gemini }
    // Gemini's methods, their colon plain or escaped.
    if path.hasPrefix("/v1/models/"), path.contains(":") || path.contains("%3A") { return .gemini }
    if path.hasPrefix("/v2/") { return .cohere }
    if path.hasPrefix("/api/") { return .local }
    if path.hasPrefix("/model/") { return .bedrock }
    if path.hasPrefix("/openai/") { return .azureOpenAI }
    guard path.hasPrefix("/v1/") else { return nil }
    return guess(path.dropFirst("/v1/".count), request)
  }

  private static func guess(_ rest: Substring, _ request: SimulatedRequest) -> ProviderCall.Provider {
    if rest == "messages" || rest.hasPrefix("messages/") { return .anthropic }
    guard rest == "models" || rest.hasPrefix("models/") else { return .openai }
    let headers = request.head.headers
    if headers.contains(name: "x-goog-api-key") { return .gemini }
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
    return bearer(request)
  }

  private static func bearer(_ request: SimulatedRequest, startingWith prefix: String = "") -> ProviderCall.Key {
    guard let value = request.header("authorization") else { return .missing }
    guard value.count > 7, value.prefix(7).lowercased() == "bearer ", value.dropFirst(7).hasPrefix(prefix) else {
      return .malformed
    }
    return checked(value.dropFirst(7))
  }

  private static func checked(_ key: Substring) -> ProviderCall.Key {
    let isPlain = key.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    return isPlain && !key.isEmpty && key.utf8.count <= 512 ? .given(String(key)) : .malformed
  }
}

// MARK: - The other providers

extension ProviderRouter {
  private static func hub(
    _ provider: ProviderCall.Provider, _ path: Substring, _ request: SimulatedRequest
  ) -> ProviderCall? {
    let (operation, model) = operation(provider, path, request)
    return ProviderCall(
      provider: provider, operation: operation.map { .hub($0, model) } ?? .unknown,
      countedPath: operation.map { "\(provider.rawValue) \($0.label)" } ?? "other",
      key: hubKey(provider, request), request: request)
  }

  private static func operation(
    _ provider: ProviderCall.Provider, _ path: Substring, _ request: SimulatedRequest
  ) -> (SluiceDialects.Operation?, String?) {
    switch (provider, path) {
    case (.bedrock, "/foundation-models"), (.cohere, "/v1/models"), (.azureOpenAI, "/openai/models"):
      return (.models, nil)
    case (.local, "/health"), (.local, "/api/version"), (.huggingface, "/health"): return (.ollamaVersion, nil)
    default: break
    }
    let method: HTTPMethodToken = request.method == .GET ? .get : .post
    return Array(path.utf8).withSlice { bytes in
      guard let match = SurfaceMatcher.match(method: method, path: bytes, headers: .none) else { return (nil, nil) }
      let isArray = match.operation == .streamGenerateContent && request.query("alt") != "sse"
      return (
        isArray ? .streamGenerateArray : match.operation, match.identifier.map { PercentDecoding.decode(bytes[$0]) }
      )
    }
  }

  private static func hubKey(_ provider: ProviderCall.Provider, _ request: SimulatedRequest) -> ProviderCall.Key {
    switch provider {
    case .gemini:
      // A bearer is an OAuth token there.
      return (request.header("x-goog-api-key") ?? request.query("key")).map { checked(Substring($0)) }
        ?? bearer(request, startingWith: "ya29.")
    case .azureOpenAI:
      let isNewer = request.path.contains("/openai/v1/")
      return request.header("api-key").map { checked(Substring($0)) }
        ?? bearer(request, startingWith: isNewer ? "" : "eyJ")
    case .bedrock:
      guard let value = request.header("authorization"), value.hasPrefix("AWS4-HMAC-SHA256 ") else {
        return bearer(request)
      }
      guard let start = value.firstByteRange(of: "Credential=") else { return .malformed }
      return checked(value[start.upperBound...].prefix { $0 != "/" })
    default: return bearer(request)
    }
  }
}
