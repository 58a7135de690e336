/// What the gateway knows about a request from its first line and headers.
package struct SurfaceMatch: Hashable, Sendable {
  package var surface: Surface
  package var operation: Operation
  /// The model or response id inside the path, as offsets into it, still percent-encoded.
  package var identifier: Range<Int>?

  package init(surface: Surface, operation: Operation, identifier: Range<Int>? = nil) {
    self.surface = surface
    self.operation = operation
    self.identifier = identifier
  }

  /// The body has to be scanned for `model` and `stream` before the first upstream byte.
  package var inspected: Bool { operation.hasModelInBody }
}

/// Recognises the client's protocol. Paths are matched exactly, byte by byte: no trailing slash, no case folding, no
/// percent-decoding, so that two programs can never disagree about what a path means.
package enum SurfaceMatcher {
  package static func match(method: HTTPMethodToken, path: ByteSlice, headers: HeaderView) -> SurfaceMatch? {
    guard let found = find(path: path, headers: headers, isDelete: method == .delete) else { return nil }
    return method == self.method(of: found.operation) ? found : nil
  }

  /// For a 405: the methods a known path takes, or nothing when the path itself is unknown.
  package static func allowedMethods(path: ByteSlice, headers: HeaderView) -> String? {
    guard let found = find(path: path, headers: headers, isDelete: false) else { return nil }
    return found.operation == .readResponse ? "GET, DELETE" : method(of: found.operation).name?.description
  }

  private static func method(of operation: Operation) -> HTTPMethodToken {
    switch operation {
    case .models, .model, .readResponse: .get
    case .deleteResponse: .delete
    default: .post
    }
  }

  private static func find(path: ByteSlice, headers: HeaderView, isDelete: Bool) -> SurfaceMatch? {
    guard path.hasPrefix("/v1/") else { return nil }
    let rest = path.suffix(from: 4)
    if let operation = fixedOpenAI(rest) { return SurfaceMatch(surface: .openai, operation: operation) }
    if rest.equals("messages") { return SurfaceMatch(surface: .anthropic, operation: .messages) }
    if rest.equals("messages/count_tokens") { return SurfaceMatch(surface: .anthropic, operation: .countTokens) }
    if rest.equals("models") { return SurfaceMatch(surface: modelsSurface(headers), operation: .models) }
    if rest.hasPrefix("models/"), rest.count > 7 {
      return SurfaceMatch(surface: modelsSurface(headers), operation: .model, identifier: 11..<path.count)
    }
    if rest.hasPrefix("responses/") { return storedResponse(path, isDelete: isDelete) }
    return nil
  }

  private static func fixedOpenAI(_ rest: ByteSlice) -> Operation? {
    if rest.equals("chat/completions") { return .chat }
    if rest.equals("responses") { return .responses }
    if rest.equals("embeddings") { return .embeddings }
    if rest.equals("completions") { return .completions }
    if rest.equals("responses/input_tokens") { return .inputTokens }
    if rest.equals("responses/compact") { return .compactResponse }
    return nil
  }

  /// Both families list their models at the same path; only Anthropic clients send a version.
  private static func modelsSurface(_ headers: HeaderView) -> Surface {
    headers.contains(.anthropicVersion) ? .anthropic : .openai
  }

  private static func storedResponse(_ path: ByteSlice, isDelete: Bool) -> SurfaceMatch? {
    let start = 14
    guard let slash = path.firstIndex(of: 0x2F, from: start) else {
      guard path.count > start else { return nil }
      let operation: Operation = isDelete ? .deleteResponse : .readResponse
      return SurfaceMatch(surface: .openai, operation: operation, identifier: start..<path.count)
    }
    guard slash > start, path.suffix(from: slash).equals("/cancel") else { return nil }
    return SurfaceMatch(surface: .openai, operation: .cancelResponse, identifier: start..<slash)
  }
}
