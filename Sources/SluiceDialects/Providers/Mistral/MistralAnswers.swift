extension Mistral {
  package static func read(_ document: ByteSlice, _ operation: Operation, into reader: inout AnswerReader) {
    OpenAI.read(document, operation, into: &reader)
  }

  package static func readEvent(
    name: ByteSlice?, data: ByteSlice, _ operation: Operation, into state: inout StreamState
  ) {
    OpenAI.readEvent(name: name, data: data, operation, into: &state)
  }

  package static func isWhole(_ state: StreamState, _ operation: Operation) -> Bool {
    OpenAI.isWhole(state, operation)
  }

  package static func usage(_ counters: UsageCounters) -> TokenUsage? { OpenAI.usage(counters) }
}
