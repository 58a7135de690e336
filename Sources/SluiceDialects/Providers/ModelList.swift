/// A model as a provider lists it.
package struct ModelEntry: Hashable, Sendable {
  package var id: String
  /// Unix seconds; 0 when the provider does not say.
  package var created: Int
  /// RFC 3339 text, from providers that write dates.
  package var createdAt: String?
  package var displayName: String?
  package var owner: String?
  package var maxInputTokens: Int?

  package init(
    id: String, created: Int = 0, createdAt: String? = nil, displayName: String? = nil, owner: String? = nil,
    maxInputTokens: Int? = nil
  ) {
    self.id = id
    self.created = created
    self.createdAt = createdAt
    self.displayName = displayName
    self.owner = owner
    self.maxInputTokens = maxInputTokens
  }
}

/// One page of a provider's `GET /v1/models`.
package struct ModelPage: Hashable, Sendable {
  package var models: [ModelEntry] = []
  /// The query that brings the next page, if there is one.
  package var nextQuery: String?

  package init() {}
}

/// Reads providers' model lists and writes the merged one in the shape of each surface.
package enum ModelList {
  /// Most models taken from one page; more are ignored.
  package static let limit = 10_000

  /// Nothing when the body is not a model list.
  package static func parse(_ body: ByteSlice) -> ModelPage? {
    var reader = ModelListReader(body)
    return reader.page()
  }

  /// - Parameter surface: OpenAI's shape serves every surface without a list of its own.
  package static func render(_ surface: Surface, _ models: [ModelEntry]) -> [UInt8] {
    switch surface {
    case .gemini: return renderGemini(models)
    case .ollama: return renderOllama(models)
    default: break
    }
    var json = JSONWriter(capacity: 128 + models.count * 96)
    json.beginObject()
    if surface != .anthropic {
      json.key("object")
      json.string("list" as StaticString)
    }
    json.key("data")
    json.beginArray()
    for model in models { write(surface, model, &json) }
    json.endArray()
    if surface == .anthropic { Anthropic.writeListEnd(models, &json) }
    json.endObject()
    return json.bytes
  }

  /// The answer to `GET /v1/models/{id}`.
  package static func render(_ surface: Surface, one model: ModelEntry) -> [UInt8] {
    var json = JSONWriter(capacity: 160)
    write(surface, model, &json)
    return json.bytes
  }

  private static func write(_ surface: Surface, _ model: ModelEntry, _ json: inout JSONWriter) {
    switch surface {
    case .anthropic: Anthropic.write(model, &json)
    case .gemini: writeGemini(model, &json)
    case .openai, .cohere, .ollama, .bedrock: OpenAI.write(model, &json)
    }
  }

  /// `{"models":[{"name":"models/…"}]}`.
  private static func renderGemini(_ models: [ModelEntry]) -> [UInt8] {
    var json = JSONWriter(capacity: 64 + models.count * 160)
    json.beginObject()
    json.key("models")
    json.beginArray()
    for model in models { writeGemini(model, &json) }
    json.endArray()
    json.endObject()
    return json.bytes
  }

  private static func writeGemini(_ model: ModelEntry, _ json: inout JSONWriter) {
    json.beginObject()
    json.key("name")
    json.string("models/\(model.id)")
    json.key("displayName")
    json.string(model.displayName ?? model.id)
    if let tokens = model.maxInputTokens {
      json.key("inputTokenLimit")
      json.int(tokens)
    }
    json.key("supportedGenerationMethods")
    json.beginArray()
    for method in ["generateContent", "streamGenerateContent", "countTokens"] { json.string(method) }
    json.endArray()
    json.endObject()
  }

  /// `{"models":[{"name","model","modified_at","size","digest","details"}]}`, Ollama's `/api/tags`.
  private static func renderOllama(_ models: [ModelEntry]) -> [UInt8] {
    var json = JSONWriter(capacity: 64 + models.count * 200)
    json.beginObject()
    json.key("models")
    json.beginArray()
    for model in models {
      json.beginObject()
      json.key("name")
      json.string(model.id)
      json.key("model")
      json.string(model.id)
      json.key("modified_at")
      json.string(model.createdAt ?? DateText.rfc3339(unixSeconds: model.created))
      json.key("size")
      json.int(0)
      json.key("digest")
      json.string("" as StaticString)
      json.key("details")
      json.beginObject()
      json.endObject()
      json.endObject()
    }
    json.endArray()
    json.endObject()
    return json.bytes
  }
}

