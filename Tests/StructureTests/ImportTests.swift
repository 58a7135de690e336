import Foundation
import Testing

/// The import table of docs/ARCHITECTURE.md. The manifest enforces it too; this test says which rule was broken, and also
/// holds for modules that arrive through a dependency's dependency.
struct ImportTests {
  static let ours: [String: Set<String>] = [
    "SluicePolicy": [],
    "SluiceDialects": ["SluicePolicy"],
    "SluiceConfiguration": ["SluicePolicy", "SluiceDialects"],
    "SluiceSimulation": ["SluicePolicy", "SluiceDialects"],
    "SluiceRuntime": ["SluicePolicy"],
    "SluiceHTTP": ["SluicePolicy", "SluiceDialects", "SluiceRuntime"],
    "SluiceGateway": ["SluicePolicy", "SluiceDialects", "SluiceRuntime", "SluiceHTTP"],
    "SluiceAdmin": [
      "SluicePolicy", "SluiceDialects", "SluiceConfiguration", "SluiceRuntime", "SluiceHTTP", "SluiceGateway",
    ],
    "SluiceSimulator": ["SluicePolicy", "SluiceDialects"],
    "SluiceTesting": ["SluicePolicy", "SluiceRuntime"],
    "Sluice": ["SluicePolicy", "SluiceDialects", "SluiceConfiguration", "SluiceRuntime", "SluiceHTTP"],
    "SluiceCommand": [
      "Sluice", "SluicePolicy", "SluiceDialects", "SluiceConfiguration", "SluiceRuntime", "SluiceHTTP",
      "SluiceGateway", "SluiceAdmin", "SluiceSimulator", "SluiceSimulation",
    ],
  ]

  static let others: [String: Set<String>] = [
    "SluicePolicy": ["DequeModule", "HeapModule"],
    "SluiceDialects": ["HTTPTypes", "Crypto"],
    "SluiceConfiguration": ["Yams", "Glibc"],
    "SluiceSimulation": [],
    "SluiceRuntime": ["Synchronization", "NIOCore", "ServiceLifecycle", "Logging", "Metrics", "Glibc"],
    "SluiceHTTP": ["NIOCore", "NIOHPACK", "NIOHTTP2", "NIOPosix", "NIOSSL", "NIOTLS", "Logging", "Glibc"],
    "SluiceGateway": ["NIOCore", "NIOPosix", "NIOSSL", "Logging", "Crypto", "Glibc"],
    "SluiceAdmin": ["NIOCore", "NIOPosix", "ServiceLifecycle", "Logging", "Foundation", "Glibc"],
    "SluiceSimulator": [
      "NIOCore", "NIOHPACK", "NIOHTTP1", "NIOHTTP2", "NIOPosix", "NIOSSL", "Logging", "Foundation", "Glibc",
    ],
    "SluiceTesting": ["NIOCore", "NIOEmbedded"],
    "Sluice": ["NIOCore", "NIOPosix", "ServiceLifecycle", "Logging", "Foundation"],
    "SluiceCommand": [
      "ArgumentParser", "NIOCore", "NIOPosix", "ServiceLifecycle", "UnixSignals", "Logging", "Foundation", "Glibc",
    ],
  ]

  @Test func everyTargetImportsOnlyWhatTheTableAllows() {
    for file in SourceTree.sources {
      let allowed = Self.ours[file.target, default: []].union(Self.others[file.target, default: []])
      for (number, line) in file.code.enumerated() {
        guard let module = Self.importedModule(line) else { continue }
        #expect(allowed.contains(module), "\(file.path):\(number + 1): \(file.target) may not import \(module)")
      }
    }
  }

  @Test func everyTargetIsInTheTable() {
    let targets = Set(SourceTree.sources.map(\.target))
    #expect(targets == Set(Self.ours.keys))
    #expect(targets == Set(Self.others.keys))
  }

  /// The C library under either of its names counts as one.
  static func importedModule(_ line: String) -> String? {
    var words = line.split(separator: " ").map(String.init)[...]
    while let first = words.first, first.hasPrefix("@") || ["public", "package", "internal", "private"].contains(first)
    {
      words = words.dropFirst()
    }
    guard words.first == "import", words.count >= 2 else { return nil }
    let kinds: Set<String> = ["struct", "class", "enum", "protocol", "func", "typealias", "let", "var"]
    let name = kinds.contains(words[words.startIndex + 1]) ? words[words.startIndex + 2] : words[words.startIndex + 1]
    let module = String(name.prefix { $0 != "." })
    return ["Darwin", "Musl", "FoundationEssentials"].contains(module)
      ? (module == "FoundationEssentials" ? "Foundation" : "Glibc") : module
  }
}
