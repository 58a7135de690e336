/// Finds `${…}` without quotes where YAML takes the braces for its own.
enum UnquotedVariable {
  /// The first one between the line where the syntax error's context began and the line of the error itself.
  static func find(in text: String, near line: Int, context: Int?) -> (line: Int, column: Int)? {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let first = max(1, min(context ?? line, line))
    guard first <= lines.count else { return nil }
    for number in first...min(line, lines.count) {
      if let column = column(in: Array(lines[number - 1].unicodeScalars)) { return (number, column) }
    }
    return nil
  }

  private static func column(in line: [Unicode.Scalar]) -> Int? {
    var quote: Unicode.Scalar?
    for (index, scalar) in line.enumerated() {
      if let open = quote {
        if scalar == open { quote = nil }
        continue
      }
      switch scalar {
      case "\"", "'": quote = scalar
      case "#" where index == 0 || line[index - 1] == " ": return nil
      case "$" where line.dropFirst(index + 1).first == "{": return index + 1
      default: break
      }
    }
    return nil
  }
}
