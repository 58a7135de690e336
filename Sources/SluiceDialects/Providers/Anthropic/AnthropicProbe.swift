extension Anthropic {
  /// `GET /v1/models` costs no tokens and proves name, TLS and key; one model is enough.
  static let probeTarget: StaticString = "/v1/models?limit=1"
}
