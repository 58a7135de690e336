import Foundation

/// One Swift file of the project, read once: its lines, and the same lines without comments and string contents.
struct SourceFile: Sendable {
  let path: String
  let target: String
  let lines: [String]
  let code: [String]
}

/// The project's own files, found from this file's place in it.
enum SourceTree {
  static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  static let sources = swiftFiles(under: "Sources")
  static let tests = swiftFiles(under: "Tests")

  static func text(_ path: String) -> String {
    (try? String(contentsOf: root.appending(path: path), encoding: .utf8)) ?? ""
  }

  static func files(under folder: String, suffix: String) -> [String] {
    let base = root.appending(path: folder)
    guard let walker = FileManager.default.enumerator(atPath: base.path) else { return [] }
    return walker.compactMap { $0 as? String }.filter { $0.hasSuffix(suffix) && !$0.contains(".build") }
      .map { folder + "/" + $0 }.sorted()
  }

  private static func swiftFiles(under folder: String) -> [SourceFile] {
    files(under: folder, suffix: ".swift").map { path in
      let lines = text(path).components(separatedBy: "\n")
      let target = path.split(separator: "/").dropFirst().first.map(String.init) ?? ""
      return SourceFile(path: path, target: target, lines: lines, code: strippingCommentsAndStrings(lines))
    }
  }

  /// Keeps the shape of each line but empties string literals and drops comments, so that words are looked for in
  /// code only. Line based: good enough for the house's own style, which the formatter enforces.
  static func strippingCommentsAndStrings(_ lines: [String]) -> [String] {
    var insideBlockString = false
    return lines.map { line in
      if line.components(separatedBy: "\"\"\"").count.isMultiple(of: 2) {
        insideBlockString.toggle()
        return insideBlockString ? String(line.prefix { $0 != "\"" }) : ""
      }
      return insideBlockString ? "" : stripped(line)
    }
  }

  private static func stripped(_ line: String) -> String {
    var result = "", insideString = false, previous: Character = " "
    for character in line {
      if insideString {
        if character == "\"" && previous != "\\" { insideString = false; result.append(character) }
        previous = previous == "\\" && character == "\\" ? " " : character
        continue
      }
      if character == "/" && previous == "/" { return String(result.dropLast()) }
      if character == "\"" { insideString = true }
      result.append(character)
      previous = character
    }
    return result
  }
}
