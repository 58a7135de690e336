internal import Yams

/// Bounds on a configuration file. Far above what people write, far below what hurts.
package struct DocumentLimits: Sendable {
  package var bytes = 1 << 20
  package var nodes = 50_000
  package var depth = 64
  /// Aliases in the text; only with them could a small file become a large tree.
  package var aliases = 2_000
  /// Duplicate keys reported one by one before reading stops.
  package var duplicates = 20

  package init() {}
}

/// Turns the text of a file into a `DocumentNode`.
///
/// The YAML library does the syntax; this adds bounds (size, depth, nodes after expanding aliases), positions for
/// everything, merge keys (`<<`), and messages for the mistakes that this format invites.
package struct DocumentParser {
  private let file: String
  private let limits: DocumentLimits
  private var nodes = 0
  private var hasMasks = false
  private(set) var problems: ProblemList

  private init(file: String, limits: DocumentLimits, problems: ProblemList) {
    self.file = file
    self.limits = limits
    self.problems = problems
  }

  /// The tree, or nil after a problem that leaves nothing to look at. An empty file is an empty mapping.
  package static func parse(
    _ text: String, file: String, limits: DocumentLimits = DocumentLimits(), problems: inout ProblemList
  ) -> DocumentNode? {
    var parser = DocumentParser(file: file, limits: limits, problems: problems)
    defer { problems = parser.problems }
    return parser.document(text)
  }

  private mutating func document(_ original: String) -> DocumentNode? {
    guard original.utf8.count <= limits.bytes else {
      problems.error(at: start, "the file is larger than \(Quantity.text(bytes: limits.bytes))")
      return nil
    }
    if let message = AliasGuard.problem(in: original, most: limits.aliases) {
      problems.error(at: start, message)
      return nil
    }
    var text = original
    for _ in 0...limits.duplicates {
      do {
        let parser = try Parser(yaml: text, resolver: .basic, encoding: .utf8)
        guard let root = try parser.singleRoot() else { return DocumentNode(.mapping([]), at: start) }
        return node(root, depth: 0)
      } catch YamlError.duplicatedKeysInMapping(let keys, let context) {
        guard let repaired = reportDuplicates(keys, first: context.mark, text: text) else { return nil }
        text = repaired
      } catch {
        report(error, text: text)
        return nil
      }
    }
    return nil
  }

  private var start: SourcePosition { SourcePosition(file: file, line: 1, column: 1) }

  private func position(_ mark: Mark?) -> SourcePosition {
    mark.map { SourcePosition(file: file, line: $0.line, column: $0.column) } ?? start
  }

  // MARK: - Tree

  private mutating func node(_ node: Node, depth: Int) -> DocumentNode? {
    nodes += 1
    guard nodes <= limits.nodes, depth <= limits.depth else {
      let message =
        nodes > limits.nodes
        ? "the file has more than \(limits.nodes) values once its aliases are expanded"
        : "values are nested deeper than \(limits.depth) levels"
      problems.error(at: position(node.mark), message)
      return nil
    }
    switch node {
    case .scalar(let scalar):
      let style: DocumentNode.Style = scalar.style == .plain || scalar.style == .any ? .plain : .quoted
      return DocumentNode(.scalar(.init(text: scalar.string, style: style)), at: position(node.mark))
    case .sequence(let sequence):
      var items: [DocumentNode] = []
      for item in sequence {
        guard let item = self.node(item, depth: depth + 1) else { return nil }
        items.append(item)
      }
      return DocumentNode(.sequence(items), at: position(node.mark))
    case .mapping(let mapping):
      return self.mapping(mapping, at: position(node.mark), depth: depth)
    case .alias:
      problems.error(at: position(node.mark), "an alias without an anchor")
      return nil
    }
  }

  private mutating func mapping(_ mapping: Node.Mapping, at place: SourcePosition, depth: Int) -> DocumentNode? {
    var entries: [DocumentNode.Entry] = []
    var merged: [DocumentNode.Entry] = []
    for (key, value) in mapping {
      guard case .scalar(let name) = key else {
        problems.error(at: position(key.mark), "keys must be plain names")
        return nil
      }
      guard let value = node(value, depth: depth + 1) else { return nil }
      // Already reported; see `reportDuplicates`.
      if hasMasks, DuplicateKeys.isMask(name.string) { continue }
      if name.string == "<<", name.style == .plain {
        merged += mergeEntries(value)
      } else {
        entries.append(.init(key: name.string, keyPosition: position(name.mark), value: value))
      }
    }
    for entry in merged where !entries.contains(where: { $0.key == entry.key }) { entries.append(entry) }
    return DocumentNode(.mapping(entries), at: place)
  }

  /// The entries behind a `<<` key: those of one mapping, or of several where the earlier ones win.
  private mutating func mergeEntries(_ value: DocumentNode) -> [DocumentNode.Entry] {
    switch value.content {
    case .mapping(let entries):
      return entries
    case .sequence(let items):
      return items.flatMap { mergeEntries($0) }
    case .scalar:
      problems.error(at: value.position, "'<<' merges a mapping or a list of mappings")
      return []
    }
  }

  // MARK: - Problems

  /// Reports the duplicates and masks the later ones in the text, so that the rest of the file is checked as well.
  private mutating func reportDuplicates(_ keys: [String], first mark: Mark, text: String) -> String? {
    guard let key = keys.first else { return nil }
    guard let (line, column) = DuplicateKeys.second(of: key, first: (mark.line, mark.column), in: text) else {
      problems.error(at: position(mark), "the key '\(key)' appears twice")
      return nil
    }
    let place = SourcePosition(file: file, line: line, column: column)
    problems.error(at: place, "the key '\(key)' appears twice (first in line \(mark.line))")
    guard hasMasks || !DuplicateKeys.isUnmaskable(text) else { return nil }
    hasMasks = true
    return DuplicateKeys.mask(key, line: line, column: column, in: text, number: line)
  }

  private mutating func report(_ error: any Error, text: String) {
    switch error {
    case YamlError.scanner(let context, let problem, let mark, _),
      YamlError.parser(let context, let problem, let mark, _),
      YamlError.composer(let context, let problem, let mark, _):
      if let (line, column) = UnquotedVariable.find(in: text, near: mark.line, context: context?.mark.line) {
        let place = SourcePosition(file: file, line: line, column: column)
        problems.error(at: place, "inside {…} or […] a variable must be quoted: \"${NAME}\"")
        return
      }
      let detail = context.map { "\($0.text) (line \($0.mark.line))" }
      problems.error(
        at: position(mark), "not valid YAML: \([problem, detail].compactMap { $0 }.joined(separator: " "))")
    case YamlError.reader(let problem, let offset, _, _):
      let (line, column) = LineIndex.position(ofByte: offset ?? 0, in: text)
      problems.error(at: SourcePosition(file: file, line: line, column: column), "not valid YAML: \(problem)")
    default:
      problems.error(at: start, "not valid YAML")
    }
  }
}

/// Line and column of a byte.
enum LineIndex {
  static func position(ofByte offset: Int, in text: String) -> (line: Int, column: Int) {
    var line = 1
    var column = 1
    for byte in text.utf8.prefix(max(0, offset)) {
      if byte == UInt8(ascii: "\n") {
        line += 1
        column = 1
      } else if byte & 0xC0 != 0x80 {
        column += 1
      }
    }
    return (line, column)
  }
}
