/// What the gateway knows about a request from its first line and headers.
package struct SurfaceMatch: Hashable, Sendable {
  package var surface: Surface
  package var operation: Operation
  /// The model, deployment or response id inside the path, as offsets into it, still percent-encoded.
  package var identifier: Range<Int>?
  /// For `/pools/{pool}/…`: the pool's name, likewise.
  package var pool: Range<Int>?
  /// What of the path is the provider's own business, where the gateway's paths have more in front.
  package var providerPath: Int?

  package init(
    surface: Surface, operation: Operation, identifier: Range<Int>? = nil, pool: Range<Int>? = nil,
    providerPath: Int? = nil
  ) {
    self.surface = surface
    self.operation = operation
    self.identifier = identifier
    self.pool = pool
    self.providerPath = providerPath
  }

  /// Gemini's streams are one JSON array unless the query asks for events.
  package func refined(query: ByteSlice?) -> SurfaceMatch {
    guard operation == .streamGenerateContent else { return self }
    var start = 0
    while let query, start < query.count {
      let end = query.firstIndex(of: 0x26, from: start) ?? query.count
      let pair = query[start..<end]
      if pair.equals("alt=sse") || pair.equals("$alt=sse") || pair.equalsIgnoringCase("%24alt=sse") { return self }
      start = end + 1
    }
    var match = self
    match.operation = .streamGenerateArray
    return match
  }

  /// The body has to be scanned before the first upstream byte: for `model` and `stream`, or because what it asks for
  /// decides where it may go.
  package var inspected: Bool { operation.hasModelInBody || operation.hasModelInPath }
}

/// Recognises the client's protocol. Paths are matched exactly, byte by byte: no trailing slash, no case folding, no
/// percent-decoding, so that two programs can never disagree about what a path means. The one exception is the colon
/// before Gemini's methods, which its SDK escapes.
package enum SurfaceMatcher {
  package static func match(method: HTTPMethodToken, path: ByteSlice, headers: HeaderView) -> SurfaceMatch? {
    guard let found = find(path: path, headers: headers, isDelete: method == .delete) else { return nil }
    guard found.operation != .native else { return method == .trace ? nil : found }
    return method == self.method(of: found.operation) ? found : nil
  }

  /// For a 405: the methods a known path takes, or nothing when the path itself is unknown.
  package static func allowedMethods(path: ByteSlice, headers: HeaderView) -> String? {
    guard let found = find(path: path, headers: headers, isDelete: false) else { return nil }
    switch found.operation {
    case .readResponse: return "GET, DELETE"
    // TRACE would send our credential back to the client.
    case .native: return "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
    default: return method(of: found.operation).name?.description
    }
  }

  private static func method(of operation: Operation) -> HTTPMethodToken {
    switch operation {
    case .models, .model, .readResponse, .inputItems, .ollamaTags, .ollamaVersion: .get
    case .deleteResponse: .delete
    default: .post
    }
  }

  private static func find(path: ByteSlice, headers: HeaderView, isDelete: Bool) -> SurfaceMatch? {
    if path.hasPrefix("/v1/") { return version1(path, headers, isDelete) }
    if path.hasPrefix("/v1beta/") { return gemini(path, from: 8) }
    if path.hasPrefix("/v2/") { return cohere(path) }
    if path.hasPrefix("/api/") { return ollama(path) }
    if path.hasPrefix("/model/") { return bedrock(path) }
    if path.hasPrefix("/openai/") { return azure(path, headers, isDelete) }
    return path.hasPrefix("/pools/") ? native(path) : nil
  }

  /// OpenAI, Anthropic and Gemini share the prefix.
  private static func version1(_ path: ByteSlice, _ headers: HeaderView, _ isDelete: Bool) -> SurfaceMatch? {
    let rest = path.suffix(from: 4)
    if let operation = fixedOpenAI(rest) { return SurfaceMatch(surface: .openai, operation: operation) }
    if rest.equals("messages") { return SurfaceMatch(surface: .anthropic, operation: .messages) }
    if rest.equals("messages/count_tokens") { return SurfaceMatch(surface: .anthropic, operation: .countTokens) }
    if rest.equals("models") { return SurfaceMatch(surface: modelsSurface(headers), operation: .models) }
    if rest.hasPrefix("models/"), rest.count > 7 {
      if let match = geminiMethod(path, modelStart: 11) { return match }
      return SurfaceMatch(surface: modelsSurface(headers), operation: .model, identifier: 11..<path.count)
    }
    if rest.hasPrefix("responses/") { return storedResponse(path, start: 14, isDelete: isDelete) }
    return nil
  }

  private static func fixedOpenAI(_ rest: ByteSlice) -> Operation? {
    if rest.equals("chat/completions") { return .chat }
    if rest.equals("responses") { return .responses }
    if rest.equals("embeddings") { return .embeddings }
    if rest.equals("completions") { return .completions }
    if rest.equals("responses/input_tokens") { return .inputTokens }
    if rest.equals("responses/compact") { return .compactResponse }
    if rest.equals("fim/completions") { return .fillInMiddle }
    if rest.equals("rerank") { return .rerank }
    return nil
  }

  /// Three families list their models at the same path: Anthropic clients send a version, Gemini's a key header.
  private static func modelsSurface(_ headers: HeaderView) -> Surface {
    if headers.contains(.anthropicVersion) { return .anthropic }
    return headers.contains(.googleAPIKey) ? .gemini : .openai
  }

  private static func storedResponse(_ path: ByteSlice, start: Int, isDelete: Bool) -> SurfaceMatch? {
    guard let slash = path.firstIndex(of: Ascii.slash, from: start) else {
      guard path.count > start else { return nil }
      let operation: Operation = isDelete ? .deleteResponse : .readResponse
      return SurfaceMatch(surface: .openai, operation: operation, identifier: start..<path.count)
    }
    guard slash > start else { return nil }
    let operation: Operation
    if path.suffix(from: slash).equals("/cancel") {
      operation = .cancelResponse
    } else if path.suffix(from: slash).equals("/input_items") {
      operation = .inputItems
    } else {
      return nil
    }
    return SurfaceMatch(surface: .openai, operation: operation, identifier: start..<slash)
  }
}

