internal import SluicePolicy

/// What decoding needs besides the values: where defaults come from, and which keys were asked for.
package final class DecodingContext {
  let profile: Profile
  /// Defaults set from outside, by schema path.
  let defaults: [String: SettingNode.Content]
  package private(set) var keysRead: Set<String> = []

  package init(profile: Profile, defaults: [String: SettingNode.Content] = [:]) {
    self.profile = profile
    self.defaults = defaults
  }

  func note(_ path: String) { keysRead.insert(path) }

  /// The default of a field. A default of ours that does not fit its own type is a mistake in the schema, which the
  /// tests look for.
  func fallback(_ path: String, _ field: SchemaField) -> SettingNode.Content? {
    if let value = defaults[path] { return value }
    guard let text = field.fallback(in: profile) else { return nil }
    return try? ScalarReader(trusted: text).read(text, as: field.type)
  }
}

extension DecodingContext {
  /// Whether the default of the field at a schema path is a value of its type and range.
  package func hasUsableFallback(_ path: String) -> Bool {
    ConfigurationSchema.field(path).flatMap { fallback(path, $0) } != nil
  }
}

/// Reads the keys of one object with their defaults. Asking for a key that the schema does not have is a mistake in the
/// decoder, which the tests look for; it reads as absent.
package struct ObjectReader {
  let object: SettingObject
  /// Path in the schema, with a dot at the end unless it is the root: `pools.*.`.
  let prefix: String
  let position: SourcePosition
  let context: DecodingContext

  package init(_ object: SettingObject, prefix: String, at position: SourcePosition, context: DecodingContext) {
    self.object = object
    self.prefix = prefix
    self.position = position
    self.context = context
  }

  /// Whether the key was written, even if with a value that does not fit.
  func isGiven(_ key: String) -> Bool { object[key] != nil }

  /// Where the value is, or the object if it is not there.
  func position(of key: String) -> SourcePosition { object[key]?.position ?? position }

  // MARK: - Values

  func integer(_ key: String) -> Int? {
    if case .integer(let value) = content(key) { return value }
    return nil
  }

  func duration(_ key: String) -> Interval? {
    if case .duration(let value) = content(key) { return value }
    return nil
  }

  func fraction(_ key: String) -> Double? {
    if case .fraction(let value) = content(key) { return value }
    return nil
  }

  func boolean(_ key: String) -> Bool? {
    if case .boolean(let value) = content(key) { return value }
    return nil
  }

  func text(_ key: String) -> String? {
    if case .text(let value) = content(key) { return value }
    return nil
  }

  func secret(_ key: String) -> Secret? {
    if case .secret(let value) = content(key) { return value }
    return nil
  }

  // MARK: - Structure

  /// The object behind the key, empty if there is none, so that its defaults can be read.
  func nested(_ key: String) -> ObjectReader {
    nestedIfGiven(key) ?? ObjectReader(SettingObject(), prefix: prefix + key + ".", at: position, context: context)
  }

  /// The object behind the key, if it was written.
  func nestedIfGiven(_ key: String) -> ObjectReader? {
    context.note(prefix + key)
    guard let node = object[key], case .object(let object) = node.content else { return nil }
    return ObjectReader(object, prefix: prefix + key + ".", at: node.position, context: context)
  }

  /// The named objects behind the key.
  func map(_ key: String) -> [(name: String, position: SourcePosition, reader: ObjectReader)] {
    context.note(prefix + key)
    guard let node = object[key], case .object(let object) = node.content else { return [] }
    return object.entries.compactMap { entry in
      guard case .object(let value) = entry.value.content else { return nil }
      let reader = ObjectReader(value, prefix: "\(prefix)\(key).*.", at: entry.value.position, context: context)
      return (entry.key, entry.keyPosition, reader)
    }
  }

  /// The entries of a list; a value that is allowed in its place counts as a list of one. Nil if absent or not usable.
  func list(_ key: String) -> [ListEntry]? {
    guard let content = content(key) else { return nil }
    let path = "\(prefix)\(key)[]."
    guard case .list(let nodes) = content else {
      return [ListEntry(node: SettingNode(content, at: position(of: key)), prefix: path, context: context)]
    }
    return nodes.map { ListEntry(node: $0, prefix: path, context: context) }
  }

  /// The texts of a list.
  func texts(_ key: String) -> [String]? {
    list(key)?.compactMap { entry in
      if case .text(let text) = entry.node.content { return text }
      return nil
    }
  }

  /// Texts by names chosen in the file.
  func textMap(_ key: String) -> [String: String] {
    context.note(prefix + key)
    guard let node = object[key], case .object(let object) = node.content else { return [:] }
    var texts: [String: String] = [:]
    for entry in object.entries {
      if case .text(let text) = entry.value.content { texts[entry.key] = text }
    }
    return texts
  }

  private func content(_ key: String) -> SettingNode.Content? {
    let path = prefix + key
    context.note(path)
    if let node = object[key] {
      if case .invalid = node.content { return fallback(path) }
      return node.content
    }
    return fallback(path)
  }

  private func fallback(_ path: String) -> SettingNode.Content? {
    ConfigurationSchema.field(path).flatMap { context.fallback(path, $0) }
  }
}

/// One entry of a list.
struct ListEntry {
  let node: SettingNode
  let prefix: String
  let context: DecodingContext

  var position: SourcePosition { node.position }

  /// The entry as an object, if it is one.
  var reader: ObjectReader? {
    guard case .object(let object) = node.content else { return nil }
    return ObjectReader(object, prefix: prefix, at: node.position, context: context)
  }
}