/// Pulls the entries out of a list; each object of `data` is one entry, whatever the order of its members.
private struct ModelListReader {
  private let body: ByteSlice
  private var scanner: JSONScanner

  init(_ body: ByteSlice) {
    self.body = body
    scanner = unsafe JSONScanner(body.raw)
  }

  mutating func page() -> ModelPage? {
    do {
      var page = ModelPage()
      var sawData = false
      var lastID: String?
      var hasMore = false
      guard try scanner.next() == .beginObject else { return nil }
      while case .key(let key) = try scanner.next() {
        switch text(key) {
        case "data":
          sawData = true
          page.models = try entries()
        case "last_id": lastID = try string()
        case "has_more": hasMore = try scanner.next() == .bool(true)
        default: try scanner.skipValue()
        }
      }
      if hasMore, let lastID, !lastID.isEmpty, lastID.utf8.count <= 256 { page.nextQuery = Self.next(lastID) }
      return sawData ? page : nil
    } catch {
      return nil
    }
  }

  private static func next(_ lastID: String) -> String {
    var query = Array("limit=1000&after_id=".utf8)
    PercentText.append(lastID, to: &query)
    return String(decoding: query, as: UTF8.self)
  }

  private mutating func entries() throws(JSONScanError) -> [ModelEntry] {
    var models: [ModelEntry] = []
    guard try scanner.next() == .beginArray else { return [] }
    while true {
      switch try scanner.next() {
      case .endArray: return models
      case .beginObject:
        let model = try entry()
        if !model.id.isEmpty, models.count < ModelList.limit { models.append(model) }
      case .beginArray: try skipOpenContainer()
      case .end: return models
      default: break
      }
    }
  }

  private mutating func entry() throws(JSONScanError) -> ModelEntry {
    var model = ModelEntry(id: "")
    while case .key(let key) = try scanner.next() {
      switch text(key) {
      case "id": model.id = try string() ?? ""
      case "created": model.created = try int() ?? 0
      case "created_at": model.createdAt = try string()
      case "display_name": model.displayName = try string()
      case "owned_by": model.owner = try string()
      case "max_input_tokens", "max_context_length", "max_model_len", "context_length":
        model.maxInputTokens = try int() ?? model.maxInputTokens
      case "providers": model.maxInputTokens = try widest() ?? model.maxInputTokens
      default: try scanner.skipValue()
      }
    }
    return model
  }

  /// The largest context among the providers that a router lists for a model.
  private mutating func widest() throws(JSONScanError) -> Int? {
    let token = try scanner.next()
    guard token == .beginArray else {
      try skip(token)
      return nil
    }
    let outer = scanner.depth - 1
    var widest: Int?
    while scanner.depth > outer {
      guard case .key(let key) = try scanner.next(), text(key) == "context_length", let tokens = try int() else {
        continue
      }
      widest = max(widest ?? tokens, tokens)
    }
    return widest
  }

  /// Leaves a container whose beginning has been taken.
  private mutating func skipOpenContainer() throws(JSONScanError) {
    let outer = scanner.depth - 1
    repeat { _ = try scanner.next() } while scanner.depth > outer
  }

  private func text(_ key: JSONString) -> String {
    body[key.content.range].string(limit: 32)
  }

  private mutating func string() throws(JSONScanError) -> String? {
    let token = try scanner.next()
    if case .string(let string) = token, string.content.count <= 256 { return unsafe string.decoded(in: body.raw) }
    try skip(token)
    return nil
  }

  private mutating func int() throws(JSONScanError) -> Int? {
    let token = try scanner.next()
    if case .number(let range) = token { return body[range.range].decimal }
    try skip(token)
    return nil
  }

  private mutating func skip(_ token: JSONToken) throws(JSONScanError) {
    if token == .beginObject || token == .beginArray { try skipOpenContainer() }
  }
}
