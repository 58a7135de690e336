import Foundation
import Testing

/// The documents speak of what is there.
struct DocumentTests {
  static let documents =
    ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"] + SourceTree.files(under: "docs", suffix: ".md")

  @Test func linksBetweenDocumentsResolve() throws {
    let link = /\]\(([^)#]+)(#[^)]*)?\)/
    for document in Self.documents {
      let folder = (document as NSString).deletingLastPathComponent
      for match in SourceTree.text(document).matches(of: link) {
        let target = String(match.1)
        if target.contains("://") || target.hasPrefix("mailto:") { continue }
        let path = SourceTree.root.appending(path: folder).appending(path: target).standardized.path
        #expect(FileManager.default.fileExists(atPath: path), "\(document): dead link \(target)")
      }
    }
  }

  @Test func theMapNamesEveryRoom() throws {
    let map = SourceTree.text("docs/ARCHITECTURE.md")
    for folder in Set(SourceTree.sources.map { $0.path.split(separator: "/").dropLast().joined(separator: "/") }) {
      let parts = folder.split(separator: "/")
      let target = String(parts[1])
      #expect(map.contains("`\(target)`"), "docs/ARCHITECTURE.md does not mention the target \(target)")
      if parts.count > 2 {
        #expect(map.contains("\(parts[2])/"), "docs/ARCHITECTURE.md does not mention \(folder)")
      }
    }
  }

  @Test func theFirstDecisionsAreRecorded() {
    let records = SourceTree.files(under: "docs/decisions", suffix: ".md").map { ($0 as NSString).lastPathComponent }
    for number in ["0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010", "0013"] {
      #expect(records.contains { $0.hasPrefix(number + "-") }, "no decision record \(number)")
    }
  }

  @Test func nothingPointsIntoSomebodysMachine() {
    for file in SourceTree.sources + SourceTree.tests {
      for (number, line) in file.lines.enumerated() {
        #expect(
          !line.contains("/" + "work/") && !line.contains("../" + "shared"),
          "\(file.path):\(number + 1): a machine's path")
      }
    }
  }
}
