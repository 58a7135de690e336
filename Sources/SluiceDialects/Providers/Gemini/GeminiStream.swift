extension Gemini {
  package static func framing(_ operation: Operation) -> StreamFraming {
    operation == .streamGenerateArray ? .jsonArray : .serverSentEvents
  }

  /// One event: a whole answer object with partial content. There is no end mark beside the finish reason.
  package static func readEvent(
    name: ByteSlice?, data: ByteSlice, _ operation: Operation, into state: inout StreamState
  ) {
    read(data, operation, into: &state.reader)
    if state.reader.finish != nil { state.sawEndMark = true }
  }
}
