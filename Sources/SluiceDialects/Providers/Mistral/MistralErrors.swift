import SluicePolicy

extension Mistral {
  /// The numeric code before the type before the status. Validation errors and the edge have bodies of their own.
  package static func verdict(status: Int, _ error: ProviderErrorBody) -> FailureVerdict {
    switch error.code ?? error.type {
    case "1300", "rate_limited": return FailureVerdict(.rateLimited, .key)
    // The model is full, whoever asks.
    case "3505", "service_tier_capacity_exceeded": return FailureVerdict(.overloaded, .keyAndModel)
    case "3051": return FailureVerdict(.contextLength, .request)
    case "1500", "invalid_model": return FailureVerdict(.caller, .keyAndModel)
    case "3230", "invalid_request_message_order": return FailureVerdict(.caller, .request)
    case "1000", "internal_server_error": return FailureVerdict(.server, .endpoint)
    default: break
    }
    if status == 400, error.message?.contains("maximum context length") == true {
      return FailureVerdict(.contextLength, .request)
    }
    var bare = error
    bare.code = nil
    return OpenAI.verdict(status: status, bare)
  }
}
