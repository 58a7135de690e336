/// Reads `RequestFields` from a body in one pass that also validates the whole document as JSON.
///
/// Only top-level keys decide; a key counts however it is spelled (`"mod\u0065l"` is `model`), because that is how the
/// provider will read it. A second `model` or `stream` is an error: which one wins differs between readers, and a
/// limit could be evaded with it. Other duplicates are left to the provider.
package enum RequestScanner {
  package struct Limits: Hashable, Sendable {
    /// Bytes of a model name.
    package var maxModelBytes: Int
    /// Bytes of a body; offsets are 32 bits.
    package var maxBodyBytes: Int
    /// Whether anybody will look at `RequestFields.prefixHash`; otherwise it stays 0.
    package var hashesPrefix: Bool

    package static let standard = Limits()

    package init(maxModelBytes: Int = 256, maxBodyBytes: Int = 1 << 30, hashesPrefix: Bool = true) {
      self.hashesPrefix = hashesPrefix
      self.maxModelBytes = maxModelBytes
      self.maxBodyBytes = min(maxBodyBytes, Int(Int32.max))
    }
  }

  package static func scan(
    _ body: UnsafeRawBufferPointer, limits: Limits = .standard
  ) -> Result<RequestFields, JSONScanError> {
    guard body.count <= limits.maxBodyBytes else {
      return .failure(JSONScanError(offset: limits.maxBodyBytes, reason: .tooLong))
    }
    var scan = unsafe RequestScan(body, limits)
    do throws(JSONScanError) {
      return .success(try scan.run())
    } catch {
      return .failure(error)
    }
  }
}

/// One pass over one body.
private struct RequestScan {
  private enum Key {
    case model, stream, maxCompletionTokens, maxOutputTokens, maxTokens, user, metadata, streamOptions, tools
    case system, prompt, other
  }

  private let limits: RequestScanner.Limits
  private var scanner: JSONScanner
  private var fields = RequestFields()
  private var system = PrefixHash()
  private var firstText = PrefixHash()
  private var completionTokens: Int?
  private var outputTokens: Int?
  private var plainTokens: Int?
  private var metadataUser: ByteRange?
  private var hasStream = false

  init(_ body: UnsafeRawBufferPointer, _ limits: RequestScanner.Limits) {
    self.limits = limits
    scanner = unsafe JSONScanner(body)
  }

  mutating func run() throws(JSONScanError) -> RequestFields {
    let first = try scanner.next()
    guard first == .beginObject else { throw JSONScanError(offset: 0, reason: .notAnObject) }
    fields.membersStart = scanner.offset
    while case .key(let key) = try scanner.next() {
      fields.isEmpty = false
      try member(Self.identify(key, scanner.view), key)
    }
    _ = try scanner.next()
    fields.maxTokens = completionTokens ?? outputTokens ?? plainTokens
    fields.user = fields.user ?? metadataUser
    fields.prefixHash = system.isEmpty ? firstText.value : system.value
    return fields
  }

  private mutating func member(_ key: Key, _ name: JSONString) throws(JSONScanError) {
    switch key {
    case .model: try readModel(name)
    case .stream: try readStream(name)
    case .maxCompletionTokens: completionTokens = try positiveInt()
    case .maxOutputTokens: outputTokens = try positiveInt()
    case .maxTokens: plainTokens = try positiveInt()
    case .user: fields.user = try plainString() ?? fields.user
    case .metadata: try readMetadata()
    case .streamOptions: try readStreamOptions()
    case .tools: try readTools()
    case .system: try readText(isSystem: true)
    case .prompt: try readText(isSystem: false)
    case .other: try scanner.skipValue()
    }
  }

