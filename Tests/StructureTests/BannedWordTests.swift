import Foundation
import Testing

/// Words that would break a rule of the architecture, per target. An exception stands in `AllowedExceptions.txt` with its reason.
struct BannedWordTests {
  struct Rule: Sendable {
    var pattern: String
    var reason: String
    var applies: @Sendable (SourceFile) -> Bool
  }

  static let pure: Set<String> = ["SluicePolicy", "SluiceDialects", "SluiceSimulation"]

  static let rules: [Rule] = [
    Rule(
      pattern:
        #"\bMutex<|\bAtomic<|NIOLock|\bDispatch|\bThread\b|pthread_|^\s*(public |package |final )*actor |\bTask(\.detached)?\s*\{|Task\(priority"#,
      reason: "locks, atomics, actors, threads and unstructured tasks live in SluiceRuntime only",
      applies: { $0.target != "SluiceRuntime" }),
    Rule(
      pattern:
        #"ContinuousClock|SuspendingClock|\bDate\(|clock_gettime|gettimeofday|SystemRandomNumberGenerator|\.random\(|NIODeadline"#,
      reason: "time and randomness are arguments of pure code", applies: { pure.contains($0.target) }),
    Rule(
      pattern: #"\basync\b|\bawait\b|EventLoop|ByteBuffer"#, reason: "pure code does not wait and knows no I/O",
      applies: { pure.contains($0.target) }),
    Rule(
      pattern: #"TODO|FIXME|XXX|unimplemented|fatalError\("#, reason: "finish it, or refuse it with a clear error",
      applies: { _ in true }),
    Rule(pattern: #"\bprint\("#, reason: "output belongs to the command", applies: { $0.target != "SluiceCommand" }),
  ]

  @Test(arguments: rules.indices) func noBannedWord(_ index: Int) throws {
    let rule = Self.rules[index]
    let expression = try NSRegularExpression(pattern: rule.pattern)
    for file in SourceTree.sources where rule.applies(file) {
      for (number, line) in file.code.enumerated() {
        let range = NSRange(line.startIndex..., in: line)
        guard let match = expression.firstMatch(in: line, range: range) else { continue }
        let word = Range(match.range, in: line).map { String(line[$0]) } ?? ""
        if Self.isAllowed(file.path, word) { continue }
        Issue.record("\(file.path):\(number + 1): \(word.trimmingCharacters(in: .whitespaces)): \(rule.reason)")
      }
    }
  }

  @Test func everyUncheckedConformanceSaysWhy() {
    for file in SourceTree.sources + SourceTree.tests {
      for (number, line) in file.code.enumerated()
      where line.contains("@unchecked Sendable") || line.contains("nonisolated(unsafe)") {
        let nearby = file.lines[max(0, number - 6)...number].joined(separator: "\n")
        #expect(nearby.contains("//"), "\(file.path):\(number + 1): say why this is safe, in a comment above")
      }
    }
  }

  @Test func testsDoNotSleep() throws {
    let expression = try NSRegularExpression(pattern: #"Task\.sleep|\busleep\(|Thread\.sleep|[^.a-zA-Z]sleep\("#)
    for file in SourceTree.tests {
      for (number, line) in file.code.enumerated() {
        let found = expression.firstMatch(in: line, range: NSRange(line.startIndex..., in: line)) != nil
        if found && Self.isAllowed(file.path, "sleep") { continue }
        #expect(!found, "\(file.path):\(number + 1): wait for an event, not for time")
      }
    }
  }

  /// `path | word | reason`, one a line; a line without a reason allows nothing.
  static let exceptions: [(path: String, word: String)] = SourceTree.text("Tests/StructureTests/AllowedExceptions.txt")
    .components(separatedBy: "\n").compactMap { line in
      let parts = line.components(separatedBy: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      guard parts.count == 3, !parts[0].hasPrefix("#"), !parts[2].isEmpty else { return nil }
      return (parts[0], parts[1])
    }

  static func isAllowed(_ path: String, _ word: String) -> Bool {
    exceptions.contains { path.hasPrefix($0.path) && word.contains($0.word) }
  }
}
