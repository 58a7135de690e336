package import SluicePolicy

extension HuggingFace {
  /// TGI's type first; the router's bodies are mostly one text, so the status decides, unless a provider behind it
  /// says more in OpenAI's form.
  package static func verdict(status: Int, _ error: ProviderErrorBody) -> FailureVerdict {
    if let verdict = TGIErrors.verdict(error) { return verdict }
    switch status {
    case 404: return FailureVerdict(.caller, .keyAndModel)
    // A dedicated endpoint that was scaled to nothing answers so while it starts.
    case 502: return FailureVerdict(.overloaded, .endpoint)
    default: return OpenAI.verdict(status: status, error)
    }
  }

  /// `estimated_time`, in seconds, while a model loads.
  package static func wait(in error: ProviderErrorBody) -> Interval? {
    error.estimatedTime.flatMap { text in Array(text.utf8).withSlice { HintText.seconds($0) } }
  }
}

/// The error types of Hugging Face's text-generation-inference.
enum TGIErrors {
  static func verdict(_ error: ProviderErrorBody) -> FailureVerdict? {
    switch error.type {
    case "validation":
      let isTooLong = error.message?.contains("must be <=") ?? false
      return FailureVerdict(isTooLong ? .contextLength : .caller, .request)
    case "tool_error", "template_error": return FailureVerdict(.caller, .request)
    case "generation", "incomplete_generation": return FailureVerdict(.server, .endpoint)
    case "overloaded", "healthcheck": return FailureVerdict(.overloaded, .endpoint)
    default: return nil
    }
  }
}