  @inline(__always)
  private static func identify(_ key: JSONString, _ view: ByteView) -> Key {
    @inline(__always)
    func named(_ text: StaticString) -> Bool { key.equals(text, view) }
    // The length sorts out nearly every key; one with escapes is compared with all.
    switch key.hasEscapes ? 0 : key.content.count {
    case 4: return named("user") ? .user : .other
    case 5:
      return named("model") ? .model : named("tools") ? .tools : isPrompt(key, view) ? .prompt : .other
    case 6: return named("stream") ? .stream : named("system") ? .system : isPrompt(key, view) ? .prompt : .other
    case 7: return isPrompt(key, view) ? .prompt : .other
    case 8:
      return isPrompt(key, view) ? .prompt : named("metadata") ? .metadata : .other
    case 9: return named("functions") ? .tools : isPrompt(key, view) ? .prompt : .other
    case 10: return named("max_tokens") ? .maxTokens : .other
    case 12: return named("instructions") ? .system : .other
    case 14: return named("stream_options") ? .streamOptions : .other
    case 17:
      return named("max_output_tokens") ? .maxOutputTokens : named("systemInstruction") ? .system : .other
    case 21: return named("max_completion_tokens") ? .maxCompletionTokens : .other
    case 0: return key.hasEscapes ? spelled.first { key.equals($0.0, view) }?.1 ?? .other : .other
    default: return .other
    }
  }

  /// Where chats, completions, embeddings and rankings have the text that the model reads.
  private static func isPrompt(_ key: JSONString, _ view: ByteView) -> Bool {
    switch key.content.count {
    case 5: key.equals("input", view) || key.equals("texts", view) || key.equals("query", view)
    case 6: key.equals("prompt", view) || key.equals("inputs", view)
    case 7: key.equals("content", view)
    case 8: key.equals("messages", view) || key.equals("contents", view) || key.equals("requests", view)
    case 9: key.equals("documents", view) || key.equals("inputText", view)
    default: false
    }
  }

  private static let spelled: [(StaticString, Key)] = [
    ("model", .model), ("stream", .stream), ("user", .user), ("tools", .tools), ("functions", .tools),
    ("input", .prompt), ("prompt", .prompt), ("messages", .prompt), ("system", .system), ("instructions", .system),
    ("metadata", .metadata), ("max_tokens", .maxTokens), ("max_output_tokens", .maxOutputTokens),
    ("max_completion_tokens", .maxCompletionTokens), ("stream_options", .streamOptions), ("contents", .prompt),
    ("systemInstruction", .system), ("texts", .prompt), ("query", .prompt), ("inputs", .prompt), ("content", .prompt),
    ("requests", .prompt), ("documents", .prompt), ("inputText", .prompt),
  ]
}

extension RequestScan {
  private mutating func readModel(_ key: JSONString) throws(JSONScanError) {
    guard fields.modelRange == nil else {
      throw JSONScanError(offset: key.literal.lowerBound, reason: .duplicateModel)
    }
    let start = scanner.offset
    guard case .string(let model) = try scanner.next() else {
      throw JSONScanError(offset: start, reason: .modelNotAString)
    }
    guard Int(model.content.count) <= limits.maxModelBytes else {
      throw JSONScanError(offset: model.content.lowerBound, reason: .modelTooLong)
    }
    guard let name = unsafe model.decoded(in: scanner.view.all) else {
      throw JSONScanError(offset: model.content.lowerBound, reason: .modelNotAString)
    }
    fields.model = name
    fields.modelRange = model.literal
  }

  /// `true`, `false` or `null`, which means absent.
  private mutating func readStream(_ key: JSONString) throws(JSONScanError) {
    guard !hasStream else { throw JSONScanError(offset: key.literal.lowerBound, reason: .duplicateStream) }
    hasStream = true
    let start = scanner.offset
    switch try scanner.next() {
    case .bool(let value): fields.stream = value
    case .null: fields.stream = nil
    default: throw JSONScanError(offset: start, reason: .streamNotABoolean)
    }
  }

  private mutating func positiveInt() throws(JSONScanError) -> Int? {
    guard case .number(let range) = try scalarOrSkip() else { return nil }
    return JSONNumber.int(range, scanner.view).flatMap { $0 > 0 ? $0 : nil }
  }

  private mutating func plainString() throws(JSONScanError) -> ByteRange? {
    guard case .string(let string) = try scalarOrSkip(), !string.content.isEmpty else { return nil }
    return string.content
  }

