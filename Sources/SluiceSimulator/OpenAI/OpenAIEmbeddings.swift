import SluiceDialects

/// `POST /v1/embeddings`. A vector is drawn from the text and the model alone, so equal texts have equal vectors;
/// vectors have length 1. Nearness of meaning is not imitated.
struct OpenAIEmbeddings {
  private enum Input {
    case text(String)
    case tokens([JSONValue])
  }

  let model: String
  let tokens: Int
  private let inputs: [Input]
  private let dimensions: Int
  private let isBase64: Bool

  private static let maxInputs = 2_048
  private static let maxInputTokens = 8_192
  private static let maxTotalTokens = 300_000

  static func decode(_ body: JSONValue) throws(ProviderError) -> OpenAIEmbeddings {
    let fields = try OpenAIFields(body)
    let model = try fields.model()
    guard let value = body.given("input") else { throw OpenAIFields.missing("input") }
    let inputs = try inputs(value)
    var total = 0
    for input in inputs {
      let count = count(input)
      guard count > 0 else {
        throw OpenAIFields.invalid("Invalid 'input': input cannot be an empty string.", param: "input")
      }
      guard count <= maxInputTokens else { throw tooLong(maxInputTokens, count) }
      total += count
    }
    guard total <= maxTotalTokens else { throw tooLong(maxTotalTokens, total) }
    let usual = model.contains("3-large") ? 3_072 : 1_536
    let format = body.given("encoding_format")?.string ?? "float"
    guard format == "float" || format == "base64" else {
      throw OpenAIFields.invalid(
        "Invalid value: '\(format)'. Supported values are: 'float' and 'base64'.", param: "encoding_format",
        code: "invalid_value")
    }
    return OpenAIEmbeddings(
      model: model, tokens: total, inputs: inputs,
      dimensions: try fields.int("dimensions", in: 1...usual) ?? usual, isBase64: format == "base64")
  }

  private static func inputs(_ value: JSONValue) throws(ProviderError) -> [Input] {
    if let text = value.string { return [.text(text)] }
    guard let items = value.array, !items.isEmpty else {
      throw OpenAIFields.wrongType("input", expected: "a string or a list that is not empty", value)
    }
    if items.allSatisfy({ $0.int != nil }) { return [.tokens(items)] }
    guard items.count <= maxInputs else {
      throw OpenAIFields.invalid(
        "Invalid 'input': maximum array length is \(maxInputs), but got \(items.count).", param: "input",
        code: "array_above_max_length")
    }
    var inputs: [Input] = []
    for item in items {
      if let text = item.string {
        inputs.append(.text(text))
      } else if let tokens = item.array, tokens.allSatisfy({ $0.int != nil }) {
        inputs.append(.tokens(tokens))
      } else {
        throw OpenAIFields.wrongType("input", expected: "strings or arrays of integers", item)
      }
    }
    return inputs
  }

  private static func count(_ input: Input) -> Int {
    switch input {
    case .text(let text): TokenRule.count(text)
    case .tokens(let tokens): tokens.count
    }
  }

  private static func tooLong(_ limit: Int, _ count: Int) -> ProviderError {
    OpenAIFields.invalid(
      "This model's maximum context length is \(limit) tokens, however you requested \(count) tokens. "
        + "Please reduce the length of the input.", param: "input", code: "context_length_exceeded")
  }

  // MARK: Answer

  func render(seed: UInt64) -> [UInt8] {
    var out = JSONWriter(reserving: inputs.count * dimensions * (isBase64 ? 6 : 14) + 256)
    out.raw("{\"object\":\"list\",\"data\":")
    out.list(inputs.indices) { writer, index in
      writer.raw("{\"object\":\"embedding\",\"index\":")
      writer.number(index)
      writer.raw(",\"embedding\":")
      let vector = vector(of: inputs[index], seed: seed)
      isBase64 ? writer.raw(Self.base64(vector)) : Self.write(vector, into: &writer)
      writer.raw("}")
    }
    out.raw(",\"model\":")
    out.string(model)
    out.raw(",\"usage\":{\"prompt_tokens\":")
    out.number(tokens)
    out.raw(",\"total_tokens\":")
    out.number(tokens)
    out.raw("}}")
    return out.bytes
  }

  private func vector(of input: Input, seed: UInt64) -> [Float] {
    var hash = ContentHash()
    hash.add(model)
    switch input {
    case .text(let text): hash.add(text)
    case .tokens(let tokens): hash.add(.array(tokens))
    }
    var random = SeededRandom(seed: seed ^ hash.value, stream: 0xE3B)
    var vector = (0..<dimensions).map { _ in Float(random.unit() * 2 - 1) }
    let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
    if length > 0 { for index in vector.indices { vector[index] /= length } }
    return vector
  }

  private static func write(_ vector: [Float], into out: inout JSONWriter) {
    out.list(vector) { writer, component in writer.raw(Array(component.description.utf8)) }
  }

  /// Base64 of the little-endian numbers, quotes included.
  static func base64(_ vector: [Float]) -> [UInt8] {
    let bytes = vector.flatMap { component in
      let bits = component.bitPattern
      return [
        UInt8(truncatingIfNeeded: bits), UInt8(truncatingIfNeeded: bits >> 8),
        UInt8(truncatingIfNeeded: bits >> 16), UInt8(truncatingIfNeeded: bits >> 24),
      ]
    }
    return [UInt8(ascii: "\"")] + Array(Base64Text.encode(bytes).utf8) + [UInt8(ascii: "\"")]
  }
}
