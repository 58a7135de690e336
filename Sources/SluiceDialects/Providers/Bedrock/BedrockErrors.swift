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
    case "AccessDeniedException", "AccessDenied": FailureVerdict(.credential, .keyAndModel)
    // Temporary credentials end and are renewed, and clocks are set: the key itself is not at fault.
    case "ExpiredTokenException", "ExpiredToken", "RequestTimeTooSkewed", "RequestExpired":
      FailureVerdict(.credential, .keyAndModel)
    case "InvalidSignatureException", "SignatureDoesNotMatch":
      isSkew(type, error)
        ? FailureVerdict(.credential, .keyAndModel) : FailureVerdict(.credential, .key, disablesKey: true)
    case "UnrecognizedClientException", "MissingAuthenticationTokenException", "MissingAuthenticationToken",
      "InvalidClientTokenId":
      FailureVerdict(.credential, .key, disablesKey: true)
    case "ResourceNotFoundException": FailureVerdict(.caller, .keyAndModel)
    case "ModelTimeoutException": FailureVerdict(.timeout, .endpoint)
    case "ModelErrorException", "ModelStreamErrorException": modelError(error)
    case "ThrottlingException", "Throttling", "TooManyRequestsException": throttled(error)
    // What AWS's own SDKs take for throttling as well, whatever the status.
    case "ThrottledException", "RequestThrottled", "RequestThrottledException", "SlowDown", "RequestLimitExceeded",
      "LimitExceededException", "BandwidthLimitExceeded", "ProvisionedThroughputExceededException",
      "TransactionInProgressException", "PriorRequestNotComplete", "EC2ThrottledException":
      throttled(error)
    case "RequestTimeout", "RequestTimeoutException": FailureVerdict(.timeout, .endpoint)
    case "ModelNotReadyException", "ServiceUnavailableException": FailureVerdict(.overloaded, .endpoint)
    case "InternalServerException", "InternalFailure": FailureVerdict(.server, .endpoint)
    case "ConflictException": FailureVerdict(.caller, .request)
    default: nil
    }
  }

  // MARK: What would help

  /// Clocks further apart than this are not believed: the date may be anybody's.
  static let maxSkew: UInt64 = 7 * 86_400_000
  /// Nearer than this the clocks are not what AWS complains of; its own tolerance is five minutes.
  static let minSkew: UInt64 = 30_000

  /// Expired credentials are renewed; a wrong clock is put right by the answer's date.
  package static func remedy(
    _ error: ProviderErrorBody, _ headers: HeaderView, now: UnixTime
  ) -> CredentialRemedy? {
    guard let type = error.type.map(plainType) ?? error.code else { return nil }
    if type == "ExpiredToken" || type == "ExpiredTokenException" { return .renew }
    guard isSkew(type, error), let date = headers.first(.date).flatMap({ DateText.http($0.trimmed) }) else {
      return nil
    }
    let (offset, overflow) = date.milliseconds.subtractingReportingOverflow(now.milliseconds)
    guard !overflow, offset.magnitude >= minSkew, offset.magnitude <= maxSkew else { return nil }
    return .clock(offset: offset)
  }

  /// The names of an error that says that signature and request do not fit.
  static func isMismatch(_ code: String?) -> Bool {
    let type = code.map(plainType)
    return type == "InvalidSignatureException" || type == "SignatureDoesNotMatch"
  }

  private static func isSkew(_ type: String, _ error: ProviderErrorBody) -> Bool {
    if type == "RequestTimeTooSkewed" || type == "RequestExpired" { return true }
    guard isMismatch(type), let text = error.message else { return false }
    return text.hasPrefix("Signature expired") || text.hasPrefix("Signature not yet current")
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
