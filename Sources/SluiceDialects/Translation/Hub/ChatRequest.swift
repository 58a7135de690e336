/// A chat request in one form for all protocols: what every client's request is read into and every provider's request
/// is written from. Its shape follows OpenAI's chat completions, the hub of the translation rules; what no second
/// protocol knows is not in it, and is named to the client as dropped.
package struct ChatRequest: Hashable, Sendable {
  /// The client's name of the model.
  package var model: String
  /// In order, system messages in their places.
  package var messages: [ChatMessage]
  /// Most tokens of the answer, with the reasoning.
  package var maxOutputTokens: Int?
  package var sampling = Sampling()
  package var stop: [String] = []
  package var tools: [ToolDefinition] = []
  package var toolChoice: ToolChoice?
  /// False: at most one tool call at a time.
  package var parallelToolCalls: Bool?
  package var responseFormat = ResponseFormat.text
  package var reasoning: Reasoning?
  package var streams = false
  /// The client wants usage at the end of its stream. Protocols that always say it set this.
  package var includesUsage = false
  /// Who the end user is, as an opaque text.
  package var user: String?
  package var serviceTier: String?

  package struct Sampling: Hashable, Sendable {
    package var temperature: Double?
    package var topP: Double?
    package var topK: Int?
    package var seed: Int?
    package var presencePenalty: Double?
    package var frequencyPenalty: Double?

    package init() {}
    package var isEmpty: Bool { self == Sampling() }
  }

  package init(model: String, messages: [ChatMessage] = []) {
    self.model = model
    self.messages = messages
  }
}

package struct ToolDefinition: Hashable, Sendable {
  package var name: String
  package var description: String?
  /// A JSON Schema of an object; nothing for a tool without parameters.
  package var parameters: JSONValue?
  package var isStrict: Bool?

  package init(name: String, description: String? = nil, parameters: JSONValue? = nil, isStrict: Bool? = nil) {
    self.name = name
    self.description = description
    self.parameters = parameters
    self.isStrict = isStrict
  }
}

package enum ToolChoice: Hashable, Sendable {
  case automatic
  case none
  /// Some tool must be called.
  case required
  case tool(String)
  /// Only these may be called; `required`: one of them must be.
  case among([String], required: Bool)
}

package enum ResponseFormat: Hashable, Sendable {
  case text
  /// Any JSON object.
  case json
  case schema(name: String?, schema: JSONValue, isStrict: Bool?)
}

/// How much the model should think before it answers.
package struct Reasoning: Hashable, Sendable {
  package enum Effort: String, CaseIterable, Hashable, Sendable {
    case none, minimal, low, medium, high, xhigh, max
  }

  package var effort: Effort?
  /// Most tokens for it.
  package var budget: Int?
  /// The client wants to see the thoughts; nothing: as the provider likes.
  package var isVisible: Bool?

  package init(effort: Effort? = nil, budget: Int? = nil, isVisible: Bool? = nil) {
    self.effort = effort
    self.budget = budget
    self.isVisible = isVisible
  }
}
