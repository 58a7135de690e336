/// Whom a request is written for.
package struct ChatTarget: Sendable {
  package var provider: Provider
  /// The upstream's name of the model.
  package var model: String
  package var facts: ModelFacts
  package var options: ProviderOptions

  package init(
    provider: Provider, model: String, facts: ModelFacts = ModelFacts(), options: ProviderOptions = .none
  ) {
    self.provider = provider
    self.model = model
    self.facts = facts
    self.options = options
  }
}

/// What is known about a model beside its name; every field may be unknown. Filled from the model catalogue and from
/// providers' lists.
package struct ModelFacts: Hashable, Sendable {
  /// Tokens that prompt and answer may have together.
  package var contextTokens: Int?
  package var maxOutputTokens: Int?
  /// False: `temperature`, `top_p` and `top_k` are refused and must not be sent.
  package var acceptsSampling: Bool?
  package var acceptsImages: Bool?
  package var acceptsTools: Bool?
  package var reasons: Bool?

  package init() {}
}

/// What the writer of an answer has to know about the request.
package struct ReplyFacts: Hashable, Sendable {
  /// The model as the client named it.
  package var model: String
  /// For ids where the provider gave none: visible ASCII, unique.
  package var id: String
  /// Unix seconds.
  package var created: Int
  /// The client wants usage at the end of its stream.
  package var includesUsage: Bool
  /// The provider's names of tools to the client's, where they differ.
  package var toolNames: [String: String]
  /// The client wants its stream as one JSON array (Gemini).
  package var asArray = false

  package init(
    model: String, id: String, created: Int, includesUsage: Bool = true, toolNames: [String: String] = [:]
  ) {
    self.model = model
    self.id = id
    self.created = created
    self.includesUsage = includesUsage
    self.toolNames = toolNames
  }

  package func toolName(_ name: String) -> String { toolNames[name] ?? name }
}
