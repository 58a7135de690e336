/// A conversation for providers that know two speakers who alternate: Gemini and Bedrock. System texts are taken out,
/// what a provider does not take is left out, then neighbours of one speaker are merged, and tool results stand at the
/// front of the user's turn after the calls. Calls that nobody answered have their error result already
/// (`ToolCallRepair`).
struct TurnSequence {
  struct Turn {
    var isUser: Bool
    fileprivate var results: [ContentPart] = []
    fileprivate var spoken: [ContentPart] = []
    /// Marks behind so many results, before anything was said.
    private var resultMarks: Set<Int> = []
    /// Marks behind so many of the parts that were said.
    private var spokenMarks: Set<Int> = []

    fileprivate init(isUser: Bool, spoken: [ContentPart] = []) {
      self.isUser = isUser
      self.spoken = spoken
    }

    /// Results of tools first.
    var parts: [ContentPart] { results + spoken }
    /// Behind so many parts the prompt may be cached.
    var cacheMarks: Set<Int> { resultMarks.union(spokenMarks.map { $0 + results.count }) }

    fileprivate mutating func mark() {
      if spoken.isEmpty { resultMarks.insert(results.count) } else { spokenMarks.insert(spoken.count) }
    }
  }

  private(set) var system: [String] = []
  private(set) var systemEndsCachedPrefix = false
  private(set) var turns: [Turn] = []
  private let joinsLateSystem: Bool
  private let omits: (ContentPart) -> Bool

  /// What stands for a first word of the user where the conversation begins with the assistant.
  static let opening = "."

  /// - Parameters:
  ///   - joinsLateSystem: system messages behind the first turn join the others; else they become words of the user.
  ///   - omits: parts that the provider refuses or ignores, empty texts aside, which neither takes.
  init(_ messages: [ChatMessage], joinsLateSystem: Bool, omits: @escaping (ContentPart) -> Bool) {
    self.joinsLateSystem = joinsLateSystem
    self.omits = omits
    for message in messages { add(message) }
    if let first = turns.first, !first.isUser { turns.insert(Turn(isUser: true, spoken: [.text(Self.opening)]), at: 0) }
  }

  /// The system texts with an empty line between them; nothing when there are none.
  var systemText: String? { system.isEmpty ? nil : system.joined(separator: "\n\n") }

  private mutating func add(_ message: ChatMessage) {
    switch message.role {
    case .system: addSystem(message)
    case .user: append(spoken(message.parts), isUser: true)
    case .assistant: append(spoken(message.parts), isUser: false)
    case .tool: for part in message.parts { answer(part) }
    }
    if message.endsCachedPrefix, message.role != .system, let last = turns.indices.last {
      turns[last].mark()
    }
  }

  private mutating func addSystem(_ message: ChatMessage) {
    let text = message.text
    guard !text.isEmpty, !omits(.text(text)) else { return }
    if turns.isEmpty || joinsLateSystem {
      system.append(text)
      if message.endsCachedPrefix { systemEndsCachedPrefix = true }
    } else {
      append([.text(text)], isUser: true)
    }
  }

  private func spoken(_ parts: [ContentPart]) -> [ContentPart] {
    parts.filter { $0 != .text("") && $0 != .refusal("") && !omits($0) }
  }

  private mutating func append(_ parts: [ContentPart], isUser: Bool) {
    guard !parts.isEmpty else { return }
    if let last = turns.indices.last, turns[last].isUser == isUser {
      turns[last].spoken += parts
    } else {
      turns.append(Turn(isUser: isUser, spoken: parts))
    }
  }

  private mutating func answer(_ part: ContentPart) {
    if turns.last?.isUser != true { turns.append(Turn(isUser: true)) }
    turns[turns.count - 1].results.append(part)
  }
}
