extension Anthropic {
  /// One event of a messages stream, told by its name; the SDK ignores events without one, and so does the meter.
  package static func readEvent(
    name: ByteSlice?, data: ByteSlice, _ operation: Operation, into state: inout StreamState
  ) {
    guard let name else { return }
    if name.equals("content_block_delta") {
      state.reader.sawOutput = true
    } else if name.equals("message_start") || name.equals("message_delta") {
      read(data, operation, into: &state.reader)
    } else if name.equals("message_stop") {
      state.sawEndMark = true
    } else if name.equals("error") {
      state.reader.error = ProviderErrorBody.read(data)
    }
  }
}
