/// Vectors as JSON arrays.
enum EmbeddingVectors {
  static func read(_ values: [JSONValue]) throws(UnreadableAnswer) -> [Float] {
    var vector: [Float] = []
    vector.reserveCapacity(values.count)
    for value in values {
      guard let number = value.double else { throw UnreadableAnswer("an embedding holds something that is no number") }
      vector.append(Float(number))
    }
    return vector
  }

  /// A number is written with as many digits as its 32 bits are worth, not with those of its 64-bit neighbour.
  static func value(_ vector: [Float]) -> JSONValue {
    .array(vector.map { number in number.isFinite ? .double(Double(number.description) ?? Double(number)) : .null })
  }
}
