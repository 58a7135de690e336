import SluicePolicy

/// The shapes of the surfaces beside OpenAI and Anthropic.
extension GatewayErrorBody {
  /// `{"error":{"code","message","status","details":[ErrorInfo, RetryInfo]}}`; the SDK takes the gRPC name.
  static func gemini(_ error: GatewayError) -> [UInt8] {
    var details: [JSONValue] = [
      .object([
        JSONMember(name: "@type", value: .string("type.googleapis.com/google.rpc.ErrorInfo")),
        JSONMember(name: "reason", value: .string(error.code.rawValue.uppercased())),
        JSONMember(name: "domain", value: .string("sluice")),
      ])
    ]
    if let wait = error.retryAfter, wait >= .zero {
      details.append(
        .object([
          JSONMember(name: "@type", value: .string("type.googleapis.com/google.rpc.RetryInfo")),
          JSONMember(name: "retryDelay", value: .string("\(Double(wait.nanoseconds / 1_000_000) / 1000)s")),
        ]))
    }
    return bytes(
      .object([
        JSONMember(
          name: "error",
          value: .object([
            JSONMember(name: "code", value: .int(error.status)),
            JSONMember(name: "message", value: .string(error.message)),
            JSONMember(name: "status", value: .string(geminiStatus(error))),
            JSONMember(name: "details", value: .array(details)),
          ]))
      ]))
  }

  static func cohere(_ error: GatewayError, requestID: String?) -> [UInt8] {
    var members = [JSONMember(name: "message", value: .string(error.message))]
    if let requestID { members.append(JSONMember(name: "id", value: .string(requestID))) }
    members.append(JSONMember(name: "code", value: .string(error.code.rawValue)))
    return bytes(.object(members))
  }

  /// Failures after the 200 show as the last event with a finish reason of their own.
  static func cohereEnd(_ error: GatewayError) -> [UInt8] {
    bytes(
      .object([
        JSONMember(name: "type", value: .string("message-end")),
        JSONMember(
          name: "delta",
          value: .object([
            JSONMember(name: "finish_reason", value: .string("ERROR")),
            JSONMember(name: "error", value: .string(error.message)),
          ])),
      ]))
  }

  static func ollama(_ error: GatewayError) -> [UInt8] {
    bytes(.object([JSONMember(name: "error", value: .string(error.message))]))
  }

  static func bedrock(_ error: GatewayError) -> [UInt8] {
    bytes(
      .object([
        JSONMember(name: "message", value: .string(error.message)),
        JSONMember(name: "code", value: .string(error.code.rawValue)),
      ]))
  }

  private static func bytes(_ value: JSONValue) -> [UInt8] {
    var bytes: [UInt8] = []
    value.append(to: &bytes)
    return bytes
  }

  private static func geminiStatus(_ error: GatewayError) -> String {
    switch error.status {
    case 401: "UNAUTHENTICATED"
    case 403: "PERMISSION_DENIED"
    case 404, 405: "NOT_FOUND"
    case 429: "RESOURCE_EXHAUSTED"
    case 501: "UNIMPLEMENTED"
    case 502, 503: "UNAVAILABLE"
    case 408, 504: "DEADLINE_EXCEEDED"
    case 500...: "INTERNAL"
    default: "INVALID_ARGUMENT"
    }
  }

  /// What `x-amzn-errortype` says; the SDK raises the class of this name.
  static func bedrockType(_ error: GatewayError) -> StaticString {
    switch error.status {
    case 401, 403: "AccessDeniedException"
    case 404, 405: "ResourceNotFoundException"
    case 408, 504: "ModelTimeoutException"
    case 429: "ThrottlingException"
    case 503: "ServiceUnavailableException"
    case 500...: "InternalServerException"
    default: "ValidationException"
    }
  }

  /// Inside a stream the names begin with a small letter.
  static func bedrockStreamType(_ error: GatewayError) -> String {
    switch error.status {
    case 429: "throttlingException"
    case 503: "serviceUnavailableException"
    case 504: "modelStreamErrorException"
    case 500...: "internalServerException"
    default: "validationException"
    }
  }
}
