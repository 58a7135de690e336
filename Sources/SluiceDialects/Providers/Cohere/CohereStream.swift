extension Cohere {
  /// Events are told by their names; only the last one is read. It comes before `[DONE]`, which alone is no success.
  package static func readEvent(
    name: ByteSlice?, data: ByteSlice, _ operation: Operation, into state: inout StreamState
  ) {
    if data.hasPrefix("[DONE]") {
      state.sawEndMark = true
      return
    }
    let name = name ?? type(of: data)
    if name.equals("content-delta") || name.hasPrefix("tool-call-") || name.equals("tool-plan-delta") {
      state.reader.sawOutput = true
    } else if name.equals("message-end") {
      read(data, operation, into: &state.reader)
      state.mayEnd = state.reader.finish != nil
    }
  }

  package static func isWhole(_ state: StreamState, _ operation: Operation) -> Bool {
    state.sawEndMark && state.reader.finish != nil
  }

  /// The data begins with its type wherever the provider itself wrote it.
  private static func type(of data: ByteSlice) -> ByteSlice {
    let start = 9
    guard data.hasPrefix("{\"type\":\""), let end = data.firstIndex(of: Ascii.quote, from: start) else { return .empty }
    return data[start..<end]
  }
}
