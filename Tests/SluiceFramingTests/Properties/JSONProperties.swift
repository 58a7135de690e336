import SluiceDialects

/// JSON: request fields come from documents that the scanner accepts; replacing the model changes the model alone; the
/// path reader sees the same model; error offsets lie in the document.
enum JSONProperties {
  private static let model = JSONPathSet(["model", "a.*.b", "*.0"])

  static func check(_ bytes: [UInt8]) throws(ParserProperty.Violation) {
    let scanned = bytes.withUnsafeBytes { scan($0) }
    if let scanned {
      try require((0...bytes.count).contains(scanned.offset), "error at \(scanned.offset) of \(bytes.count)")
    }
    let leaves = bytes.withUnsafeBytes { JSONPathReader.first($0, model) }
    if scanned != nil { try require(leaves.allSatisfy { $0 == nil }, "values out of a broken document") }
    switch bytes.withUnsafeBytes({ RequestScanner.scan($0) }) {
    case .failure(let error):
      let isOurRule = [
        .notAnObject, .duplicateModel, .duplicateStream, .modelNotAString, .modelTooLong,
        .streamNotABoolean,
      ].contains(error.reason)
      try require(scanned != nil || isOurRule, "valid JSON is refused: \(error)")
    case .success(let fields):
      try require(scanned == nil, "broken JSON is accepted")
      try checkFields(fields, bytes, leaves)
    }
  }

  private static func checkFields(
    _ fields: RequestFields, _ bytes: [UInt8], _ leaves: [JSONLeaf?]
  ) throws(ParserProperty.Violation) {
    try require(fields.promptBytes <= 5 * bytes.count, "more prompt than body")
    guard let name = fields.model, let range = fields.modelRange else {
      return try require(leaves[0] == nil, "a model was overlooked")
    }
    let read = bytes.withUnsafeBytes { bytes in leaves[0].flatMap { $0.string(in: bytes) } }
    try require(read == name, "the path reader sees another model")
    let changed = bytes.withUnsafeBytes { BodySplice.model(range, with: "other/\"model\"").applied(to: $0) }
    guard case .success(var after) = changed.withUnsafeBytes({ RequestScanner.scan($0) }) else {
      throw ParserProperty.Violation(description: "the changed body is refused")
    }
    try require(after.model == "other/\"model\"", "the model was not replaced")
    let back = BodySplice(
      range: after.modelRange ?? .empty, replacement: Array(bytes[range.range]))
    try require(changed.withUnsafeBytes { back.applied(to: $0) } == bytes, "more than the model was changed")
    after.model = fields.model
    after.modelRange = fields.modelRange
    after.user = fields.user
    try require(after == fields, "another field changed with the model")
  }

  /// Nil when the document is valid.
  private static func scan(_ bytes: UnsafeRawBufferPointer) -> JSONScanError? {
    var scanner = JSONScanner(bytes)
    do throws(JSONScanError) {
      while try scanner.next() != .end {}
      return nil
    } catch {
      return error
    }
  }
}
