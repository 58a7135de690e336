/// OpenAI's embeddings, which Azure, Mistral and most servers of one's own speak too.
package enum OpenAIEmbeddings: EmbeddingFormat {
  /// The most inputs of one call.
  static let mostInputs = 2048

  package static func readRequest(
    _ body: JSONValue, model: String, _ operation: Operation, _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) -> EmbeddingRequest {
    let fields = try WireObject(body)
    var request = EmbeddingRequest(
      model: model.isEmpty ? try fields.requiredText("model") : model, inputs: try readInputs(fields))
    let older = try fields.integer("output_dimension", in: 1...1 << 20)
    request.dimensions = try fields.integer("dimensions", in: 1...1 << 20) ?? older
    switch try fields.text("encoding_format") {
    case nil, "float": request.encoding = .numbers
    case "base64": request.encoding = .base64
    default: throw fields.fault("encoding_format", "must be float or base64")
    }
    request.user = try fields.text("user")
    fields.dropOthers(than: ["model", "input", "dimensions", "output_dimension", "encoding_format", "user"], &notes)
    return request
  }

  /// A text, texts, token ids, or lists of token ids.
  private static func readInputs(_ fields: WireObject) throws(TranslationRefusal) -> [EmbeddingRequest.Input] {
    guard let value = fields["input"] else { throw fields.fault("input", "is missing") }
    if case .string(let text) = value { return [.text(text)] }
    guard case .array(let items) = value, !items.isEmpty else {
      throw fields.fault("input", "must be a string or a list that is not empty")
    }
    if case .int = items[0] { return [.tokens(try tokens(items, fields, "input"))] }
    guard items.count <= mostInputs else { throw fields.fault("input", "holds more than \(mostInputs) inputs") }
    var inputs: [EmbeddingRequest.Input] = []
    for (index, item) in items.enumerated() {
      switch item {
      case .string(let text): inputs.append(.text(text))
      case .array(let list): inputs.append(.tokens(try tokens(list, fields, "input[\(index)]")))
      default: throw fields.fault("input[\(index)]", "must be a string or a list of token ids")
      }
    }
    return inputs
  }

  private static func tokens(
    _ items: [JSONValue], _ fields: WireObject, _ name: String
  ) throws(TranslationRefusal) -> [Int] {
    var tokens: [Int] = []
    for item in items {
      guard let token = item.int, token >= 0 else { throw fields.fault(name, "must hold token ids only") }
      tokens.append(token)
    }
    return tokens
  }

  package static func writeRequest(
    _ request: EmbeddingRequest, for target: ChatTarget, _ notes: inout TranslationNotes
  ) throws(TranslationRefusal) -> JSONValue {
    let isOpenAI = target.provider == .openai || target.provider == .azureOpenAI
    var body = JSONObject()
    body["model"] = .string(target.model)
    body["input"] = .array(request.inputs.map(input))
    if target.provider == .mistral, request.inputs.contains(where: { if case .tokens = $0 { true } else { false } }) {
      throw TranslationRefusal("this model's provider takes texts, not token ids", field: "input")
    }
    body[target.provider == .mistral ? "output_dimension" : "dimensions"] = request.dimensions.map(JSONValue.int)
    // A third of the bytes, and exact; servers of one's own may not know it.
    if isOpenAI { body["encoding_format"] = "base64" }
    if isOpenAI {
      body["user"] = request.user.map(JSONValue.string)
    } else {
      notes.drop("user", if: request.user != nil)
    }
    notes.drop("input_type", if: request.purpose != nil)
    return body.value
  }

  private static func input(_ input: EmbeddingRequest.Input) -> JSONValue {
    switch input {
    case .text(let text): .string(text)
    case .tokens(let tokens): .array(tokens.map(JSONValue.int))
    }
  }

  package static func readAnswer(_ body: JSONValue) throws(UnreadableAnswer) -> EmbeddingAnswer {
    guard let items = body["data"]?.array else { throw UnreadableAnswer("no data") }
    var vectors = [[Float]?](repeating: nil, count: items.count)
    for (place, item) in items.enumerated() {
      let index = item["index"]?.int ?? place
      guard vectors.indices.contains(index), vectors[index] == nil else { throw UnreadableAnswer("a wrong index") }
      vectors[index] = try vector(item["embedding"])
    }
    let tokens = body["usage"]?["prompt_tokens"]?.int ?? body["usage"]?["total_tokens"]?.int
    return EmbeddingAnswer(
      model: body["model"]?.string ?? "", vectors: vectors.compactMap(\.self), inputTokens: tokens.map { max(0, $0) })
  }

  private static func vector(_ value: JSONValue?) throws(UnreadableAnswer) -> [Float] {
    switch value {
    case .array(let items): return try EmbeddingVectors.read(items)
    case .string(let text):
      let bytes = Array(text.utf8).withSlice { Base64Text.decode($0) }
      guard let vector = bytes.flatMap(FloatBytes.read) else {
        throw UnreadableAnswer("an embedding that is no base64")
      }
      return vector
    default: throw UnreadableAnswer("an embedding without numbers")
    }
  }

  package static func writeAnswer(
    _ answer: EmbeddingAnswer, _ request: EmbeddingRequest, _ reply: ReplyFacts
  ) -> JSONValue {
    let items = answer.vectors.enumerated().map { index, vector -> JSONValue in
      let value: JSONValue =
        request.encoding == .base64
        ? .string(Base64Text.encode(FloatBytes.write(vector))) : EmbeddingVectors.value(vector)
      return ["object": "embedding", "index": .int(index), "embedding": value]
    }
    let tokens = JSONValue.int(answer.inputTokens ?? 0)
    // OpenAI's answer has no id; Mistral's has one, and its client, which speaks this protocol, insists on it.
    return [
      "id": .string("embd-" + reply.id), "object": "list", "data": .array(items),
      "model": .string(answer.model.isEmpty ? reply.model : answer.model),
      "usage": ["prompt_tokens": tokens, "total_tokens": tokens],
    ]
  }
}

/// Vectors as little-endian IEEE 754 single precision.
enum FloatBytes {
  static func write(_ vector: [Float]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(vector.count * 4)
    for number in vector {
      let bits = number.bitPattern
      for shift: UInt32 in [0, 8, 16, 24] { bytes.append(UInt8(truncatingIfNeeded: bits >> shift)) }
    }
    return bytes
  }

  static func read(_ bytes: [UInt8]) -> [Float]? {
    guard bytes.count % 4 == 0 else { return nil }
    return stride(from: 0, to: bytes.count, by: 4).map { start in
      let bits = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[start + $1]) << UInt32(8 * $1) }
      return Float(bitPattern: bits)
    }
  }
}
