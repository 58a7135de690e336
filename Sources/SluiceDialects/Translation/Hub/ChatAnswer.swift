/// A whole answer in one form for all protocols. One choice: requests for several are not translated.
package struct ChatAnswer: Hashable, Sendable {
  /// The provider's own id; empty when it gave none.
  package var id: String
  /// As the provider resolved it; empty when it did not say.
  package var model: String
  /// Text, reasoning, refusal and tool calls in order.
  package var parts: [ContentPart]
  package var finish: FinishReason
  /// The stop sequence that ended the answer, where the provider says which.
  package var stopSequence: String?
  package var usage: TokenUsage?

  package init(
    id: String = "", model: String = "", parts: [ContentPart], finish: FinishReason, stopSequence: String? = nil,
    usage: TokenUsage? = nil
  ) {
    self.id = id
    self.model = model
    self.parts = parts
    self.finish = finish
    self.stopSequence = stopSequence
    self.usage = usage
  }
}

/// One step of a streamed answer. Readers hand them out in the order of the provider's stream; writers may rely on:
///
/// - `start` comes first and once; `finish` once, after the last content; then `usage` at most once (it may also come
///   before `finish` and repeatedly: the last one counts); `end` last.
/// - A tool call is `toolCall` first, then its `toolArguments`, each under the call's index, which counts calls only
///   (0, 1, 2 …). Arguments of several calls may interleave.
/// - After `failure` nothing comes.
package enum ChatDelta: Hashable, Sendable {
  case start(id: String, model: String)
  case text(String)
  case refusal(String)
  case reasoning(String)
  /// Closes the reasoning so far.
  case reasoningSignature(String)
  case redactedReasoning(String)
  case toolCall(index: Int, id: String, name: String, signature: String?)
  case toolArguments(index: Int, String)
  case finish(FinishReason, stopSequence: String?)
  case usage(TokenUsage)
  /// The provider's stream came to its proper end.
  case end
  case failure(ProviderFailure)
}
