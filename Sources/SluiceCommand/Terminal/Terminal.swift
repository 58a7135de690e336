import Foundation
import SluiceConfiguration

/// Output for people: colours only where a terminal shows them, progress that rewrites one line there and prints
/// a line now and then everywhere else. Honours `NO_COLOR` (https://no-color.org) and `TERM=dumb`.
struct Terminal: Sendable {
  enum Style: String {
    case bold = "1", dim = "2", red = "31", green = "32", yellow = "33", blue = "34", cyan = "36"
  }

  let isInteractive: Bool
  let hasColors: Bool

  static let output = Terminal(descriptor: STDOUT_FILENO)
  static let error = Terminal(descriptor: STDERR_FILENO)

  init(descriptor: Int32, environment: [String: String] = ProcessInfo.processInfo.environment) {
    isInteractive = isatty(descriptor) == 1 && environment["TERM"] != "dumb"
    hasColors = isInteractive && (environment["NO_COLOR"] ?? "").isEmpty
  }

  func styled(_ text: String, _ style: Style) -> String {
    hasColors ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
  }

  /// One line to standard output, at once: a program that reads us through a pipe must not wait for a full buffer.
  static func line(_ text: String = "") {
    FileHandle.standardOutput.write(Data((text + "\n").utf8))
  }

  static func complain(_ text: String) {
    let mark = Terminal.error.styled("error:", .red)
    FileHandle.standardError.write(Data("\(mark) \(text)\n".utf8))
  }

  /// A problem as compilers print it, with its severity in colour.
  static func diagnostic(_ problem: ConfigurationProblem) {
    let style: Style = problem.severity == .error ? .red : .yellow
    let word = "\(problem.severity.rawValue):"
    let text = problem.description.replacing(word, with: Terminal.error.styled(word, style), maxReplacements: 1)
    FileHandle.standardError.write(Data((text + "\n").utf8))
  }

  /// Rewrites the current line on a terminal; says nothing elsewhere.
  func progress(_ text: String) {
    guard isInteractive else { return }
    FileHandle.standardOutput.write(Data("\r\u{1B}[K\(text)".utf8))
  }

  func endProgress() {
    guard isInteractive else { return }
    FileHandle.standardOutput.write(Data("\r\u{1B}[K".utf8))
  }
}
