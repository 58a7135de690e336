import SluiceDialects
import SluicePolicy

/// Clocks for the beginning of an answer, where the pool sets none: by what is known about the model and this size of
/// prompt.
extension Exchange {
  /// What bounds the exchange at the target at hand.
  func settings() -> ExchangeSettings {
    var settings = target.pool.exchange
    guard let subject = clockSubject else { return settings }
    let limit = loop.answerClocks.limit(subject, inputTokens: promptTokens)
    if wantsStream { settings.firstToken = limit } else { settings.firstByte = limit }
    return settings
  }

  /// Nothing where the configuration has the word, or where nothing is known about the request.
  private var clockSubject: AnswerClocks.Subject? {
    let set = wantsStream ? target.pool.exchange.firstToken : target.pool.exchange.firstByte
    guard set == nil, isScanned, let route else { return nil }
    return AnswerClocks.Subject(pool: target.slot, model: route.hash, streams: wantsStream)
  }

  /// The attempt is over.
  func learn(from report: ExchangeReport) {
    switch report.result {
    case .success where !wantsStream: learn(beginning: report.latency)
    case .failed(.timeout) where firstTokenAt == nil && (wantsStream || report.latency == .zero):
      guard let subject = clockSubject else { return }
      loop.answerClocks.expired(subject, inputTokens: promptTokens)
    default: break
    }
  }

  /// The answer began this long after the request was sent.
  func learn(beginning elapsed: Interval) {
    guard elapsed > .zero, let subject = clockSubject else { return }
    loop.answerClocks.answered(subject, inputTokens: promptTokens, after: elapsed)
  }
}
