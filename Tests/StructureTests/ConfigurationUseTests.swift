import Foundation
import Testing

/// A key that is read from the file and then used by nobody would be a promise that is not kept. Every value of the
/// configuration's model has to be read somewhere outside of the code that decodes and shows it.
struct ConfigurationUseTests {
  /// Values that do their work while the file is read, by file.
  static let exceptions: [String: String] = [
    "SluiceConfiguration.version": "there is one version",
    "SluiceConfiguration.profile": "chooses the defaults",
  ]

  /// The only files of the configuration's own target that hand values on.
  static let translations: Set<String> = [
    "Sources/SluiceConfiguration/Change/PoolConfiguration+Settings.swift",
    "Sources/SluiceConfiguration/Change/Configuration+Dialects.swift",
    "Sources/SluiceConfiguration/Model/PoolConfiguration.swift",
  ]

  @Test func everyValueOfTheConfigurationIsUsedOutsideOfIt() {
    let readers = SourceTree.sources.filter {
      $0.target != "SluiceConfiguration" || Self.translations.contains($0.path)
    }
    let words = readers.reduce(into: Set<String>()) { words, file in
      for line in file.code where !line.contains("public var") { words.formUnion(Self.words(line)) }
    }
    var values = 0
    for file in SourceTree.sources where file.path.hasPrefix("Sources/SluiceConfiguration/Model/") {
      let model = file.path.split(separator: "/").last?.split(separator: ".").first.map(String.init) ?? ""
      for name in file.code.compactMap(Self.storedProperty) {
        values += 1
        if Self.exceptions["\(model).\(name)"] != nil { continue }
        let isRead = words.contains(name)
        #expect(isRead, "\(file.path): nobody reads `\(name)`")
      }
    }
    #expect(values > 40, "the model is where this test looks for it")
  }

  /// The name behind `public var`, unless it is computed.
  private static func storedProperty(_ line: String) -> String? {
    let line = line.trimmingCharacters(in: .whitespaces)
    guard line.hasPrefix("public var "), !line.hasSuffix("{"), !line.hasSuffix("}") else { return nil }
    return String(line.dropFirst(11).prefix { $0.isLetter || $0.isNumber })
  }

  /// Every word of a line of code. Coarse, but a value that nobody reads is found as long as its name is its own.
  private static func words(_ line: String) -> [String] {
    line.split { !$0.isLetter && !$0.isNumber && $0 != "_" }.map(String.init)
  }
}
