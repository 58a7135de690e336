import SluiceDialects

/// What the author wrote, as the product's wire formats take it.
struct HubAnswer {
  let request: CompletionRequest
  let completion: Completion
  /// Tool calls have ids where the protocol has any.
  let ids: SeededRandom
  let idRule: IDRule

  /// How a provider's tool-call ids look.
  enum IDRule { case prefixed(String), nineCharacters }

  var usage: TokenUsage {
    TokenUsage(
      input: request.promptTokens, output: completion.outputTokens, cachedInput: completion.cachedTokens, cacheWrite: 0,
      reasoning: completion.thinkingTokens)
  }

  private var finish: (FinishReason, String?) {
    switch completion.finish {
    case .stop: (.stop, nil)
    case .length: (.length, nil)
    case .toolCalls: (.toolUse, nil)
    case .contentFilter: (.contentFilter, nil)
    case .refusal: (.refusal, nil)
    case .stopSequence(let text): (.stopSequence, text)
    }
  }

  private func callIDs() -> [String] {
    var random = ids
    return completion.toolCalls.map { _ in
      switch idRule {
      case .prefixed(let prefix): random.identifier(prefix, 20)
      case .nineCharacters: random.identifier("", 9)
      }
    }
  }

  func whole(id: String) -> ChatAnswer {
    var parts: [ContentPart] = []
    if let thought = completion.thinking { parts.append(.reasoning(ReasoningPart(thought, signature: "c2ltdWxhdGVk"))) }
    if !completion.text.isEmpty { parts.append(.text(completion.text)) }
    for (call, callID) in zip(completion.toolCalls, callIDs()) {
      parts.append(.toolCall(ToolCall(id: callID, name: call.name, arguments: call.arguments)))
    }
    return ChatAnswer(
      id: id, model: request.model, parts: parts, finish: finish.0, stopSequence: finish.1, usage: usage)
  }

  /// The steps of a stream; pieces of output are marked, because they take their time.
  func deltas(id: String) -> [(ChatDelta, isToken: Bool)] {
    var steps: [(ChatDelta, isToken: Bool)] = [(.start(id: id, model: request.model), false)]
    if let thought = completion.thinking {
      for piece in Self.pieces(thought) { steps.append((.reasoning(piece), true)) }
      steps.append((.reasoningSignature("c2ltdWxhdGVk"), false))
    }
    for piece in Self.pieces(completion.text) { steps.append((.text(piece), true)) }
    for (index, (call, callID)) in zip(completion.toolCalls, callIDs()).enumerated() {
      steps.append((.toolCall(index: index, id: callID, name: call.name, signature: nil), true))
      for piece in Self.pieces(call.arguments) { steps.append((.toolArguments(index: index, piece), true)) }
    }
    steps.append((.finish(finish.0, stopSequence: finish.1), false))
    steps.append((.usage(usage), false))
    steps.append((.end, false))
    return steps
  }

  private static func pieces(_ text: String) -> [String] {
    var text = text
    return text.withUTF8 { bytes in
      var pieces: [String] = []
      var position = 0
      while position < bytes.count {
        let end = TokenRule.end(of: bytes, from: position)
        pieces.append(String(decoding: UnsafeBufferPointer(rebasing: bytes[position..<end]), as: UTF8.self))
        position = end
      }
      return pieces
    }
  }
}
