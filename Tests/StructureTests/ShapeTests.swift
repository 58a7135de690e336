import Foundation
import Testing

/// Files and functions stay small enough to be read in one go.
struct ShapeTests {
  @Test func filesAreShort() {
    for file in SourceTree.sources {
      #expect(file.lines.count <= 500, "\(file.path): \(file.lines.count) lines; split it by idea")
    }
  }

  @Test func functionsAreShort() {
    for file in SourceTree.sources {
      for (line, length) in Self.functionLengths(file.code) {
        #expect(length <= 90, "\(file.path):\(line): a function of \(length) lines; most stay under 15")
      }
    }
  }

  @Test func publicSymbolsAreDocumented() {
    let declaration =
      /^\s*(@\w+(\(.*\))? )*public (static |final |mutating |consuming |borrowing |indirect |convenience )*(func|var|let|struct|enum|class|protocol|init|typealias|subscript)/
    for file in SourceTree.sources {
      for (number, line) in file.code.enumerated() where line.contains(declaration) {
        var above = number - 1
        while above >= 0, file.lines[above].trimmingCharacters(in: .whitespaces).hasPrefix("@") { above -= 1 }
        let documented = above >= 0 && file.lines[above].trimmingCharacters(in: .whitespaces).hasPrefix("///")
        #expect(documented, "\(file.path):\(number + 1): public, but not documented")
      }
    }
  }

  /// (first line, number of lines) of every function or initialiser with a body, found by counting braces.
  static func functionLengths(_ code: [String]) -> [(Int, Int)] {
    var result: [(Int, Int)] = []
    for (start, line) in code.enumerated() where line.contains(/^\s*([\w@()]+ )*(func |init[(<?])/) {
      var depth = 0, opened = false
      for index in start..<min(code.count, start + 400) {
        depth += code[index].count(where: { $0 == "{" }) - code[index].count(where: { $0 == "}" })
        if code[index].contains("{") { opened = true }
        if !opened && index > start + 12 { break }
        if opened && depth <= 0 {
          result.append((start + 1, index - start + 1))
          break
        }
      }
    }
    return result
  }

  @Test func theFunctionCounterCounts() {
    let code = ["func a() {", "  if x {", "  }", "}", "func b()", "struct C {", "  init(x: Int) {", "  }", "}"]
    let lengths = Self.functionLengths(code)
    #expect(lengths.map(\.0) == [1, 7] || lengths.map(\.0) == [1, 5, 7])
    #expect(lengths.first?.1 == 4)
  }
}
