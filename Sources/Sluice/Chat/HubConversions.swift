import SluiceDialects

// The library's own types are text only and public; the wire formats work on the hub's, which know everything that any
// provider can say.

extension ChatMessage {
  var hub: SluiceDialects.ChatMessage {
    switch role {
    case .system: SluiceDialects.ChatMessage(.system, text: text)
    case .user: SluiceDialects.ChatMessage(.user, text: text)
    case .assistant: SluiceDialects.ChatMessage(.assistant, text: text)
    }
  }
}

extension ChatAnswer {
  /// - Parameter model: for providers that do not say who answered.
  init(_ answer: SluiceDialects.ChatAnswer, model: String) {
    var text = ""
    var refusal = ""
    for part in answer.parts {
      switch part {
      case .text(let piece): text += piece
      case .refusal(let piece): refusal += piece
      default: break
      }
    }
    self.init(
      text: text.isEmpty ? refusal : text, model: answer.model.isEmpty ? model : answer.model,
      finishReason: answer.finish.label, usage: answer.usage.map(ChatUsage.init) ?? ChatUsage())
  }
}

extension ChatUsage {
  init(_ usage: TokenUsage) { self.init(inputTokens: usage.input, outputTokens: usage.output) }
}
