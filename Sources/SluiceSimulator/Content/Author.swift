import SluiceDialects

/// Plays the model: turns a request into what it says. The same seed and request give the same answer.
///
/// Words in the question steer it, so that a test can ask for a case: `[[refuse]]` is refused, `[[filter]]` meets the
/// content filter, `[[tokens=N]]` sets the length of the prose, `[[cached=N]]` how much of the prompt was cached.
struct Author {
  let seed: UInt64
  let answerTokens: Int?

  private static let maxParallelCalls = 4
  private static let maxDirectedTokens = 100_000

  func write(_ request: CompletionRequest, choice: Int = 0) -> Completion {
    var random = SeededRandom(seed: seed ^ request.hash, stream: UInt64(choice))
    var completion = Completion()
    // Nearly always there is no such word, which one look tells.
    let isDirected = request.question.firstByteRange(of: "[[") != nil
    if isDirected, request.question.firstByteRange(of: "[[refuse]]") != nil {
      completion.text = "I can't help with that."
      completion.finish = .refusal
    } else if isDirected, request.question.firstByteRange(of: "[[filter]]") != nil {
      completion.finish = .contentFilter
    } else {
      if request.wantsThinking { completion.thinking = Prose.thought(about: request.question, random: &random) }
      say(request, &completion, &random)
    }
    limit(&completion, request)
    if isDirected, let cached = Self.directed("[[cached=", request.question) {
      completion.cachedTokens = min(cached, request.promptTokens)
    }
    return completion
  }

  private func say(_ request: CompletionRequest, _ completion: inout Completion, _ random: inout SeededRandom) {
    if callsTools(request) {
      completion.toolCalls = toolCalls(request, &random)
      completion.finish = .toolCalls
      return
    }
    if let schema = request.schema {
      var filler = SchemaFiller(root: schema, names: Self.names(in: request.question), random: random)
      completion.text = filler.fill().jsonText
      return
    }
    let drawn = random.logNormal(median: 48, spread: 0.5)
    let wanted = Self.directed("[[tokens=", request.question) ?? answerTokens ?? Int(min(400, max(8, drawn)))
    // One more than allowed shows as `length`, and nothing beyond that is ever written.
    let length = min(wanted, request.maxTokens == .max ? .max : request.maxTokens + 1)
    completion.text = Prose.answer(about: request.question, tokens: length, random: &random)
  }

  // MARK: Tools

  private func callsTools(_ request: CompletionRequest) -> Bool {
    guard !request.tools.isEmpty else { return false }
    switch request.toolMode {
    case .none: return false
    case .auto: return !request.endsWithToolResults
    case .required, .named: return true
    }
  }

  /// One call for each name in the question ("Weather in Paris and Oslo?"), if calls may be parallel.
  private func toolCalls(_ request: CompletionRequest, _ random: inout SeededRandom) -> [Completion.ToolCall] {
    let names = Self.names(in: request.question)
    let tool = chosenTool(request, &random)
    let count = request.allowsParallelTools ? min(max(1, names.count), Self.maxParallelCalls) : 1
    return (0..<count).map { index in
      if tool.isCustom {
        let text = names.isEmpty ? "input" : names[index % names.count]
        return Completion.ToolCall(name: tool.name, arguments: text, input: .string(text), isCustom: true)
      }
      let inner = SeededRandom(seed: random.next())
      var filler = SchemaFiller(root: tool.schema, names: names, nameIndex: index, random: inner)
      var input = filler.fill()
      if input.members == nil { input = .object([]) }
      return Completion.ToolCall(name: tool.name, arguments: input.jsonText, input: input, isCustom: false)
    }
  }

  private func chosenTool(_ request: CompletionRequest, _ random: inout SeededRandom) -> CompletionRequest.Tool {
    if case .named(let name) = request.toolMode, let tool = request.tools.first(where: { $0.name == name }) {
      return tool
    }
    let question = request.question.lowercased()
    let mentioned = request.tools.first { tool in
      tool.name.lowercased().split(whereSeparator: { $0 == "_" || $0 == "-" }).contains { part in
        part.count > 3 && question.contains(part)
      }
    }
    return mentioned ?? request.tools[random.below(request.tools.count)]
  }

  /// Words with a capital letter after the first: what a question is usually about.
  static func names(in question: String) -> [String] {
    question.prefix(2_000).split(whereSeparator: { !$0.isLetter }).dropFirst()
      .filter { $0.count > 1 && $0.first?.isUppercase == true }.map(String.init)
  }

  private static func directed(_ word: String, _ question: String) -> Int? {
    guard let start = question.firstByteRange(of: word)?.upperBound else { return nil }
    return Int(question[start...].prefix { $0.isNumber }).map { min(max(1, $0), maxDirectedTokens) }
  }

  // MARK: Ends

  /// Stop texts first, then the limit, as generation would meet them.
  private func limit(_ completion: inout Completion, _ request: CompletionRequest) {
    var cut: (index: String.Index, stop: String)?
    for stop in request.stops where !stop.isEmpty {
      guard let found = completion.text.firstByteRange(of: stop)?.lowerBound else { continue }
      if cut == nil || found < cut?.index ?? found { cut = (found, stop) }
    }
    if let cut {
      completion.text = String(completion.text[..<cut.index])
      completion.finish = .stopSequence(cut.stop)
    }
    completion.thinkingTokens = completion.thinking.map(TokenRule.count) ?? 0
    let callTokens = completion.toolCalls.reduce(0) {
      $0 + TokenRule.count($1.name) + TokenRule.count($1.arguments)
    }
    let textTokens = TokenRule.count(completion.text)
    completion.outputTokens = completion.thinkingTokens + callTokens + textTokens
    guard completion.outputTokens > request.maxTokens else { return }
    completion.finish = .length
    completion.toolCalls = []
    if completion.thinkingTokens > request.maxTokens, let thinking = completion.thinking {
      completion.thinking = TokenRule.prefix(thinking, tokens: request.maxTokens)
      completion.thinkingTokens = request.maxTokens
    }
    completion.text = TokenRule.prefix(completion.text, tokens: request.maxTokens - completion.thinkingTokens)
    completion.outputTokens = completion.thinkingTokens + TokenRule.count(completion.text)
  }
}
