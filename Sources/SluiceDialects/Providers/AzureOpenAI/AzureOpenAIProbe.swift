extension AzureOpenAI {
  /// Costs no tokens and proves endpoint and key, though not that a deployment exists.
  package static func probe(_ options: ProviderOptions) -> ProbeCall {
    guard options[text: "style"] != "v1" else { return ProbeCall("/openai/v1/models") }
    var target = Array("/openai/models?api-version=".utf8)
    PercentText.append(options[text: "api_version"] ?? defaultVersion, to: &target)
    return ProbeCall(String(decoding: target, as: UTF8.self))
  }
}
