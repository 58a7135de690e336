import Foundation

/// Files under `Tests/Fixtures`, and the fuzzing cases, found from where this file lies.
enum Fixtures {
  private static let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  static let http1 = tests.appending(path: "Fixtures/http1")
  static let failCases = tests.deletingLastPathComponent().appending(path: "FuzzTesting/FailCases")

  static func bytes(_ path: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: tests.appending(path: "Fixtures").appending(path: path)))
  }

  /// All files below a folder of the fixtures with this extension, sorted by name.
  static func files(_ folder: String, _ suffix: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: tests.appending(path: "Fixtures/\(folder)").path)
      .filter { $0.hasSuffix(suffix) }.sorted().map { "\(folder)/\($0)" }
  }

  static func contents(of folder: URL) throws -> [(name: String, bytes: [UInt8])] {
    guard FileManager.default.fileExists(atPath: folder.path) else { return [] }
    return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().filter { !$0.hasPrefix(".") }
      .map { ($0, [UInt8](try Data(contentsOf: folder.appending(path: $0)))) }
  }
}
