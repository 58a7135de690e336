import SluicePolicy

extension Local {
  package static let defaultRequestsPerMinute = 6000

  /// The type in any server's vocabulary, then what the text says, then the status.
  package static func verdict(status: Int, _ error: ProviderErrorBody) -> FailureVerdict {
    if let verdict = TGIErrors.verdict(error) { return verdict }
    if isContextLength(error) { return FailureVerdict(.contextLength, .request) }
    switch error.type {
    case "exceed_context_size_error": return FailureVerdict(.contextLength, .request)
    case "authentication_error": return FailureVerdict(.credential, .key, disablesKey: true)
    case "permission_error": return FailureVerdict(.credential, .keyAndModel)
    case "unavailable_error", "overloaded_error": return FailureVerdict(.overloaded, .endpoint)
    case "NotFoundError", "not_found_error": return FailureVerdict(.caller, .keyAndModel)
    case "BadRequestError", "UnprocessableEntityError", "not_supported_error", "NotImplementedError":
      return FailureVerdict(.caller, .request)
    case "InternalServerError", "server_error", "api_error":
      return FailureVerdict(status == 503 ? .overloaded : .server, .endpoint)
    default: break
    }
    if error.message?.contains("server busy") == true { return FailureVerdict(.overloaded, .endpoint) }
    return verdict(status: status, bare: bare(error))
  }

  private static func verdict(status: Int, bare error: ProviderErrorBody) -> FailureVerdict {
    switch status {
    case 404: FailureVerdict(.caller, .keyAndModel)
    // The server's queue is full; there is no account that could be limited.
    case 429: FailureVerdict(.overloaded, .endpoint)
    case 501: FailureVerdict(.caller, .request)
    default: OpenAI.verdict(status: status, error)
    }
  }

  /// Codes only repeat the status.
  private static func bare(_ error: ProviderErrorBody) -> ProviderErrorBody {
    var bare = error
    if let code = error.code, Int(code) != nil { bare.code = nil }
    return bare
  }

  private static func isContextLength(_ error: ProviderErrorBody) -> Bool {
    guard let message = error.message else { return false }
    return ["maximum context length", "exceeds the context length", "exceeds the available context size"]
      .contains { message.contains($0) }
  }
}
