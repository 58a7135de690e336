extension Anthropic {
  /// `GET /v1/models` costs no tokens and proves name, TLS and key; one model is enough.
  package static func probe(_ options: ProviderOptions) -> ProbeCall { ProbeCall("/v1/models?limit=1") }
}
