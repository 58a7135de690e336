import Foundation
import SluiceDialects
import Testing

/// One case of `Tests/Fixtures/http1/*.cases`: bytes, what we make of them, and how that differs from llhttp.
struct CorpusCase: Sendable, CustomTestStringConvertible {
  var name = ""
  /// `accept`, `incomplete`, or the label of the error.
  var expect = ""
  /// Why we refuse what llhttp accepts; empty when both agree.
  var stricter = ""
  /// Why we accept what llhttp refuses; only where no framing is in doubt.
  var looser = ""
  /// The method of the request that a response answers.
  var method = "GET"
  var bytes: [UInt8] = []

  var testDescription: String { name }

  /// Reads `case:`, `expect:`, `stricter:`, `looser:`, `method:` and `bytes:` lines; `#` begins a comment.
  static func load(_ file: String) throws -> [CorpusCase] {
    let text = try String(contentsOf: Fixtures.http1.appending(path: file), encoding: .utf8)
    var cases: [CorpusCase] = []
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
      guard let colon = line.firstIndex(of: ":") else { throw Malformed(line: String(line)) }
      let value = line[line.index(after: colon)...].drop { $0 == " " }
      switch line[..<colon] {
      case "case":
        cases.append(CorpusCase())
        cases[cases.count - 1].name = String(value)
      case "expect": cases[cases.count - 1].expect = String(value)
      case "stricter": cases[cases.count - 1].stricter = String(value)
      case "looser": cases[cases.count - 1].looser = String(value)
      case "method": cases[cases.count - 1].method = String(value)
      case "bytes": cases[cases.count - 1].bytes += unescaped(value)
      // A header or body of many equal bytes: `repeat: 70000 a`.
      case "repeat":
        let parts = value.split(separator: " ", maxSplits: 1)
        let unit = parts.count > 1 ? unescaped(parts[1]) : []
        for _ in 0..<(Int(parts[0]) ?? 0) { cases[cases.count - 1].bytes += unit }
      default: throw Malformed(line: String(line))
      }
    }
    return cases
  }

  struct Malformed: Error { let line: String }
}
