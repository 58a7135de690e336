/// The member names that answers of any implemented provider are read by. Everything else is `other`.
enum JSONKey: UInt8, CaseIterable {
  case other = 0
  /// An element of an array.
  case item
  case cacheCreationInputTokens, cacheReadInputTokens, cacheWriteTokens, cachedTokens, choices, code
  case completionTokens, completionTokensDetails, content, data, delta, details, error, errorCode, finishReason
  case hasMore, id, incompleteDetails, inputTokens, inputTokensDetails, message, output, outputTokens
  case outputTokensDetails, param, promptTokens, promptTokensDetails, reason, reasoningContent, reasoningTokens
  case refusal, response, status, stopReason, text, thinkingTokens, toolCalls, type, usage
  // Gemini, Cohere, Ollama, Bedrock
  case billedUnits, blockReason, bytes, cacheReadInputTokensCamel, cacheWriteInputTokensCamel, cachedContentTokenCount
  case candidates, candidatesTokenCount, done, doneReason, evalCount, finishReasonCamel, functionCall, inputTokensCamel
  case messageCapital, meta, originalStatusCode, outputTokensCamel, parts, promptEvalCount, promptFeedback
  case promptTokenCount, quotaID, retryDelay, stopReasonCamel, thinking, thoughtsTokenCount, tokens
  case toolUsePromptTokenCount, totalTokensCamel, typeUnderscored, usageMetadata, violations
  case cacheReadInputTokenCount, cacheWriteInputTokenCount, inputTokenCount, invocationMetrics, outputTokenCount
  case searchUnits, serviceTier, serviceTierCamel
  // Mistral, TGI, vLLM
  case detail, errorType, estimatedTime, generatedText, generatedTokens, msg, reasoning, token

  private var name: StaticString {
    switch self {
    case .other, .item: ""
    case .cacheCreationInputTokens: "cache_creation_input_tokens"
    case .cacheReadInputTokens: "cache_read_input_tokens"
    case .cacheWriteTokens: "cache_write_tokens"
    case .cachedTokens: "cached_tokens"
    case .choices: "choices"
    case .code: "code"
    case .completionTokens: "completion_tokens"
    case .completionTokensDetails: "completion_tokens_details"
    case .content: "content"
    case .data: "data"
    case .delta: "delta"
    case .details: "details"
    case .error: "error"
    case .errorCode: "error_code"
    case .finishReason: "finish_reason"
    case .hasMore: "has_more"
    case .id: "id"
    case .incompleteDetails: "incomplete_details"
    case .inputTokens: "input_tokens"
    case .inputTokensDetails: "input_tokens_details"
    case .message: "message"
    case .output: "output"
    case .outputTokens: "output_tokens"
    case .outputTokensDetails: "output_tokens_details"
    case .param: "param"
    case .promptTokens: "prompt_tokens"
    case .promptTokensDetails: "prompt_tokens_details"
    case .reason: "reason"
    case .reasoningContent: "reasoning_content"
    case .reasoningTokens: "reasoning_tokens"
    case .refusal: "refusal"
    case .response: "response"
    case .status: "status"
    case .stopReason: "stop_reason"
    case .text: "text"
    case .thinkingTokens: "thinking_tokens"
    case .toolCalls: "tool_calls"
    case .type: "type"
    case .usage: "usage"
    case .billedUnits: "billed_units"
    case .blockReason: "blockReason"
    case .bytes: "bytes"
    case .cacheReadInputTokensCamel: "cacheReadInputTokens"
    case .cacheWriteInputTokensCamel: "cacheWriteInputTokens"
    case .cachedContentTokenCount: "cachedContentTokenCount"
    case .candidates: "candidates"
    case .candidatesTokenCount: "candidatesTokenCount"
    case .done: "done"
    case .doneReason: "done_reason"
    case .evalCount: "eval_count"
    case .finishReasonCamel: "finishReason"
    case .functionCall: "functionCall"
    case .inputTokensCamel: "inputTokens"
    case .messageCapital: "Message"
    case .meta: "meta"
    case .originalStatusCode: "originalStatusCode"
    case .outputTokensCamel: "outputTokens"
    case .parts: "parts"
    case .promptEvalCount: "prompt_eval_count"
    case .promptFeedback: "promptFeedback"
    case .promptTokenCount: "promptTokenCount"
    case .quotaID: "quotaId"
    case .retryDelay: "retryDelay"
    case .stopReasonCamel: "stopReason"
    case .thinking: "thinking"
    case .thoughtsTokenCount: "thoughtsTokenCount"
    case .tokens: "tokens"
    case .toolUsePromptTokenCount: "toolUsePromptTokenCount"
    case .totalTokensCamel: "totalTokens"
    case .typeUnderscored: "__type"
    case .usageMetadata: "usageMetadata"
    case .violations: "violations"
    case .cacheReadInputTokenCount: "cacheReadInputTokenCount"
    case .cacheWriteInputTokenCount: "cacheWriteInputTokenCount"
    case .inputTokenCount: "inputTokenCount"
    case .invocationMetrics: "amazon-bedrock-invocationMetrics"
    case .outputTokenCount: "outputTokenCount"
    case .searchUnits: "search_units"
    case .serviceTier: "service_tier"
    case .serviceTierCamel: "serviceTier"
    case .detail: "detail"
    case .errorType: "error_type"
    case .estimatedTime: "estimated_time"
    case .generatedText: "generated_text"
    case .generatedTokens: "generated_tokens"
    case .msg: "msg"
    case .reasoning: "reasoning"
    case .token: "token"
    }
  }