  /// The next value's token; a container is skipped to its end.
  private mutating func scalarOrSkip() throws(JSONScanError) -> JSONToken {
    let outer = scanner.depth
    let token = try scanner.next()
    while scanner.depth > outer { _ = try scanner.next() }
    return token
  }

  private mutating func readMetadata() throws(JSONScanError) {
    guard try scanner.next() == .beginObject else { return try finishContainer() }
    while case .key(let key) = try scanner.next() {
      if key.equals("user_id", scanner.view) {
        metadataUser = try plainString() ?? metadataUser
      } else {
        try scanner.skipValue()
      }
    }
  }

  private mutating func readStreamOptions() throws(JSONScanError) {
    guard try scanner.next() == .beginObject else { return try finishContainer() }
    while case .key(let key) = try scanner.next() {
      if key.equals("include_usage", scanner.view) {
        if case .bool(let value) = try scalarOrSkip() { fields.includeUsage = value }
      } else {
        try scanner.skipValue()
      }
    }
  }

  /// Definitions of tools reach the model much as they are written, so all their bytes count as prompt.
  private mutating func readTools() throws(JSONScanError) {
    guard try scanner.next() == .beginArray else { return try finishContainer() }
    let start = scanner.offset
    if try scanner.next() != .endArray {
      fields.toolsPresent = true
      try finishContainer()
      fields.promptBytes += scanner.offset - start
    }
  }

  /// The first token of a top-level value was taken: reads on until that value is complete.
  private mutating func finishContainer() throws(JSONScanError) {
    while scanner.depth > 1 { _ = try scanner.next() }
  }
}

extension RequestScan {
  /// Walks through messages, parts or plain strings, and counts text.
  ///
  /// `message` counts values at the outermost array, so that the first message's text can be told from the rest.
  private mutating func readText(isSystem: Bool) throws(JSONScanError) {
    let outer = scanner.depth
    var message = 0
    var key = JSONString(content: .empty, hasEscapes: false)
    var isOfKey = false
    repeat {
      switch try scanner.next() {
      case .key(let name):
        key = name
        isOfKey = true
        continue
      case .string(let string):
        if isOfKey, !isText(key) {
          noteKind(key, string)
        } else {
          addText(string, isSystem: isSystem, isFirst: message == 0)
        }
        if scanner.depth == outer + 1 { message += 1 }
      case .endObject where scanner.depth == outer + 1: message += 1
      // A prompt may be given as token numbers, each worth about four bytes of text.
      case .number where !isOfKey: fields.promptBytes += 4
      default: break
      }
      isOfKey = false
    } while scanner.depth > outer || isOfKey
  }

  private mutating func addText(_ string: JSONString, isSystem: Bool, isFirst: Bool) {
    fields.promptBytes += Int(string.content.count)
    guard limits.hashesPrefix else { return }
    if isSystem {
      system.add(scanner.view, string.content.range)
    } else if isFirst {
      firstText.add(scanner.view, string.content.range)
    }
  }

  /// Names of members whose strings are no prompt text: media, identifiers, roles and kinds.
  private func isText(_ key: JSONString) -> Bool {
    let view = scanner.view
    switch key.hasEscapes ? 0 : key.content.count {
    case 2: return !key.equals("id", view)
    case 3: return !key.equals("url", view)
    case 4: return !(key.equals("type", view) || key.equals("role", view) || key.equals("data", view))
    case 6: return !(key.equals("detail", view) || key.equals("format", view))
    case 7: return !(key.equals("file_id", view) || key.equals("call_id", view))
    case 9: return !(key.equals("image_url", view) || key.equals("file_data", view) || key.equals("signature", view))
    case 10: return !key.equals("media_type", view)
    case 11: return !key.equals("tool_use_id", view)
    case 12: return !key.equals("tool_call_id", view)
    default: return true
    }
  }

  private mutating func noteKind(_ key: JSONString, _ value: JSONString) {
    let view = scanner.view
    guard key.equals("type", view) else { return }
    if value.equals("image_url", view) || value.equals("image", view) || value.equals("input_image", view) {
      fields.imagesPresent = true
    }
  }
}
