/// One model of the catalogue.
package struct CatalogueEntry: Hashable, Sendable {
  /// In the catalogue's own words: `chat`, `embedding`, `rerank`, …
  package var mode: String
  /// The provider's name in the catalogue, for example `bedrock_converse`.
  package var provider: String
  package var facts: ModelFacts
  package var price: ModelPrice

  /// Nothing when `value` is no model.
  init?(_ value: JSONValue) {
    guard let mode = value["mode"]?.string, let provider = value["litellm_provider"]?.string else { return nil }
    self.mode = mode
    self.provider = provider
    facts = Self.facts(value)
    price = Self.price(value)
  }

  /// False for the models of another provider that is known here; a name that nobody here has may be anybody's.
  package func mayBelong(to provider: Provider) -> Bool {
    let owner: Provider? =
      switch self.provider {
      case "openai": .openai
      case "azure": .azureOpenAI
      case "anthropic": .anthropic
      case "gemini": .gemini
      case "cohere", "cohere_chat": .cohere
      case "mistral": .mistral
      case "huggingface": .huggingface
      case "ollama": .local
      case "bedrock", "bedrock_converse": .bedrock
      default: nil
      }
    return owner == nil || owner == provider
  }

  private static func facts(_ value: JSONValue) -> ModelFacts {
    var facts = ModelFacts()
    facts.contextTokens = value["max_input_tokens"]?.int.flatMap { $0 > 0 ? $0 : nil }
    facts.maxOutputTokens = value["max_output_tokens"]?.int.flatMap { $0 > 0 ? $0 : nil }
    facts.acceptsSampling = value["supports_sampling_params"]?.bool
    facts.acceptsImages = value["supports_vision"]?.bool
    facts.acceptsTools = value["supports_function_calling"]?.bool
    facts.reasons = value["supports_reasoning"]?.bool
    return facts
  }

  private static func price(_ value: JSONValue) -> ModelPrice {
    let sizes = (value.members ?? []).compactMap { size(in: $0.name) }
    let steps = ([0] + Set(sizes).sorted()).map { size in
      var step = ModelPrice.Step(above: size == 0 ? -1 : size * 1000)
      for tier in ModelPrice.Tier.allCases {
        step[tier] = rates(value, (size == 0 ? "" : "_above_\(size)k_tokens") + tier.rawValue)
      }
      return step
    }
    return ModelPrice(steps: steps, perQuery: picoDollars(value["input_cost_per_query"]))
  }

  private static func rates(_ value: JSONValue, _ suffix: String) -> ModelPrice.Rates {
    ModelPrice.Rates(
      input: picoDollars(value["input_cost_per_token" + suffix]),
      output: picoDollars(value["output_cost_per_token" + suffix]),
      cached: picoDollars(value["cache_read_input_token_cost" + suffix]),
      written: picoDollars(value["cache_creation_input_token_cost" + suffix]))
  }

  /// The 272 of `input_cost_per_token_above_272k_tokens`; nothing that a count of tokens cannot be.
  private static func size(in name: String) -> Int? {
    let parts = name.split(separator: "_")
    guard let above = parts.firstIndex(of: "above"), above + 1 < parts.count, parts[above + 1].last == "k" else {
      return nil
    }
    guard let size = Int(parts[above + 1].dropLast()), size > 0,
      !size.multipliedReportingOverflow(by: 1000).overflow
    else { return nil }
    return size
  }

  private static func picoDollars(_ value: JSONValue?) -> Int? {
    guard let dollars = value?.double, dollars >= 0, dollars < 1000 else { return nil }
    return Int((dollars * 1e12).rounded())
  }
}
