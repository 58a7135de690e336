import Foundation
import SluiceDialects
import SluicePolicy

/// The sample payloads of the providers' protocols, from `Tests/Fixtures`.
enum Fixture {
  private static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Fixtures")

  static func bytes(_ path: String) throws -> [UInt8] {
    Array(try Data(contentsOf: root.appending(path: path)))
  }

  /// The source of one of this target's suites.
  static func source(_ suite: String) throws -> String {
    let tests = root.deletingLastPathComponent().appending(path: "SluiceDialectsTests")
    for folder in ["Providers", "Samples", "Translation"] {
      let file = tests.appending(path: "\(folder)/\(suite).swift")
      if let text = try? String(contentsOf: file, encoding: .utf8) { return text }
    }
    throw CocoaError(.fileNoSuchFile)
  }

  /// Names of the fixtures in a folder that satisfy `matches`, sorted.
  static func names(_ folder: String, where matches: (String) -> Bool) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: root.appending(path: folder).path()).filter(matches).sorted()
  }
}

/// Parses a whole response head and lends it as the dialects see it.
func withHead<Answer>(_ text: [UInt8], _ body: (ResponseHead, HeaderView) -> Answer) -> Answer? {
  text.withUnsafeBytes { bytes in
    guard case .complete(let head, _) = ResponseHeadParser.parse(bytes, requestMethod: .post, limits: HTTPLimits())
    else { return nil }
    return body(head, HeaderView(head.headers, in: ByteSlice(bytes)))
  }
}

/// Parses a request head made of `lines` and lends its headers.
func withRequest<Answer>(_ lines: [String], _ body: (RequestHead, ByteSlice) -> Answer) -> Answer? {
  let text = Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
  return text.withUnsafeBytes { bytes in
    guard case .complete(let head, _) = RequestHeadParser.parse(bytes, limits: HTTPLimits()) else { return nil }
    return body(head, ByteSlice(bytes))
  }
}

func withBytes<Answer>(_ text: String, _ body: (ByteSlice) -> Answer) -> Answer {
  Array(text.utf8).withSlice(body)
}

extension UnixTime {
  /// 2026-11-21T07:30:47Z: twelve seconds before the resets in the fixtures.
  static let sample = UnixTime.seconds(1_795_246_247)
}
