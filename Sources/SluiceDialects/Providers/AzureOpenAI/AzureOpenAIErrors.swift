package import SluicePolicy

extension AzureOpenAI {
  package static func verdict(status: Int, _ error: ProviderErrorBody) -> FailureVerdict {
    switch error.code {
    case "DeploymentNotFound", "OperationNotSupported": return FailureVerdict(.caller, .keyAndModel)
    case "RateLimitReached": return limited(error)
    case let code? where Int(code) != nil: return verdict(number: status, error)
    default: break
    }
    if status == 429 { return limited(error) }
    return OpenAI.verdict(status: status, error)
  }

  /// The code only repeats the status.
  private static func verdict(number status: Int, _ error: ProviderErrorBody) -> FailureVerdict {
    if status == 429 { return limited(error) }
    // A wrong version or path: it stands in the configuration, not in the request.
    if status == 404 { return FailureVerdict(.caller, .keyAndModel) }
    var bare = error
    bare.code = nil
    return OpenAI.verdict(status: status, bare)
  }

  /// The deployment's own limit, or a region that is short of capacity: another key of the same resource does not help
  /// against the second.
  private static func limited(_ error: ProviderErrorBody) -> FailureVerdict {
    let message = error.message ?? ""
    let isShort = message.contains("high demand") || message.contains("temporarily unable")
    return isShort ? FailureVerdict(.overloaded, .endpoint) : FailureVerdict(.rateLimited, .key)
  }

  /// "Please retry after 37 seconds."
  package static func wait(in error: ProviderErrorBody) -> Interval? {
    guard let message = error.message else { return nil }
    return Array(message.utf8).withSlice { text in
      let mark: StaticString = "retry after "
      var start = 0
      while start + mark.utf8CodeUnitCount < text.count {
        let rest = text.suffix(from: start)
        if rest.hasPrefixIgnoringCase(mark) {
          let number = rest.suffix(from: mark.utf8CodeUnitCount)
          return HintText.seconds(number[0..<(number.firstIndex(of: 0x20) ?? number.count)])
        }
        start += 1
      }
      return nil
    }
  }
}
