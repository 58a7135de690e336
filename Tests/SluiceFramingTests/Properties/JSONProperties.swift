import SluiceDialects

/// JSON: request fields come from documents that the scanner accepts; replacing the model changes the model alone; the
/// path reader sees the same model; error offsets lie in the document; the tape holds what the reader reads.
enum JSONProperties {
  private static let model = JSONPathSet(["model", "a.*.b", "*.0"])

  static func check(_ bytes: [UInt8]) throws(ParserProperty.Violation) {
    let scanned = bytes.withUnsafeBytes { scan($0) }
    if let scanned {
      try require((0...bytes.count).contains(scanned.offset), "error at \(scanned.offset) of \(bytes.count)")
    }
    try checkTape(bytes)
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

  /// The same documents, with the same values, wherever one asks.
  private static func checkTape(_ bytes: [UInt8]) throws(ParserProperty.Violation) {
    var room = JSONTape.Room()
    let document = try? JSONReader.read(bytes)
    let differs = bytes.withSlice { bytes -> String? in
      guard var tape = try? JSONTape(bytes, in: &room) else { return document == nil ? nil : "refuses" }
      defer { tape.leave(&room) }
      guard let document else { return "accepts" }
      guard tape.value(tape.root) == document else { return "reads otherwise" }
      return sameMembers(tape, document) ? nil : "finds other members"
    }
    try require(differs == nil, "the tape \(differs ?? "")")
  }

  private static func sameMembers(_ tape: JSONTape, _ document: JSONValue) -> Bool {
    let names: [StaticString] = ["model", "messages", "choices", "delta", "type", "a", ""]
    let areSame = names.allSatisfy { name in
      let place = tape[tape.root, name]
      let value = document[name.description]
      return place.map(tape.value) == value && tape.string(place) == value?.string && tape.int(place) == value?.int
        && (tape.given(tape.root, name) == nil) == (document.given(name.description) == nil)
    }
    var item = tape.firstItem(tape.root)
    for value in document.array ?? [] {
      guard let place = item, tape.value(place) == value else { return false }
      item = tape.item(after: place, of: tape.root)
    }
    return areSame && item == nil
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
