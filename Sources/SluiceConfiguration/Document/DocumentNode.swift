/// A configuration file as a tree in which every key and value knows where it was written.
package struct DocumentNode: Sendable {
  package indirect enum Content: Sendable {
    case scalar(Scalar)
    case mapping([Entry])
    case sequence([DocumentNode])
  }

  package enum Style: Sendable {
    /// Without quotes: `null`, `true` and numbers are recognised.
    case plain
    /// In quotes or as a block: always text.
    case quoted
    /// From the environment or the command line: typed by what is expected, and taken as it is.
    case literal
  }

  package struct Scalar: Sendable {
    package var text: String
    package var style: Style

    /// Not given: empty, `~` or `null` without quotes.
    package var isNull: Bool {
      switch style {
      case .plain: text.isEmpty || text == "~" || text == "null" || text == "Null" || text == "NULL"
      case .quoted: false
      case .literal: text.isEmpty
      }
    }
  }

  package struct Entry: Sendable {
    package var key: String
    package var keyPosition: SourcePosition
    package var value: DocumentNode
  }

  package var content: Content
  package var position: SourcePosition

  package init(_ content: Content, at position: SourcePosition) {
    self.content = content
    self.position = position
  }

  package var isNull: Bool {
    if case .scalar(let scalar) = content { return scalar.isNull }
    return false
  }

  /// What a person would call it.
  package var kind: String {
    switch content {
    case .scalar: isNull ? "nothing" : "a single value"
    case .mapping: "a mapping"
    case .sequence: "a list"
    }
  }

  package subscript(key: String) -> DocumentNode? {
    guard case .mapping(let entries) = content else { return nil }
    return entries.first { $0.key == key }?.value
  }

  /// Calls `body` with every scalar of the tree.
  package func forEachScalar(_ body: (Scalar) -> Void) {
    switch content {
    case .scalar(let scalar): body(scalar)
    case .mapping(let entries): for entry in entries { entry.value.forEachScalar(body) }
    case .sequence(let items): for item in items { item.forEachScalar(body) }
    }
  }

  /// Puts a scalar at a path of mapping keys, making the mappings on the way. Returns whether it could: something
  /// else than a mapping on the way is left alone.
  package mutating func set(_ path: ArraySlice<String>, to scalar: Scalar, at position: SourcePosition) -> Bool {
    guard let key = path.first else {
      self = DocumentNode(.scalar(scalar), at: position)
      return true
    }
    var entries: [Entry] = []
    switch content {
    case .mapping(let existing): entries = existing
    case .scalar where isNull: break
    default: return false
    }
    let index = entries.firstIndex { $0.key == key } ?? entries.count
    if index == entries.count {
      let empty = DocumentNode(.mapping([]), at: position)
      entries.append(Entry(key: key, keyPosition: position, value: empty))
    }
    let done = entries[index].value.set(path.dropFirst(), to: scalar, at: position)
    if done { content = .mapping(entries) }
    return done
  }
}
