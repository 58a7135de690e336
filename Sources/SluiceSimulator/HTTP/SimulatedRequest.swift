import SluiceDialects

internal import NIOCore
internal import NIOHTTP1

/// One complete request.
struct SimulatedRequest {
  var head: HTTPRequestHead
  var body: ByteBuffer?
  var isTooLarge = false

  var method: HTTPMethod { head.method }

  /// The path without the query.
  var path: Substring { head.uri.prefix { $0 != "?" } }

  /// A parameter of the query; the names and values used here need no percent-decoding.
  func query(_ name: String) -> String? {
    guard let start = head.uri.firstIndex(of: "?") else { return nil }
    for pair in head.uri[head.uri.index(after: start)...].split(separator: "&") {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if parts[0] == name { return parts.count > 1 ? String(parts[1]) : "" }
    }
    return nil
  }

  func header(_ name: String) -> String? {
    head.headers.first(name: name)
  }
}

/// A request on its way to a provider: which one, what for, on whose behalf.
struct ProviderCall {
  /// A provider's protocol.
  enum Provider: String, CaseIterable {
    case openai, anthropic
    case azureOpenAI = "azure_openai"
    case gemini, cohere, mistral, huggingface, local, bedrock
  }

  enum Operation: Equatable {
    case chat, completions, embeddings, responses, inputTokens
    case messages, countTokens
    case models
    case model(String)
    /// An operation of a provider that is simulated through the product's wire formats; the model, if the path has it.
    case hub(SluiceDialects.Operation, String?)
    /// Known to the provider's path space, not to the simulator.
    case unknown

    var method: HTTPMethod {
      switch self {
      case .models, .model: .GET
      case .hub(let operation, _): operation.isRead ? .GET : .POST
      default: .POST
      }
    }
  }

  enum Key: Equatable {
    case missing
    case malformed
    case given(String)

    var text: String {
      if case .given(let text) = self { text } else { "" }
    }
  }

  var provider: Provider
  var operation: Operation
  /// The path as counted: names of models replaced.
  var countedPath: String
  var key: Key
  var request: SimulatedRequest
  /// The decoded body of a POST.
  var body: Result<JSONValue, JSONError>?

  var model: String {
    if case .hub(_, let name?) = operation { return name }
    guard case .success(let value)? = body else { return "" }
    return value["model"]?.string ?? ""
  }
}
