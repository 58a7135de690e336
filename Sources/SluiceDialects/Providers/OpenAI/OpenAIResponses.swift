extension OpenAI {
  private enum Paths {
    static let usage = JSONPath(.usage)
    static let responseUsage = JSONPath(.response, .usage)
    static let finish = JSONPath(.choices, .item, .finishReason)
    static let refusal = JSONPath(.choices, .item, .message, .refusal)
    static let deltaRefusal = JSONPath(.choices, .item, .delta, .refusal)
    static let deltaContent = JSONPath(.choices, .item, .delta, .content)
    static let deltaReasoning = JSONPath(.choices, .item, .delta, .reasoningContent)
    static let deltaThoughts = JSONPath(.choices, .item, .delta, .reasoning)
    static let deltaTools = JSONPath(.choices, .item, .delta, .toolCalls)
    static let text = JSONPath(.choices, .item, .text)
    static let status = JSONPath(.status)
    static let incomplete = JSONPath(.incompleteDetails, .reason)
    static let outputPart = JSONPath(.output, .item, .content, .item, .type)
    static let errorObject = JSONPath(.error)
    static let errorMessage = JSONPath(.error, .message)
    static let errorType = JSONPath(.error, .type)
    static let errorCode = JSONPath(.error, .code)
    static let inputTokens = JSONPath(.inputTokens)
    static let choices = JSONPath(.choices)
    static let response = JSONPath(.response)
    static let tier = JSONPath(.serviceTier)
  }

  /// One document of an answer: a chat completion, a chunk of one, a response, embeddings, a token count.
  package static func read(_ document: ByteSlice, _ operation: Operation, into reader: inout AnswerReader) {
    JSONFieldWalker.walk(document) { path, value in
      guard !value.isNull else { return }
      if path.hasPrefix(Paths.choices) {
        readChoice(path, value, &reader)
      } else if path.hasPrefix(Paths.usage) {
        readUsage(path.last, value, &reader)
      } else {
        readTop(path, value, &reader)
      }
    }
  }

  private static func readChoice(_ path: JSONPath, _ value: JSONScalar, _ reader: inout AnswerReader) {
    switch path {
    case Paths.finish:
      reader.finish = finishReason(value)
      if reader.finish == .contentFilter { reader.safety = .contentFilter }
    case Paths.deltaContent, Paths.deltaReasoning, Paths.deltaThoughts, Paths.text:
      if value.isText { reader.sawOutput = true }
    case Paths.refusal, Paths.deltaRefusal:
      guard value.isText else { break }
      reader.sawOutput = true
      reader.safety = .refusal
    default:
      if path.hasPrefix(Paths.deltaTools) { reader.sawOutput = true }
    }
  }

  private static func finishReason(_ value: JSONScalar) -> FinishReason {
    if value.equals("stop") { return .stop }
    if value.equals("length") { return .length }
    if value.equals("tool_calls") || value.equals("function_call") { return .toolUse }
    return value.equals("content_filter") ? .contentFilter : .other
  }

  /// Chat and embeddings say `prompt_tokens` and `completion_tokens`, the Responses API `input` and `output`; both
  /// counts include their cached and reasoning parts.
  static func readUsage(_ key: JSONKey, _ value: JSONScalar, _ reader: inout AnswerReader) {
    switch key {
    case .promptTokens, .inputTokens: reader.set(\.input, value)
    case .completionTokens, .outputTokens: reader.set(\.output, value)
    case .cachedTokens: reader.set(\.cached, value)
    case .cacheWriteTokens: reader.set(\.written, value)
    case .reasoningTokens: reader.set(\.reasoning, value)
    default: break
    }
  }

  private static func readTop(_ path: JSONPath, _ value: JSONScalar, _ reader: inout AnswerReader) {
    switch path {
    case Paths.status: readStatus(value, &reader)
    case Paths.incomplete:
      reader.finish = value.equals("content_filter") ? .contentFilter : .length
      if reader.finish == .contentFilter { reader.safety = .contentFilter }
    case Paths.outputPart:
      if value.equals("refusal") { reader.safety = .refusal }
    case Paths.errorObject, Paths.errorMessage: reader.note(error: \.message, value)
    case Paths.errorType: reader.note(error: \.type, value)
    case Paths.errorCode: reader.note(error: \.code, value)
    case Paths.inputTokens: reader.set(\.input, value)
    case Paths.tier: reader.note(tier: value)
    default: break
    }
  }

  private static func readStatus(_ value: JSONScalar, _ reader: inout AnswerReader) {
    if value.equals("completed") { reader.finish = .stop }
    if value.equals("failed") { reader.saysFailed = true }
  }

  /// The final event of a Responses stream holds the response one level down.
  static func readResponseEvent(_ document: ByteSlice, into reader: inout AnswerReader) {
    JSONFieldWalker.walk(document) { path, value in
      guard !value.isNull else { return }
      if path.hasPrefix(Paths.responseUsage) {
        readUsage(path.last, value, &reader)
      } else if let inner = path.dropping(Paths.response) {
        readTop(inner, value, &reader)
      }
    }
  }

  package static func usage(_ counters: UsageCounters) -> TokenUsage? {
    guard !counters.isEmpty else { return nil }
    return TokenUsage(
      input: counters.input ?? 0, output: counters.output ?? 0, cachedInput: counters.cached ?? 0,
      cacheWrite: counters.written ?? 0, reasoning: counters.reasoning ?? 0)
  }
}
