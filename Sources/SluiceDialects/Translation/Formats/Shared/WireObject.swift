/// One object of a client's request and its place in it. Reading is strict: what is there has the right type or is
/// refused with its path; `null` counts as absent, as it does for the providers.
struct WireObject {
  private let members: [JSONMember]
  let path: String
  /// The protocol takes `snake_case` for `camelCase` (proto-JSON); names are asked for in `camelCase`.
  private let folds: Bool

  /// - Parameter path: for example `messages[2]`; empty for the document itself.
  init(_ value: JSONValue, at path: String = "", folding folds: Bool = false) throws(TranslationRefusal) {
    guard case .object(let members) = value else { throw Self.mismatch(path, "an object") }
    self.members = folds ? members.map { JSONMember(name: Self.camelCase($0.name), value: $0.value) } : members
    self.path = path
    self.folds = folds
  }

  /// The names that are given, without those that are `null`.
  var names: [String] { members.compactMap { $0.value.isNull ? nil : $0.name } }

  func place(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

  func refusal(_ name: String, _ message: String) -> TranslationRefusal {
    TranslationRefusal(message, field: place(name))
  }

  private static func mismatch(_ path: String, _ type: String) -> TranslationRefusal {
    let subject = path.isEmpty ? "The request body" : "'\(path)'"
    return TranslationRefusal("\(subject) must be \(type).", field: path.isEmpty ? nil : path)
  }

  /// `max_output_tokens` becomes `maxOutputTokens`; a leading underscore stays away, as in the SDK's private names.
  private static func camelCase(_ name: String) -> String {
    guard name.utf8.contains(0x5F) else { return name }
    var result: [UInt8] = []
    var raises = false
    for byte in name.utf8 {
      if byte == 0x5F {
        raises = !result.isEmpty
      } else {
        result.append(raises && byte >= 0x61 && byte <= 0x7A ? byte - 0x20 : byte)
        raises = false
      }
    }
    return String(decoding: result, as: UTF8.self)
  }
}

// MARK: - Scalars

extension WireObject {
  /// Of duplicates the last counts.
  subscript(_ name: String) -> JSONValue? {
    guard let value = members.last(where: { $0.name == name })?.value, !value.isNull else { return nil }
    return value
  }

  func text(_ name: String) throws(TranslationRefusal) -> String? {
    guard let value = self[name] else { return nil }
    guard let text = value.string else { throw Self.mismatch(place(name), "a string") }
    return text
  }

  func requiredText(_ name: String) throws(TranslationRefusal) -> String {
    guard let text = try text(name) else { throw refusal(name, "'\(place(name))' is missing.") }
    return text
  }

  func flag(_ name: String) throws(TranslationRefusal) -> Bool? {
    guard let value = self[name] else { return nil }
    guard let flag = value.bool else { throw Self.mismatch(place(name), "true or false") }
    return flag
  }

  func integer(_ name: String) throws(TranslationRefusal) -> Int? {
    guard let value = self[name] else { return nil }
    guard let number = value.int else { throw Self.mismatch(place(name), "an integer") }
    return number
  }

  /// An integer that counts something.
  func count(_ name: String) throws(TranslationRefusal) -> Int? {
    guard let number = try integer(name) else { return nil }
    guard number > 0 else { throw refusal(name, "'\(place(name))' must be greater than 0.") }
    return number
  }

  func number(_ name: String) throws(TranslationRefusal) -> Double? {
    guard let value = self[name] else { return nil }
    guard let number = value.double else { throw Self.mismatch(place(name), "a number") }
    return number
  }
}

// MARK: - Containers

extension WireObject {
  func object(_ name: String) throws(TranslationRefusal) -> WireObject? {
    guard let value = self[name] else { return nil }
    return try WireObject(value, at: place(name), folding: folds)
  }

  func array(_ name: String) throws(TranslationRefusal) -> [JSONValue]? {
    guard let value = self[name] else { return nil }
    guard let items = value.array else { throw Self.mismatch(place(name), "an array") }
    return items
  }

  func objects(_ name: String) throws(TranslationRefusal) -> [WireObject]? {
    guard let items = try array(name) else { return nil }
    var objects: [WireObject] = []
    for (index, item) in items.enumerated() {
      objects.append(try WireObject(item, at: "\(place(name))[\(index)]", folding: folds))
    }
    return objects
  }

  func texts(_ name: String) throws(TranslationRefusal) -> [String]? {
    guard let items = try array(name) else { return nil }
    var texts: [String] = []
    for (index, item) in items.enumerated() {
      guard let text = item.string else { throw Self.mismatch("\(place(name))[\(index)]", "a string") }
      texts.append(text)
    }
    return texts
  }

  /// An object that travels as it is, for example a schema.
  func document(_ name: String) throws(TranslationRefusal) -> JSONValue? {
    guard let value = self[name] else { return nil }
    guard case .object = value else { throw Self.mismatch(place(name), "an object") }
    return value
  }

  /// Notes every member that nobody read.
  func dropOthers(than known: Set<String>, _ notes: inout TranslationNotes) {
    for name in names where !known.contains(name) { notes.drop(place(name)) }
  }

  /// Refuses members that would change the meaning of the answer and have no counterpart.
  func refuse(_ names: String...) throws(TranslationRefusal) {
    for name in names where self[name] != nil {
      throw refusal(name, "'\(place(name))' cannot be carried to a provider of another protocol.")
    }
  }
}