  /// Recognised by length, then by the few names of that length.
  static func of(_ name: ByteSlice) -> JSONKey {
    func pick(_ one: JSONKey, _ two: JSONKey = .other, _ three: JSONKey = .other, _ four: JSONKey = .other) -> JSONKey {
      if name.isEmpty { return .other }
      if name.equals(one.name) { return one }
      if name.equals(two.name) { return two }
      if name.equals(three.name) { return three }
      return name.equals(four.name) ? four : .other
    }
    return switch name.count {
    case 2: pick(.id)
    case 3: pick(.msg)
    case 4: name[0] <= 0x64 ? pick(.code, .data, .done) : pick(.meta, .text, .type)
    case 5:
      name[0] <= 0x64 ? pick(.bytes, .delta) : name[0] <= 0x70 ? pick(.error, .param, .parts) : pick(.token, .usage)
    case 6: name[0] <= 0x64 ? pick(.detail, .typeUnderscored) : pick(.output, .reason, .status, .tokens)
    case 7: name[0] <= 0x63 ? pick(.messageCapital, .choices, .content) : pick(.details, .message, .quotaID, .refusal)
    case 8: pick(.hasMore, .response, .thinking)
    case 9: pick(.reasoning)
    case 10:
      name[0] <= 0x65
        ? pick(.candidates, .errorCode, .errorType, .evalCount)
        : pick(.retryDelay, .stopReasonCamel, .toolCalls, .violations)
    case 11:
      name[0] <= 0x69
        ? pick(.blockReason, .doneReason, .inputTokensCamel) : pick(.stopReason, .totalTokensCamel, .serviceTierCamel)
    case 12:
      name[0] <= 0x62 || name[0] == 0x73
        ? pick(.billedUnits, .serviceTier, .searchUnits)
        : pick(.finishReasonCamel, .functionCall, .inputTokens, .outputTokensCamel)
    case 13: name[0] <= 0x63 ? pick(.cachedTokens) : pick(.finishReason, .outputTokens, .promptTokens, .usageMetadata)
    case 14: pick(.estimatedTime, .generatedText, .promptFeedback)
    case 15: pick(.thinkingTokens, .inputTokenCount)
    case 16: pick(.reasoningTokens, .promptTokenCount, .generatedTokens, .outputTokenCount)
    case 17: pick(.completionTokens, .reasoningContent, .promptEvalCount)
    case 18: pick(.cacheWriteTokens, .incompleteDetails, .originalStatusCode, .thoughtsTokenCount)
    case 20: pick(.inputTokensDetails, .cacheReadInputTokensCamel, .candidatesTokenCount)
    case 21: pick(.outputTokensDetails, .promptTokensDetails, .cacheWriteInputTokensCamel)
    case 23: pick(.cacheReadInputTokens, .cachedContentTokenCount, .toolUsePromptTokenCount)
    case 24: pick(.cacheReadInputTokenCount)
    case 25: pick(.completionTokensDetails, .cacheWriteInputTokenCount)
    case 27: pick(.cacheCreationInputTokens)
    case 32: pick(.invocationMetrics)
    default: .other
    }
  }
}

/// Where a value stands in a document: the keys from the root, eight bits each, at most eight levels. Deeper values
/// have no path and are not visited.
struct JSONPath: Hashable {
  fileprivate(set) var bits: UInt64 = 0
  fileprivate(set) var depth = 0

  static let deepest = 8

  init(_ keys: JSONKey...) {
    for key in keys { push(key) }
  }

  mutating func push(_ key: JSONKey) {
    depth += 1
    if depth <= Self.deepest { bits = bits << 8 | UInt64(key.rawValue) }
  }

  mutating func replaceLast(with key: JSONKey) {
    if depth <= Self.deepest { bits = bits & ~0xFF | UInt64(key.rawValue) }
  }

  mutating func pop() {
    if depth <= Self.deepest { bits >>= 8 }
    depth -= 1
  }

  var last: JSONKey { depth > Self.deepest ? .other : JSONKey(rawValue: UInt8(truncatingIfNeeded: bits)) ?? .other }

  func hasPrefix(_ prefix: JSONPath) -> Bool {
    guard depth >= prefix.depth, depth <= Self.deepest else { return false }
    return bits >> UInt64(8 * (depth - prefix.depth)) == prefix.bits
  }
}

extension JSONPath {
  /// The path below `prefix`, or nothing when the value stands elsewhere.
  func dropping(_ prefix: JSONPath) -> JSONPath? {
    guard hasPrefix(prefix), depth > prefix.depth else { return nil }
    var rest = JSONPath()
    rest.depth = depth - prefix.depth
    rest.bits = bits & (UInt64.max >> UInt64(8 * (Self.deepest - rest.depth)))
    return rest
  }
}
