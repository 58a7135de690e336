extension Bedrock {
  private enum Paths {
    static let bytes = JSONPath(.bytes)
    static let type = JSONPath(.type)
    static let metrics = JSONPath(.invocationMetrics)
    static let errorType = JSONPath(.typeUnderscored)
  }

  /// Longest vendor event of an `invoke` stream that is looked into.
  private static let maxChunk = 4 << 20

  /// One message of a stream, told by its type. Usage comes after the stop: the stream is over with it, but a body that
  /// ends before is whole as well.
  package static func readEvent(
    name: ByteSlice?, data: ByteSlice, _ operation: Operation, into state: inout StreamState
  ) {
    guard let name else { return }
    if name.equals("contentBlockDelta") || name.equals("contentBlockStart") {
      state.reader.sawOutput = true
    } else if name.equals("messageStop") {
      read(data, operation, into: &state.reader)
      state.mayEnd = true
    } else if name.equals("metadata") {
      read(data, operation, into: &state.reader)
      state.sawEndMark = true
    } else if name.equals("chunk") {
      readChunk(data, into: &state)
    } else if name.hasSuffix("Exception") || isError(data) {
      var error = ProviderErrorBody.read(data)
      error.type = name.string(limit: ProviderErrorBody.textLimit)
      state.reader.error = error
      state.mayEnd = false
    }
  }

  package static func isWhole(_ state: StreamState, _ operation: Operation) -> Bool {
    state.sawEndMark && state.reader.finish != nil
  }

  static func isError(_ data: ByteSlice) -> Bool {
    var found = false
    JSONFieldWalker.walk(data) { path, _ in if path == Paths.errorType { found = true } }
    return found
  }

  /// What an exception inside of a stream means.
  static func streamFailure(_ name: ByteSlice, _ data: ByteSlice) -> ProviderFailure {
    var error = ProviderErrorBody.read(data)
    error.type = name.string(limit: ProviderErrorBody.textLimit)
    let verdict = verdict(status: 200, error)
    return ProviderFailure(
      verdict.failureClass, reach: verdict.reach, status: 200, code: error.type, message: error.message,
      retryAfter: wait(in: error), disablesKey: verdict.disablesKey)
  }

  /// The vendor's own event, in base64.
  static func chunk(_ data: ByteSlice) -> [UInt8]? {
    var text: String?
    JSONFieldWalker.walk(data) { path, value in
      if path == Paths.bytes { text = value.text(limit: maxChunk) }
    }
    return text.flatMap { text in Array(text.utf8).withSlice { Base64Text.decode($0) } }
  }

  /// Anthropic's events are read as such. Of other vendors' only Bedrock's own count is known, and nothing of how they
  /// end: there the transport is believed.
  private static func readChunk(_ data: ByteSlice, into state: inout StreamState) {
    guard let event = chunk(data) else { return }
    event.withSlice { event in
      var type: String?
      JSONFieldWalker.walk(event) { path, value in
        if path == Paths.type { type = value.text(limit: 64) }
      }
      if let type {
        Array(type.utf8).withSlice { Anthropic.readEvent(name: $0, data: event, .messages, into: &state) }
      } else {
        state.reader.sawOutput = true
        state.mayEnd = true
      }
      JSONFieldWalker.walk(event) { path, value in
        if path.hasPrefix(Paths.metrics), path.depth == 2 { readMetrics(path.last, value, &state.reader) }
      }
    }
  }
}
