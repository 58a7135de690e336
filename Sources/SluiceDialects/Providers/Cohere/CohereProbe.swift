extension Cohere {
  /// The model list costs nothing and proves name, TLS and key; one model is enough.
  package static func probe(_ options: ProviderOptions) -> ProbeCall { ProbeCall("/v1/models?page_size=1") }
}
