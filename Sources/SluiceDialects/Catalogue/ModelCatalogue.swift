/// What is known about models: sizes, abilities and prices. Ships with an extract; a file in the same format replaces or
/// adds single models. Immutable.
package struct ModelCatalogue: Sendable {
  private let entries: [String: CatalogueEntry]

  /// Most models that are kept; a full public list has fewer.
  package static let limit = 20_000

  /// Bytes of a file; the full public list has three million.
  package static let fileLimit = 16 << 20

  package static let shipped: ModelCatalogue = {
    let bytes = unsafe Array(ShippedModels.json.utf8Bytes)
    guard let catalogue = try? ModelCatalogue(json: bytes) else { preconditionFailure("the shipped extract is sound") }
    return catalogue
  }()

  private init(_ entries: [String: CatalogueEntry]) { self.entries = entries }

  /// - Parameter json: an object of models by id, as litellm publishes it; entries that are no models are skipped.
  package init(json: [UInt8]) throws(JSONError) {
    guard case .object(let members) = try JSONReader.read(json) else {
      throw JSONError(reason: "the catalogue has to be an object of models by id", offset: 0)
    }
    var entries: [String: CatalogueEntry] = [:]
    for member in members.prefix(Self.limit) {
      if let entry = CatalogueEntry(member.value) { entries[member.name] = entry }
    }
    self.entries = entries
  }

  /// This catalogue with the models of another one replaced or added.
  package func overridden(by other: ModelCatalogue) -> ModelCatalogue {
    ModelCatalogue(entries.merging(other.entries) { $1 })
  }

  package var count: Int { entries.count }

  /// The model as a provider names it, among those that are that provider's: exactly, below the provider's prefix, without a date, or without a Bedrock region.
  /// Never a model that is merely similar.
  package func entry(_ model: String, _ provider: Provider) -> CatalogueEntry? {
    for name in Self.spellings(model) {
      if let entry = entries[Self.prefix(provider) + name] ?? entries[name], entry.mayBelong(to: provider) {
        return entry
      }
    }
    return nil
  }

  package func facts(_ model: String, _ provider: Provider) -> ModelFacts {
    entry(model, provider)?.facts ?? ModelFacts()
  }

  private static func spellings(_ model: String) -> [String] {
    var names = [model]
    for region in ["us.", "eu.", "apac.", "global."] where model.hasPrefix(region) {
      names.append(String(model.dropFirst(region.count)))
    }
    if let undated = undated(model) { names.append(undated) }
    return names
  }

  /// Without `-2024-08-06` or `-20250929` at the end.
  private static func undated(_ model: String) -> String? {
    let parts = model.split(separator: "-")
    func isNumber(_ part: Substring, _ count: Int) -> Bool {
      part.utf8.count == count && part.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
    }
    if let last = parts.last, parts.count > 1, isNumber(last, 8) {
      return parts.dropLast().joined(separator: "-")
    }
    guard parts.count > 3 else { return nil }
    let date = parts.suffix(3)
    guard zip(date, [4, 2, 2]).allSatisfy({ isNumber($0, $1) }) else { return nil }
    return parts.dropLast(3).joined(separator: "-")
  }

  private static func prefix(_ provider: Provider) -> String {
    switch provider {
    case .azureOpenAI: "azure/"
    case .gemini: "gemini/"
    case .mistral: "mistral/"
    case .local: "ollama/"
    case .huggingface: "huggingface/"
    case .openai, .anthropic, .cohere, .bedrock: ""
    }
  }
}
