extension OpenAI {
  /// `GET /models` costs no tokens and proves name, TLS and key.
  package static func probe(_ options: ProviderOptions) -> ProbeCall { ProbeCall("/models") }
}