// MARK: - The other surfaces

extension SurfaceMatcher {
  /// - Parameter start: behind the version, where `models` begins.
  private static func gemini(_ path: ByteSlice, from start: Int) -> SurfaceMatch? {
    let rest = path.suffix(from: start)
    if rest.equals("models") { return SurfaceMatch(surface: .gemini, operation: .models) }
    guard rest.hasPrefix("models/"), rest.count > 7 else { return nil }
    if let match = geminiMethod(path, modelStart: start + 7) { return match }
    guard path.firstIndex(of: Ascii.colon, from: start) == nil else { return nil }
    return SurfaceMatch(surface: .gemini, operation: .model, identifier: start + 7..<path.count)
  }

  /// `{model}:{method}`, the colon plain or as `%3A`.
  private static func geminiMethod(_ path: ByteSlice, modelStart: Int) -> SurfaceMatch? {
    for (method, operation) in geminiMethods {
      let name = ByteView(method).count
      for colon in [1, 3] {
        let end = path.count - name - colon
        guard end > modelStart, path.suffix(from: path.count - name).equals(method) else { continue }
        let mark = path[end..<end + colon]
        guard colon == 1 ? mark.equals(":") : mark.equalsIgnoringCase("%3a") else { continue }
        return SurfaceMatch(surface: .gemini, operation: operation, identifier: modelStart..<end)
      }
    }
    return nil
  }

  private static let geminiMethods: [(StaticString, Operation)] = [
    ("generateContent", .generateContent), ("streamGenerateContent", .streamGenerateContent),
    ("embedContent", .embedContent), ("batchEmbedContents", .batchEmbedContents), ("countTokens", .geminiCountTokens),
  ]

  private static func cohere(_ path: ByteSlice) -> SurfaceMatch? {
    if path.equals("/v2/chat") { return SurfaceMatch(surface: .cohere, operation: .cohereChat) }
    if path.equals("/v2/embed") { return SurfaceMatch(surface: .cohere, operation: .cohereEmbed) }
    return path.equals("/v2/rerank") ? SurfaceMatch(surface: .cohere, operation: .rerank) : nil
  }

  /// Ollama's paths stand beside the administration's: each is listed.
  private static func ollama(_ path: ByteSlice) -> SurfaceMatch? {
    let rest = path.suffix(from: 5)
    if rest.equals("chat") { return SurfaceMatch(surface: .ollama, operation: .ollamaChat) }
    if rest.equals("generate") { return SurfaceMatch(surface: .ollama, operation: .ollamaGenerate) }
    if rest.equals("embed") { return SurfaceMatch(surface: .ollama, operation: .ollamaEmbed) }
    if rest.equals("tags") { return SurfaceMatch(surface: .ollama, operation: .ollamaTags) }
    return rest.equals("version") ? SurfaceMatch(surface: .ollama, operation: .ollamaVersion) : nil
  }

  private static func bedrock(_ path: ByteSlice) -> SurfaceMatch? {
    let start = 7
    guard let slash = path.firstIndex(of: Ascii.slash, from: start), slash > start else { return nil }
    let method = path.suffix(from: slash)
    let operation: Operation
    if method.equals("/converse") {
      operation = .converse
    } else if method.equals("/converse-stream") {
      operation = .converseStream
    } else if method.equals("/invoke") {
      operation = .invoke
    } else if method.equals("/invoke-with-response-stream") {
      operation = .invokeStream
    } else if method.equals("/count-tokens") {
      operation = .bedrockCountTokens
    } else {
      return nil
    }
    return SurfaceMatch(surface: .bedrock, operation: operation, identifier: start..<slash)
  }

  /// Azure's two forms of OpenAI's paths: `/openai/v1/…` and `/openai/deployments/{deployment}/…`.
  private static func azure(_ path: ByteSlice, _ headers: HeaderView, _ isDelete: Bool) -> SurfaceMatch? {
    if path.hasPrefix("/openai/v1/") {
      let rest = path.suffix(from: 11)
      if let operation = fixedOpenAI(rest) {
        return SurfaceMatch(surface: .openai, operation: operation, providerPath: 7)
      }
      if rest.equals("models") { return SurfaceMatch(surface: .openai, operation: .models, providerPath: 7) }
      guard rest.hasPrefix("responses/") else { return nil }
      var match = storedResponse(path, start: 21, isDelete: isDelete)
      match?.providerPath = 7
      return match
    }
    guard path.hasPrefix("/openai/deployments/") else { return nil }
    let start = 20
    guard let slash = path.firstIndex(of: Ascii.slash, from: start), slash > start,
      let operation = fixedOpenAI(path.suffix(from: slash + 1))
    else { return nil }
    return SurfaceMatch(surface: .openai, operation: operation, identifier: start..<slash, providerPath: slash)
  }

  /// `/pools/{pool}/…`: anything below is the provider's own, its root included (STS and TGI are asked there).
  private static func native(_ path: ByteSlice) -> SurfaceMatch? {
    let start = 7
    guard let slash = path.firstIndex(of: Ascii.slash, from: start), slash > start else { return nil }
    return SurfaceMatch(surface: .openai, operation: .native, pool: start..<slash, providerPath: slash)
  }
}
