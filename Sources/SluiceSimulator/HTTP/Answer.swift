/// What goes back for one request.
struct Answer {
  enum Content {
    case whole([UInt8])
    case stream(StreamScript)
  }

  var status: Int
  var headers = HeaderLines()
  var content: Content
  var streamType: StaticString = "text/event-stream; charset=utf-8"
  var pace: Pace?
  /// What follows in a stream that a fault breaks off with the provider's own error event.
  var errorEvent: [UInt8] = []

  static func json(_ status: Int, _ body: [UInt8]) -> Answer {
    Answer(status: status, content: .whole(body))
  }
}

/// When the parts of an answer are due, in nanoseconds.
struct Pace {
  var firstToken: Int64
  var perToken: Int64
  var tokens: Int

  /// When a plain answer is complete.
  var total: Int64 { firstToken + perToken * Int64(max(0, min(tokens, 1_000_000) - 1)) }
}

/// A provider's error.
struct ProviderError: Error {
  var status: Int
  var type: String
  var code: String?
  var param: String?
  var message: String
  /// Nanoseconds.
  var retryAfter: Int64?
  var shouldRetry: Bool?

  init(
    _ status: Int, type: String, code: String? = nil, param: String? = nil, _ message: String,
    retryAfter: Int64? = nil, shouldRetry: Bool? = nil
  ) {
    self.status = status
    self.type = type
    self.code = code
    self.param = param
    self.message = message
    self.retryAfter = retryAfter
    self.shouldRetry = shouldRetry
  }
}
