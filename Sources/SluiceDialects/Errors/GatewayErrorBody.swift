import SluicePolicy

/// Writes gateway errors in the shape each surface's official SDK expects: as a whole answer, and as the error event
/// of a stream that has begun.
package enum GatewayErrorBody {
  /// - Parameter requestID: the gateway's own request id; Anthropic clients look for it in the body.
  package static func render(_ surface: Surface, _ error: GatewayError, requestID: String? = nil) -> [UInt8] {
    switch surface {
    case .openai: openAI(error)
    case .anthropic: anthropic(error, requestID: requestID)
    case .gemini: gemini(error)
    case .cohere: cohere(error, requestID: requestID)
    case .ollama: ollama(error)
    case .bedrock: bedrock(error)
    }
  }

  /// Header lines that belong to an error's shape, each ended by CRLF.
  package static func appendShapeHeaders(_ surface: Surface, _ error: GatewayError, to head: inout [UInt8]) {
    guard surface == .bedrock else { return }
    head.append("x-amzn-errortype: ")
    head.append(bedrockType(error))
    head.append("\r\n")
  }

  /// The error event of a stream. After it the stream ends: no `[DONE]`, no `message_stop`, so that no client can take
  /// a broken answer for a whole one.
  ///
  /// - Parameter sequenceNumber: the number after the last event sent, for the Responses API.
  package static func streamEvent(
    _ surface: Surface, _ operation: Operation, _ error: GatewayError, requestID: String? = nil,
    sequenceNumber: Int = 0
  ) -> [UInt8] {
    var event: [UInt8] = []
    event.reserveCapacity(240 + error.message.utf8.count)
    switch (surface, operation) {
    case (.anthropic, _):
      event.append("event: error\ndata: ")
      event.append(contentsOf: anthropic(error, requestID: requestID))
    case (.ollama, _):
      event.append(contentsOf: ollama(error))
      event.append("\n")
      return event
    case (.bedrock, _): return AWSEventStream.exception(bedrockStreamType(error), bedrock(error))
    case (.cohere, _):
      event.append("event: message-end\ndata: ")
      event.append(contentsOf: cohereEnd(error))
    case (.gemini, _):
      event.append("data: ")
      event.append(contentsOf: gemini(error))
      event.append("\r\n\r\n")
      return event
    case (.openai, .responses):
      event.append("event: error\ndata: ")
      event.append(contentsOf: responsesEvent(error, sequenceNumber: sequenceNumber))
    case (.openai, _):
      event.append("data: ")
      event.append(contentsOf: openAI(error))
    }
    event.append("\n\n")
    return event
  }

  /// The last element of an array that is streamed, with its end.
  package static func arrayEnd(_ error: GatewayError, continuation: StaticString) -> [UInt8] {
    var end: [UInt8] = []
    end.append(continuation)
    end.append(contentsOf: gemini(error))
    end.append("]")
    return end
  }

  /// `retry-after`, `retry-after-ms` and `x-should-retry` lines, each ended by CRLF.
  package static func appendRetryHeaders(_ error: GatewayError, to head: inout [UInt8]) {
    if let wait = error.retryAfter, wait >= .zero {
      let milliseconds = wait.nanoseconds / 1_000_000 + (wait.nanoseconds % 1_000_000 == 0 ? 0 : 1)
      head.append("retry-after: ")
      head.append(decimal: Int(milliseconds / 1000 + (milliseconds % 1000 == 0 ? 0 : 1)))
      head.append("\r\nretry-after-ms: ")
      head.append(decimal: Int(milliseconds))
      head.append("\r\n")
    }
    if let shouldRetry = error.shouldRetry {
      head.append(shouldRetry ? "x-should-retry: true\r\n" : "x-should-retry: false\r\n")
    }
  }

  private static func openAI(_ error: GatewayError) -> [UInt8] {
    var json = JSONWriter(capacity: 160 + error.message.utf8.count)
    json.beginObject()
    json.key("error")
    json.beginObject()
    json.key("message")
    json.string(error.message)
    json.key("type")
    json.string(openAIType(error))
    json.key("param")
    optional(error.param, &json)
    json.key("code")
    json.string(error.code.rawValue)
    json.endObject()
    json.endObject()
    return json.bytes
  }

  private static func anthropic(_ error: GatewayError, requestID: String?) -> [UInt8] {
    var json = JSONWriter(capacity: 200 + error.message.utf8.count)
    json.beginObject()
    json.key("type")
    json.string("error" as StaticString)
    json.key("error")
    json.beginObject()
    json.key("type")
    json.string(anthropicType(error))
    json.key("message")
    json.string(error.message)
    json.key("details")
    json.beginObject()
    json.key("error_code")
    json.string(error.code.rawValue)
    json.endObject()
    json.endObject()
    if let requestID {
      json.key("request_id")
      json.string(requestID)
    }
    json.endObject()
    return json.bytes
  }

  private static func responsesEvent(_ error: GatewayError, sequenceNumber: Int) -> [UInt8] {
    var json = JSONWriter(capacity: 160 + error.message.utf8.count)
    json.beginObject()
    json.key("type")
    json.string("error" as StaticString)
    json.key("code")
    json.string(error.code.rawValue)
    json.key("message")
    json.string(error.message)
    json.key("param")
    optional(error.param, &json)
    json.key("sequence_number")
    json.int(max(0, sequenceNumber))
    json.endObject()
    return json.bytes
  }

  private static func optional(_ text: String?, _ json: inout JSONWriter) {
    if let text { json.string(text) } else { json.null() }
  }

  private static func openAIType(_ error: GatewayError) -> StaticString {
    switch error.status {
    case 429: "rate_limit_error"
    case 503: "service_unavailable_error"
    case 500...: "server_error"
    default: "invalid_request_error"
    }
  }

  private static func anthropicType(_ error: GatewayError) -> StaticString {
    switch error.status {
    case 401: "authentication_error"
    case 403: "permission_error"
    case 404, 405: "not_found_error"
    case 413: "request_too_large"
    case 429: "rate_limit_error"
    case 503: "overloaded_error"
    case 504, 408: "timeout_error"
    case 500...: "api_error"
    default: "invalid_request_error"
    }
  }
}
