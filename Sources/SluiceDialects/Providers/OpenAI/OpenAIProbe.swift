extension OpenAI {
  /// `GET /models` costs no tokens and proves name, TLS and key.
  static let probeTarget: StaticString = "/models"
}
