import SluiceDialects
import Testing

@Suite struct JSONArraySplitterTests {
  private func elements(_ text: String, pieces: Int, limit: Int = 1 << 20) throws -> (found: [String], next: String) {
    let bytes = Array(text.utf8)
    var splitter = JSONArraySplitter(maxElementBytes: limit)
    var found: [String] = []
    for start in stride(from: 0, to: bytes.count, by: pieces) {
      try bytes[start..<min(bytes.count, start + pieces)].withUnsafeBytes {
        try splitter.consume($0) { found.append(String(decoding: $0, as: UTF8.self)) }
      }
    }
    return (found, splitter.isAtBoundary ? "\(splitter.continuation)" : "inside")
  }

  @Test(arguments: [
    (#"[{"a":1}]"#, [#"{"a":1}"#], ""), ("[{}\n,\r\n{\"b\":[1,{}]}\n]\n", ["{}", #"{"b":[1,{}]}"#], ""),
    (#"[{"t":"}]\"[{"},[1]"#, [#"{"t":"}]\"[{"}"#, "[1]"], ","), (#"[{"t":"\\"},"#, [#"{"t":"\\"}"#], ""),
    ("[]", [], ""), ("", [], "["), (" \n", [], "["), ("[ ", [], ""), (#"[{"a""#, [], "inside"),
  ])
  func table(_ text: String, _ expected: [String], _ next: String) throws {
    for size in 1...max(1, text.utf8.count) {
      let (found, place) = try elements(text, pieces: size)
      #expect(found == expected && place == next, "\(size)")
    }
  }

  @Test(arguments: [#"{"error":1}"#, "[1]", "[{},,{}]", "[{}{}]", "[]]", "x", "[{}] {}", "[,"])
  func whatIsNoArrayOfObjectsIsRefused(_ text: String) {
    for size in 1...text.utf8.count {
      #expect(throws: JSONArraySplitter.Unreadable.self) { try elements(text, pieces: size) }
    }
  }

  @Test(arguments: [1, 3, 100]) func elementsAreBounded(_ size: Int) throws {
    #expect(try elements("[{  }]", pieces: size, limit: 4).found == ["{  }"])
    #expect(throws: JSONArraySplitter.Unreadable.self) { try elements("[{   }]", pieces: size, limit: 4) }
    #expect(throws: JSONArraySplitter.Unreadable.self) { try elements("[{     ", pieces: size, limit: 4) }
  }
}
