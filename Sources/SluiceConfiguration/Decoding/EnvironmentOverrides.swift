internal import SluicePolicy

/// Values that the environment puts in place of those in the file: `SLUICE_` and the path in capitals, as in
/// `SLUICE_POOLS_OPENAI_CONNECTIONS_MAX`.
///
/// The schema and the names in the file say what a variable can mean. One meaning: it is applied. Several: an error.
/// None: a warning, since it may be meant for another program. Lists cannot be overridden.
package struct EnvironmentOverrides {
  /// Variables with a meaning of their own.
  package static let reserved: Set<String> = [
    "SLUICE_CONFIG", "SLUICE_URL", "SLUICE_API_KEY", "SLUICE_ADMIN_TOKEN", "SLUICE_LOG_LEVEL", "SLUICE_LOG_FORMAT",
    "SLUICE_STRICT",
    "SLUICE_REGENERATE",
  ]
  /// Defaults for all pools: short name → path in the schema. A number alone counts seconds.
  package static let shortNames: [String: String] = [
    "SLUICE_POOL_HEALTH_INTERVAL": "pools.*.health.interval",
    "SLUICE_POOL_RECONNECT_DELAY": "pools.*.connections.reconnect_delay",
    "SLUICE_POOL_CONNECTION_TIMEOUT": "pools.*.connections.connect_timeout",
  ]

  /// What a variable can mean.
  private struct Meaning {
    var path: [String]
    var kind: Kind
  }

  private enum Kind {
    case scalar, list, later
  }

  private let environment: [String: String]
  package private(set) var problems: ProblemList
  /// Defaults from the short names, by schema path.
  package private(set) var defaults: [String: SettingNode.Content] = [:]

  package init(environment: [String: String], problems: ProblemList) {
    self.environment = environment.filter { $0.key.hasPrefix("SLUICE_") }
    self.problems = problems
  }

  /// Applies all of them to the document.
  package mutating func apply(to document: inout DocumentNode) {
    guard !environment.isEmpty else { return }
    var mentioned: Set<String> = []
    document.forEachScalar { mentioned.formUnion(Interpolator.variables(in: $0.text)) }
    let meanings = EnvironmentOverrides.meanings(in: document)
    for (name, value) in environment.sorted(by: { $0.key < $1.key }) where !EnvironmentOverrides.reserved.contains(name)
    {
      if let path = EnvironmentOverrides.shortNames[name] {
        setDefault(path, name: name, value: value)
      } else if let matches = meanings[name] {
        override(matches, name: name, value: value, document: &document)
      } else if !mentioned.contains(name) {
        reportUnknown(name, meanings: meanings)
      }
    }
  }

  private mutating func setDefault(_ path: String, name: String, value: String) {
    guard !value.isEmpty, let field = ConfigurationSchema.field(path), case .duration(let range) = field.type else {
      return
    }
    let position = SourcePosition(.environment(name))
    do {
      let interval = try Quantity.duration(value, bareSeconds: true)
      guard range.contains(interval) else {
        let (least, most) = (Quantity.text(range.lowerBound), Quantity.text(range.upperBound))
        return problems.error(at: position, "'\(value.prefix(80))' is out of range: \(least) to \(most)")
      }
      defaults[path] = .duration(interval)
    } catch {
      problems.error(at: position, "'\(value.prefix(80))': \(error.message)")
    }
  }

  private mutating func override(
    _ matches: [Meaning], name: String, value: String, document: inout DocumentNode
  ) {
    let position = SourcePosition(.environment(name))
    guard let meaning = matches.first, matches.count == 1 else {
      let paths = matches.map { $0.path.joined(separator: ".") }.sorted().joined(separator: " or ")
      return problems.error(at: position, "may mean \(paths)")
    }
    let path = meaning.path.joined(separator: ".")
    switch meaning.kind {
    case .later: problems.error(at: position, "'\(path)' is not supported in this version")
    case .list: problems.error(at: position, "'\(path)' is a list, which cannot be overridden: change the file")
    case .scalar:
      // Set to nothing is how a variable is taken back.
      guard !value.isEmpty else { return }
      let scalar = DocumentNode.Scalar(text: value, style: .literal)
      if !document.set(meaning.path[...], to: scalar, at: position) {
        problems.error(at: position, "'\(path)' cannot be set: what is above it in the file is not a mapping")
      }
    }
  }

  private mutating func reportUnknown(_ name: String, meanings: [String: [Meaning]]) {
    // A variable that points into a list or a later section is no stranger; the longest name is the nearest.
    let prefixes = meanings.keys.filter { name.hasPrefix($0 + "_") }.sorted { $0.count > $1.count }
    for prefix in prefixes {
      guard let meaning = meanings[prefix]?.first(where: { $0.kind != .scalar }) else { continue }
      let path = meaning.path.joined(separator: ".")
      let reason = meaning.kind == .list ? "is a list, which cannot be overridden" : "is not supported in this version"
      return problems.error(at: SourcePosition(.environment(name)), "'\(path)' \(reason)")
    }
    let candidates = meanings.keys.sorted() + EnvironmentOverrides.shortNames.keys.sorted()
    problems.warning(
      at: SourcePosition(.environment(name)), "is not the name of a setting",
      suggestion: Suggestion.nearest(to: name, in: candidates))
  }

  // MARK: - Names

  /// Variable name → what it can mean, given the names in this document.
  private static func meanings(in document: DocumentNode) -> [String: [Meaning]] {
    var result: [String: [Meaning]] = [:]
    for entry in ConfigurationSchema.entries where !entry.isInList {
      guard let kind = kind(of: entry.field) else { continue }
      for path in paths(entry.path, in: document) {
        result[variable(path), default: []].append(Meaning(path: path, kind: kind))
      }
    }
    return result
  }

  private static func kind(of field: SchemaField) -> Kind? {
    if field.later { return .later }
    switch field.type {
    case .object, .map: return nil
    case .list: return .list
    case .either(let types): return types.contains(where: \.isScalar) ? .scalar : .list
    default: return .scalar
    }
  }

  /// The path with the names of the document in the place of `*`.
  private static func paths(_ pattern: String, in document: DocumentNode) -> [[String]] {
    let parts = pattern.split(separator: ".").map(String.init)
    guard let star = parts.firstIndex(of: "*") else { return [parts] }
    var node: DocumentNode? = document
    for part in parts[..<star] { node = node?[part] }
    guard case .mapping(let entries)? = node?.content else { return [] }
    return entries.map { entry in parts[..<star] + [entry.key] + parts[(star + 1)...] }
  }

  private static func variable(_ path: [String]) -> String {
    let name = path.joined(separator: "_").uppercased().map { character in
      character.isASCII && (character.isLetter || character.isNumber) ? character : "_"
    }
    return "SLUICE_" + String(name)
  }
}
