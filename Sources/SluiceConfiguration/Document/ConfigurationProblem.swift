/// One thing that is wrong with a configuration, or doubtful.
public struct ConfigurationProblem: Hashable, Sendable, CustomStringConvertible {
  /// How bad it is.
  public enum Severity: String, Sendable {
    /// Nothing can be started or reloaded with it.
    case error
    /// Worth a look.
    case warning
  }

  package var position: SourcePosition
  /// How bad it is.
  public var severity: Severity
  /// What is wrong and what would be right; never contains a secret.
  public var message: String
  /// The nearest valid name, where there is one.
  public var suggestion: String?

  package init(
    _ severity: Severity = .error, at position: SourcePosition, _ message: String, suggestion: String? = nil
  ) {
    self.position = position
    self.severity = severity
    self.message = message
    self.suggestion = suggestion
  }

  /// The file, environment variable or command line option that it is about.
  public var file: String { position.name }
  /// Line in the file, from 1; 0 if it is not about a file.
  public var line: Int { position.line }
  /// Column in the line, from 1; 0 if it is not about a file.
  public var column: Int { position.column }

  /// `file:line:column: error: message; did you mean 'x'?`
  public var description: String {
    let hint = suggestion.map { "; did you mean '\($0)'?" } ?? ""
    return "\(position): \(severity.rawValue): \(message)\(hint)"
  }
}

/// Everything that is wrong with a configuration, sorted by place. Never empty, and at least one is an error.
public struct ConfigurationProblems: Error, Hashable, Sendable, CustomStringConvertible {
  /// Sorted by file, line and column.
  public var problems: [ConfigurationProblem]

  /// Sorts.
  public init(_ problems: [ConfigurationProblem]) {
    self.problems = problems.sorted { $0.position < $1.position }
  }

  /// One line per problem.
  public var description: String { problems.map(\.description).joined(separator: "\n") }
}

/// Collects problems while a configuration is read. Bounded: a file of a million mistakes gets a short answer too.
package struct ProblemList: Sendable {
  package static let capacity = 100
  package private(set) var problems: [ConfigurationProblem] = []
  package private(set) var suppressed = 0
  private var suppressesErrors = false
  private var errors = 0

  package init() {}

  package var hasErrors: Bool { errors > 0 }

  package mutating func error(at position: SourcePosition, _ message: String, suggestion: String? = nil) {
    errors += 1
    add(ConfigurationProblem(.error, at: position, message, suggestion: suggestion))
  }

  package mutating func warning(at position: SourcePosition, _ message: String, suggestion: String? = nil) {
    add(ConfigurationProblem(.warning, at: position, message, suggestion: suggestion))
  }

  /// Where there is no room for an error, a warning makes it.
  private mutating func add(_ problem: ConfigurationProblem) {
    guard !problems.contains(problem) else { return }
    guard problems.count >= ProblemList.capacity else { return problems.append(problem) }
    suppressed += 1
    guard problem.severity == .error else { return }
    if let warning = problems.lastIndex(where: { $0.severity == .warning }) {
      problems.remove(at: warning)
      problems.append(problem)
    } else {
      suppressesErrors = true
    }
  }

  /// All of them in order of place, and a last line if there were more than are kept.
  package var sorted: [ConfigurationProblem] {
    var result = ConfigurationProblems(problems).problems
    if suppressed > 0, let last = result.last {
      let severity = suppressesErrors ? ConfigurationProblem.Severity.error : .warning
      result.append(ConfigurationProblem(severity, at: last.position, "and \(suppressed) more problems"))
    }
    return result
  }
}
