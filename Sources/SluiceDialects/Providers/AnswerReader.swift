/// Collects what one or more JSON documents of an answer say; both the reader of whole answers and the stream meter
/// work through it. One provider's `read` functions know the paths.
package struct AnswerReader: Sendable {
  var counters = UsageCounters()
  var finish: FinishReason?
  var safety: SafetySignal?
  /// A token, or anything else that the model produced, was in the document.
  var sawOutput = false {
    didSet { if sawOutput { isOutput = true } }
  }
  /// Something that the model produced was in the document or event at hand.
  var isOutput = false
  /// A tool was called, for providers whose finish reason does not tell.
  var sawToolCall = false
  var error: ProviderErrorBody?
  /// The document's `status` says that generation failed (Responses API).
  var saysFailed = false
  var tier = ModelPrice.Tier.standard

  /// The tier that served the request, whatever the client wished for.
  mutating func note(tier value: JSONScalar) {
    switch value.text(limit: 16)?.lowercased() {
    case "flex": tier = .flex
    case "priority": tier = .priority
    default: tier = .standard
    }
  }

  mutating func set(_ field: WritableKeyPath<UsageCounters, Int?>, _ value: JSONScalar) {
    if let count = value.count { counters[keyPath: field] = count }
  }

  mutating func note(error part: WritableKeyPath<ProviderErrorBody, String?>, _ value: JSONScalar) {
    guard let text = value.text(limit: ProviderErrorBody.textLimit) else { return }
    var known = error ?? ProviderErrorBody()
    known[keyPath: part] = text
    error = known
  }
}
