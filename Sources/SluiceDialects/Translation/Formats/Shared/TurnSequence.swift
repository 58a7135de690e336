/// A conversation for providers that know two speakers who alternate: Gemini and Bedrock. System texts are taken out,
/// neighbours of one speaker are merged, and tool results stand at the front of the user's turn after the calls. Calls
/// that nobody answered have their error result already (`ToolCallRepair`).
struct TurnSequence {
  struct Turn {
    var isUser: Bool
    var parts: [ContentPart]
    /// How many of the parts, from the front, are results of tools.
    var results = 0
    /// Behind these parts the prompt may be cached.
    var cacheMarks: [Int] = []
  }

  private(set) var system: [String] = []
  private(set) var systemEndsCachedPrefix = false
  private(set) var turns: [Turn] = []
  private let joinsLateSystem: Bool

  /// What stands for a first word of the user where the conversation begins with the assistant.
  static let opening = "."

  /// - Parameter joinsLateSystem: system messages behind the first turn join the others; else they become words of the
  ///   user.
  init(_ messages: [ChatMessage], joinsLateSystem: Bool) {
    self.joinsLateSystem = joinsLateSystem
    for message in messages { add(message) }
    turns.removeAll { $0.parts.isEmpty }
    if let first = turns.first, !first.isUser { turns.insert(Turn(isUser: true, parts: [.text(Self.opening)]), at: 0) }
  }

  /// The system texts with an empty line between them; nothing when there are none.
  var systemText: String? { system.isEmpty ? nil : system.joined(separator: "\n\n") }

  private mutating func add(_ message: ChatMessage) {
    switch message.role {
    case .system: addSystem(message)
    case .user: append(Self.spoken(message.parts), isUser: true)
    case .assistant: append(Self.spoken(message.parts), isUser: false)
    case .tool: for part in message.parts { answer(part) }
    }
    if message.endsCachedPrefix, message.role != .system, let last = turns.indices.last {
      turns[last].cacheMarks.append(turns[last].parts.count)
    }
  }

  private mutating func addSystem(_ message: ChatMessage) {
    let text = message.text
    guard !text.isEmpty else { return }
    if turns.isEmpty || joinsLateSystem {
      system.append(text)
      if message.endsCachedPrefix { systemEndsCachedPrefix = true }
    } else {
      append([.text(text)], isUser: true)
    }
  }

  /// Neither provider takes empty texts.
  private static func spoken(_ parts: [ContentPart]) -> [ContentPart] {
    parts.filter { $0 != .text("") && $0 != .refusal("") }
  }

  private mutating func append(_ parts: [ContentPart], isUser: Bool) {
    if let last = turns.indices.last, turns[last].isUser == isUser {
      turns[last].parts += parts
    } else {
      turns.append(Turn(isUser: isUser, parts: parts))
    }
  }

  private mutating func answer(_ part: ContentPart) {
    if turns.last?.isUser != true { turns.append(Turn(isUser: true, parts: [])) }
    guard let last = turns.indices.last else { return }
    let place = turns[last].results
    turns[last].parts.insert(part, at: place)
    turns[last].cacheMarks = turns[last].cacheMarks.map { $0 > place ? $0 + 1 : $0 }
    turns[last].results += 1
  }
}
