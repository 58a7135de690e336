package import SluicePolicy

extension Bedrock {
  /// `x-amzn-errortype`: the type, sometimes with a namespace in front and a URL behind it.
  package static func note(_ headers: HeaderView, in error: inout ProviderErrorBody) {
    headers.visit { name, value in
      if name.isName("x-amzn-errortype") { error.type = value.trimmed.string(limit: ProviderErrorBody.textLimit) }
    }
  }

  /// `x-amz-retry-after`: milliseconds.
  package static func wait(_ headers: HeaderView, now: UnixTime) -> Interval? {
    var wait: Interval?
    headers.visit { name, value in
      if name.isName("x-amz-retry-after") { wait = HintText.milliseconds(value) }
    }
    return wait
  }

  /// Quotas of the day do not come back within any request's time.
  package static func wait(in error: ProviderErrorBody) -> Interval? {
    isDaily(error) ? .seconds(3600) : nil
  }

  /// `namespace#Type:http://…` → `Type`; inside of streams the names begin with a small letter.
  static func plainType(_ type: String) -> String {
    let behind = type.split(separator: "#").last ?? ""
    let plain = behind.prefix { $0 != ":" }
    return plain.prefix(1).uppercased() + plain.dropFirst()
  }

  /// The type before the status before the text. `status` is 200 for an exception inside a stream.
  package static func verdict(status: Int, _ error: ProviderErrorBody) -> FailureVerdict {
    if let type = error.type, let verdict = verdict(type: plainType(type), error) { return verdict }
    if status == 400, isContextLength(error) { return FailureVerdict(.contextLength, .request) }
    return verdict(status: status)
  }

  private static func verdict(type: String, _ error: ProviderErrorBody) -> FailureVerdict? {
    switch type {
    case "ValidationException":
      isContextLength(error) ? FailureVerdict(.contextLength, .request) : FailureVerdict(.caller, .request)
    case "ServiceQuotaExceededException": FailureVerdict(.quota, .keyAndModel)
    case "AccessDeniedException": FailureVerdict(.credential, .keyAndModel)
    // Temporary credentials end and are renewed: the key itself is not at fault.
    case "ExpiredTokenException", "ExpiredToken", "InvalidSignatureException", "RequestTimeTooSkewed":
      FailureVerdict(.credential, .key)
    case "UnrecognizedClientException", "MissingAuthenticationTokenException", "MissingAuthenticationToken",
      "InvalidClientTokenId":
      FailureVerdict(.credential, .key, disablesKey: true)
    case "ResourceNotFoundException": FailureVerdict(.caller, .keyAndModel)
    case "ModelTimeoutException": FailureVerdict(.timeout, .endpoint)
    case "ModelErrorException", "ModelStreamErrorException": modelError(error)
    case "ThrottlingException", "Throttling", "TooManyRequestsException": throttled(error)
    case "ModelNotReadyException", "ServiceUnavailableException": FailureVerdict(.overloaded, .endpoint)
    case "InternalServerException", "InternalFailure": FailureVerdict(.server, .endpoint)
    case "ConflictException": FailureVerdict(.caller, .request)
    default: nil
    }
  }

  /// The model's own server answered something else than it should: its status tells whose fault it is.
  private static func modelError(_ error: ProviderErrorBody) -> FailureVerdict {
    guard let status = error.originalStatus.flatMap({ Int($0) }), (400..<500).contains(status) else {
      return FailureVerdict(.server, .endpoint)
    }
    return status == 429 ? FailureVerdict(.rateLimited, .keyAndModel) : FailureVerdict(.caller, .request)
  }

  private static func throttled(_ error: ProviderErrorBody) -> FailureVerdict {
    isDaily(error) ? FailureVerdict(.quota, .keyAndModel) : FailureVerdict(.rateLimited, .key)
  }

  private static func isDaily(_ error: ProviderErrorBody) -> Bool { error.message?.contains("per day") ?? false }

  private static func isContextLength(_ error: ProviderErrorBody) -> Bool {
    guard let message = error.message else { return false }
    return message.contains("Input is too long") || message.contains("prompt is too long")
  }

  private static func verdict(status: Int) -> FailureVerdict {
    switch status {
    case 401, 403: FailureVerdict(.credential, .key)
    case 402: FailureVerdict(.quota, .key, disablesKey: true)
    case 404: FailureVerdict(.caller, .keyAndModel)
    case 408, 504: FailureVerdict(.timeout, .endpoint)
    case 424: FailureVerdict(.server, .endpoint)
    case 429: FailureVerdict(.rateLimited, .key)
    case 400..<500: FailureVerdict(.caller, .request)
    case 503, 529: FailureVerdict(.overloaded, .endpoint)
    case 500..., 200..<300: FailureVerdict(.server, .endpoint)
    default: FailureVerdict(.protocolError, .endpoint)
    }
  }
}
