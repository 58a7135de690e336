extension Local {
  package static func nativeOperation(_ path: ByteSlice, _ options: ProviderOptions) -> Operation? {
    LocalServerKind(options) == .tgi && TGIMeter.isOwn(path) ? .tgiGenerate : nil
  }

  package static func read(_ headers: HeaderView, _ operation: Operation, into reader: inout AnswerReader) {
    if operation == .tgiGenerate { TGIMeter.read(headers, into: &reader) }
  }

  package static func read(_ document: ByteSlice, _ operation: Operation, into reader: inout AnswerReader) {
    switch operation {
    case .messages, .countTokens:
      reader.counters.excludesCache = true
      Anthropic.read(document, operation, into: &reader)
    case .ollamaChat, .ollamaGenerate, .ollamaEmbed: OllamaMeter.read(document, into: &reader)
    case .tgiGenerate: TGIMeter.read(document, into: &reader)
    default: OpenAI.read(document, operation, into: &reader)
    }
  }

  package static func readEvent(
    name: ByteSlice?, data: ByteSlice, _ operation: Operation, into state: inout StreamState
  ) {
    switch operation {
    case .messages:
      state.reader.counters.excludesCache = true
      Anthropic.readEvent(name: name, data: data, operation, into: &state)
    case .ollamaChat, .ollamaGenerate: OllamaMeter.readLine(data, into: &state)
    case .tgiGenerate: TGIMeter.readEvent(data, into: &state)
    default:
      OpenAI.readEvent(name: name, data: data, operation, into: &state)
      state.noteErrorType(data)
      // Some servers leave out the end mark: an answer with its finish reason is whole.
      state.mayEnd = state.reader.finish != nil
    }
  }

  package static func isWhole(_ state: StreamState, _ operation: Operation) -> Bool {
    operation == .chat || operation == .completions ? OpenAI.isWhole(state, operation) : state.sawEndMark
  }

  package static func framing(_ operation: Operation) -> StreamFraming {
    operation == .ollamaChat || operation == .ollamaGenerate ? .lines : .serverSentEvents
  }

  package static func usage(_ counters: UsageCounters) -> TokenUsage? {
    counters.excludesCache ? Anthropic.usage(counters) : OpenAI.usage(counters)
  }
}
