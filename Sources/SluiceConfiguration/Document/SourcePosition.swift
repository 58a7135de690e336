/// Where a value was written: a place in a file, a variable of the environment, or an option of the command line.
package struct SourcePosition: Hashable, Sendable, Comparable, CustomStringConvertible {
  package enum Source: Hashable, Sendable {
    case file(String)
    case environment(String)
    case option(String)
  }

  package var source: Source
  /// From 1; 0 where there are no lines.
  package var line: Int
  /// From 1, in Unicode scalars; 0 where there are no lines.
  package var column: Int

  package init(file: String, line: Int, column: Int) {
    source = .file(file)
    self.line = line
    self.column = column
  }

  package init(_ source: Source) {
    self.source = source
    line = 0
    column = 0
  }

  /// Name of the file, the variable or the option.
  package var name: String {
    switch source {
    case .file(let name), .environment(let name), .option(let name): name
    }
  }

  package var description: String {
    switch source {
    case .file: "\(name):\(line):\(column)"
    case .environment: "$\(name)"
    case .option: name
    }
  }

  package static func < (left: SourcePosition, right: SourcePosition) -> Bool {
    (left.rank, left.name, left.line, left.column) < (right.rank, right.name, right.line, right.column)
  }

  /// The file's own problems come first.
  private var rank: Int {
    switch source {
    case .file: 0
    case .environment: 1
    case .option: 2
    }
  }
}
