/// What most providers want of a conversation before it is written in their form.
package enum Conversation {
  /// The leading system messages' texts joined by blank lines, and the rest.
  package static func splittingSystem(_ messages: [ChatMessage]) -> (system: String, rest: ArraySlice<ChatMessage>) {
    let leading = messages.prefix { $0.role == .system }
    let texts = leading.map(\.text).filter { !$0.isEmpty }
    return (texts.joined(separator: "\n\n"), messages.dropFirst(leading.count))
  }
}

extension Media {
  /// `data:image/png;base64,…` to its parts; nothing when the text is no such URL.
  package static func dataURL(_ text: String, name: String? = nil) -> Media? {
    var media = DataURL.media(text)
    guard case .base64 = media.source else { return nil }
    media.name = name
    return media
  }
}

extension ToolDefinition {
  /// The parameters as a schema of an object, which is what providers demand; a tool without any gets an empty one.
  package var objectSchema: JSONValue {
    guard let parameters, case .object(var members) = parameters else {
      return ["type": "object", "properties": [:]]
    }
    if parameters["type"] == nil { members.insert(JSONMember(name: "type", value: "object"), at: 0) }
    return .object(members)
  }
}

extension ChatRequest {
  /// The tools that may be called: an `among` choice filters them.
  package var offeredTools: [ToolDefinition] {
    guard case .among(let names, _) = toolChoice else { return tools }
    let offered = Set(names)
    return tools.filter { offered.contains($0.name) }
  }
}

extension Reasoning {
  /// False where it only says that nothing of it is wanted.
  package var asksToReason: Bool { nearestEffort.map { $0 != Effort.none } ?? false }

  /// An effort for protocols without budgets.
  package var nearestEffort: Effort? {
    if let effort { return effort }
    guard let budget else { return nil }
    switch budget {
    case ..<1: return Effort.none
    case ..<2048: return .low
    case ..<8192: return .medium
    default: return .high
    }
  }
}
