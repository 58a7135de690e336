import SluiceDialects
import Testing

@Suite struct LineSplitterTests {
  private func lines(_ bytes: [UInt8], pieces: Int, limit: Int = 1 << 20) throws -> [String] {
    var splitter = LineSplitter(maxLineBytes: limit)
    var lines: [String] = []
    for start in stride(from: 0, to: bytes.count, by: pieces) {
      try bytes[start..<min(bytes.count, start + pieces)].withUnsafeBytes {
        try splitter.consume($0) { lines.append(String(decoding: $0, as: UTF8.self)) }
      }
    }
    splitter.finish { lines.append(String(decoding: $0, as: UTF8.self)) }
    #expect(splitter.isAtLineBoundary)
    return lines
  }

  @Test(arguments: [
    ("a\nb\n", ["a", "b"]), ("a\r\nb", ["a", "b"]), ("\n\na\n\n", ["a"]), ("", []), ("a\rb\n", ["a\rb"]), ("\r\n", []),
  ])
  func table(_ text: String, _ expected: [String]) throws {
    let bytes = Array(text.utf8)
    for size in 1...max(1, bytes.count) { #expect(try lines(bytes, pieces: size) == expected) }
  }

  @Test(arguments: try! Fixtures.files("ollama", ".ndjson")) func samples(_ file: String) throws {
    let bytes = try Fixtures.bytes(file)
    let whole = try lines(bytes, pieces: bytes.count)
    #expect(whole.count > 1 && whole.allSatisfy { $0.first == "{" && $0.last == "}" })
    #expect(try lines(bytes, pieces: 1) == whole)
    #expect(try lines(bytes, pieces: 7) == whole)
  }

  @Test(arguments: [1, 2, 100]) func linesAreBounded(_ size: Int) throws {
    #expect(try lines(Array("abcd\n".utf8), pieces: size, limit: 4) == ["abcd"])
    #expect(throws: LineSplitter.LineTooLong.self) { try lines(Array("abcde\n".utf8), pieces: size, limit: 4) }
    #expect(throws: LineSplitter.LineTooLong.self) { try lines(Array("abcde".utf8), pieces: size, limit: 4) }
  }
}
