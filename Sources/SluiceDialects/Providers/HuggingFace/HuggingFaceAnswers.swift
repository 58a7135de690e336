extension HuggingFace {
  package static func nativeOperation(_ path: ByteSlice, _ options: ProviderOptions) -> Operation? {
    isTGI(options) && TGIMeter.isOwn(path) ? .tgiGenerate : nil
  }

  package static func read(_ headers: HeaderView, _ operation: Operation, into reader: inout AnswerReader) {
    if operation == .tgiGenerate { TGIMeter.read(headers, into: &reader) }
  }

  package static func read(_ document: ByteSlice, _ operation: Operation, into reader: inout AnswerReader) {
    guard operation != .tgiGenerate else { return _ = TGIMeter.read(document, into: &reader) }
    OpenAI.read(document, operation, into: &reader)
  }

  package static func readEvent(
    name: ByteSlice?, data: ByteSlice, _ operation: Operation, into state: inout StreamState
  ) {
    guard operation != .tgiGenerate else { return TGIMeter.readEvent(data, into: &state) }
    OpenAI.readEvent(name: name, data: data, operation, into: &state)
    state.noteErrorType(data)
    // The providers behind the router differ: an answer with its finish reason is whole, without an end mark too.
    state.mayEnd = state.reader.finish != nil
  }

  package static func isWhole(_ state: StreamState, _ operation: Operation) -> Bool {
    operation == .tgiGenerate ? state.sawEndMark : OpenAI.isWhole(state, operation)
  }

  package static func usage(_ counters: UsageCounters) -> TokenUsage? { OpenAI.usage(counters) }
}

extension StreamState {
  /// An error frame's own type, which OpenAI's reader does not look for (TGI's `error_type`).
  mutating func noteErrorType(_ data: ByteSlice) {
    guard reader.error != nil, reader.error?.type == nil, !data.hasPrefix("[DONE]") else { return }
    let error = ProviderErrorBody.read(data)
    if error != ProviderErrorBody() { reader.error = error }
  }
}
