internal import SluiceDialects

/// Checks a document against the schema: unknown keys, types, ranges, required keys, variables. Goes on after every
/// problem, so that all of them are reported at once.
package struct SchemaValidator {
  private let interpolator: Interpolator
  private let files: FileAccess
  private let directory: String
  package private(set) var problems: ProblemList
  /// Files that the configuration depends on, in the order of their mention.
  package private(set) var mentionedFiles: [String] = []

  package init(interpolator: Interpolator, files: FileAccess, directory: String, problems: ProblemList) {
    self.interpolator = interpolator
    self.files = files
    self.directory = directory
    self.problems = problems
  }

  /// The valid part of an object; whatever is missing there is either absent or has been reported.
  package mutating func object(_ node: DocumentNode, fields: [SchemaField], path: String = "") -> SettingObject {
    var result = SettingObject()
    guard case .mapping(let entries) = node.content else {
      problems.error(at: node.position, "expected a mapping, found \(node.kind)")
      return result
    }
    var seen: Set<String> = []
    for entry in entries where isFirst(entry, among: &seen) {
      guard let field = fields.first(where: { $0.name == entry.key }) else {
        reportUnknown(entry, fields: fields, path: path)
        continue
      }
      if entry.value.isNull { continue }
      if field.later {
        let full = path.isEmpty ? field.name : "\(path).\(field.name)"
        problems.error(at: entry.keyPosition, "'\(full)' is not supported in this version")
        continue
      }
      guard let value = value(entry.value, type: field.type, path: path.isEmpty ? field.name : "\(path).\(field.name)")
      else { continue }
      result.entries.append(.init(key: entry.key, keyPosition: entry.keyPosition, value: value))
    }
    for field in fields where field.isRequired && result[field.name] == nil {
      problems.error(at: node.position, "'\(field.name)' is missing\(path.isEmpty ? "" : " in \(path)")")
    }
    return result
  }

  /// A value of the type, `.invalid` if it is not one; nil if it counts as not given.
  private mutating func value(_ node: DocumentNode, type: SchemaType, path: String) -> SettingNode? {
    switch (node.content, type) {
    case (.scalar(let scalar), _):
      return self.scalar(scalar, at: node.position, type: type)
    case (.mapping, .object(let fields)):
      return SettingNode(.object(object(node, fields: fields, path: path)), at: node.position)
    case (.mapping(let entries), .map(let element)):
      return SettingNode(.object(map(entries, element: element, path: path)), at: node.position)
    case (.sequence(let items), .list(let element, let count)):
      guard count.contains(items.count) else {
        let message = items.isEmpty ? "the list is empty" : "the list has more than \(count.upperBound) entries"
        problems.error(at: node.position, message)
        return SettingNode(.invalid, at: node.position)
      }
      let nodes = items.map { item in listEntry(item, type: element, path: "\(path)[]") }
      return SettingNode(.list(nodes), at: node.position)
    case (_, .either(let types)):
      for type in types where type.accepts(node) { return value(node, type: type, path: path) }
    default:
      break
    }
    problems.error(at: node.position, "expected \(type.expectation), found \(node.kind)")
    return SettingNode(.invalid, at: node.position)
  }

  /// An entry of a list: there, nothing cannot stand for "not given".
  private mutating func listEntry(_ node: DocumentNode, type: SchemaType, path: String) -> SettingNode {
    if !node.isNull, let value = value(node, type: type, path: path) { return value }
    let isVariable = !node.isNull
    problems.error(
      at: node.position, isVariable ? "the entry is empty: its variable is set to nothing" : "the entry is empty")
    return SettingNode(.invalid, at: node.position)
  }

  private mutating func map(
    _ entries: [DocumentNode.Entry], element: SchemaType, path: String
  ) -> SettingObject {
    var result = SettingObject()
    if entries.count > ConfigurationSchema.most, let first = entries.first {
      problems.error(at: first.keyPosition, "more than \(ConfigurationSchema.most) names")
      return result
    }
    var seen: Set<String> = []
    for entry in entries where isFirst(entry, among: &seen) {
      guard NameRule.isValid(entry.key) else {
        problems.error(
          at: entry.keyPosition, "'\(entry.key)' is not a name: 1 to 64 letters, digits, '.', '_' or '-'")
        continue
      }
      if entry.value.isNull {
        problems.error(at: entry.keyPosition, "'\(entry.key)' is empty")
        continue
      }
      guard let value = value(entry.value, type: element, path: "\(path).\(entry.key)") else { continue }
      result.entries.append(.init(key: entry.key, keyPosition: entry.keyPosition, value: value))
    }
    return result
  }

  // MARK: - Single values

  private mutating func scalar(
    _ scalar: DocumentNode.Scalar, at position: SourcePosition, type: SchemaType
  ) -> SettingNode? {
    var text = scalar.text
    let isResolved = scalar.style != .literal && Interpolator.applies(to: text)
    if isResolved {
      do {
        text = try interpolator.resolve(text, reading: &mentionedFiles)
      } catch {
        problems.error(at: position.advanced(by: error.offset, in: scalar), error.message)
        return SettingNode(.invalid, at: position)
      }
      // `"${VAR:-}"` is how a file says "if there is one".
      if text.isEmpty { return nil }
    }
    let shown = isResolved ? scalar.text : text
    let reader = ScalarReader(style: scalar.style, isResolved: isResolved, shown: String(shown.prefix(80)))
    do {
      let content = try reader.read(text, as: type)
      if case .text(.path) = type { return path(text, at: position) }
      if case .text(.catalogue) = type { return catalogue(text, at: position) }
      return SettingNode(content, at: position)
    } catch {
      problems.error(at: position, error.message, suggestion: error.suggestion)
      return SettingNode(.invalid, at: position)
    }
  }

  private mutating func path(_ text: String, at position: SourcePosition) -> SettingNode {
    let path = FileAccess.join(directory, text)
    if case .failure(let problem) = files.read(path, 1 << 20) {
      problems.error(at: position, "the file \(path) \(problem.message)")
    }
    mentionedFiles.append(path)
    return SettingNode(.text(path), at: position)
  }

  private mutating func catalogue(_ text: String, at position: SourcePosition) -> SettingNode {
    let path = FileAccess.join(directory, text)
    mentionedFiles.append(path)
    switch files.read(path, ModelCatalogue.fileLimit) {
    case .failure(let problem): problems.error(at: position, "the file \(path) \(problem.message)")
    case .success(let bytes):
      do throws(JSONError) { _ = try ModelCatalogue(json: bytes) } catch {
        problems.error(at: position, "the file \(path) is no catalogue: \(error.reason) at byte \(error.offset)")
      }
    }
    return SettingNode(.text(path), at: position)
  }

  // MARK: - Keys

  private mutating func isFirst(_ entry: DocumentNode.Entry, among seen: inout Set<String>) -> Bool {
    if seen.insert(entry.key).inserted { return true }
    problems.error(at: entry.keyPosition, "the key '\(entry.key)' appears twice")
    return false
  }

  private mutating func reportUnknown(_ entry: DocumentNode.Entry, fields: [SchemaField], path: String) {
    let place = path.isEmpty ? "" : " in \(path)"
    let shown = String(entry.key.prefix(80))
    if let near = Suggestion.nearest(to: entry.key, in: fields.filter { !$0.later }.map(\.name)) {
      problems.error(at: entry.keyPosition, "unknown key '\(shown)'\(place)", suggestion: near)
      return
    }
    // The same section first.
    let root = path.prefix { $0 != "." }
    let namesakes = ConfigurationSchema.entries.filter { $0.field.name == entry.key && !$0.field.later }
    let elsewhere = namesakes.first { !root.isEmpty && $0.path.hasPrefix("\(root).") } ?? namesakes.first
    let allowed = fields.filter { !$0.later }.map(\.name).joined(separator: ", ")
    let hint =
      elsewhere.map { "; it belongs to \($0.path)" } ?? (allowed.isEmpty ? "" : "; there are: \(allowed)")
    problems.error(at: entry.keyPosition, "unknown key '\(shown)'\(place)\(hint)")
  }
}

extension SchemaType {
  /// Whether the shape of the node fits.
  func accepts(_ node: DocumentNode) -> Bool {
    switch (node.content, self) {
    case (.mapping, .object), (.mapping, .map), (.sequence, .list): true
    case (_, .either(let types)): types.contains { $0.accepts(node) }
    case (.scalar, _): isScalar
    default: false
    }
  }
}

extension SourcePosition {
  /// The place of a character within a value; exact for values on one line without escapes.
  func advanced(by offset: Int, in scalar: DocumentNode.Scalar) -> SourcePosition {
    guard case .file = source, !scalar.text.contains("\n") else { return self }
    var result = self
    result.column += offset + (scalar.style == .quoted ? 1 : 0)
    return result
  }
}
