import SluiceDialects
import Testing

@Suite struct JSONPathReaderTests {
  private func read(_ text: String, _ paths: [String]) throws -> [String] {
    var found: [String] = []
    try Array(text.utf8).withUnsafeBytes { bytes in
      try JSONPathReader.read(bytes, JSONPathSet(paths)) { path, leaf in
        let value =
          switch leaf {
          case .string(let string): string.decoded(in: bytes) ?? "?"
          case .number(let range), .object(let range), .array(let range): range.string(in: bytes)
          case .bool(let value): "\(value)"
          case .null: "null"
          }
        found.append("\(path)=\(value)")
      }
    }
    return found
  }

  @Test(arguments: [
    ("{\"a\":1}", ["a"], ["0=1"]), ("{\"a\":{\"b\":2},\"b\":3}", ["b", "a.b"], ["1=2", "0=3"]),
    ("{\"a\":[5,6]}", ["a.1", "a.0", "a.2"], ["1=5", "0=6"]),
    ("{\"a\":[{\"t\":1},{\"u\":9},{\"t\":2}]}", ["a.*.t"], ["0=1", "0=2"]),
    ("{\"x\":{\"t\":1},\"y\":{\"t\":2}}", ["*.t"], ["0=1", "0=2"]),
    ("{\"a\":{\"b\":1}}", ["a", "a.b"], ["1=1", "0={\"b\":1}"]), ("{\"a\": [1, 2] }", ["a"], ["0=[1, 2]"]),
    ("{\"\\u0061\":1}", ["a"], ["0=1"]),
    ("{\"a\":null,\"b\":true,\"c\":\"\\n\"}", ["a", "b", "c"], ["0=null", "1=true", "2=\n"]),
    ("{\"a\":1,\"a\":2}", ["a"], ["0=1", "0=2"]),
    ("{\"0\":1}", ["0"], ["0=1"]), ("[[7]]", ["0.0"], ["0=7"]), ("{\"a\":1}", ["a.b", "b"], []), ("3", ["a"], []),
    ("{\"ab\":1}", ["a"], []),
    ("{\"a\":{}}", ["a.*"], []), ("{\"a\":[]}", ["a.0"], []),
    ("{\"a\":{\"b\":{\"c\":1}},\"z\":2}", ["a.b", "z"], ["0={\"c\":1}", "1=2"]),
  ])
  func table(_ text: String, _ paths: [String], _ expected: [String]) throws {
    #expect(try read(text, paths) == expected)
  }

  @Test(arguments: [
    "{\"a\":1", "{\"a\":1}x", "{\"a\":[1,}", "{\"b\":\"\\q\",\"a\":1}", "{\"a\":[1 2]}", "{\"a\":[1]}]",
  ])
  func theWholeDocumentIsValidated(_ text: String) {
    #expect(throws: JSONScanError.self) { try read(text, ["a", "a.0"]) }
    let leaves = Array(text.utf8).withUnsafeBytes { JSONPathReader.first($0, JSONPathSet(["a"])) }
    #expect(leaves == [nil])
  }

  @Test func usageOfASample() throws {
    let bytes = try Fixtures.bytes("openai/chat.response.json")
    let paths = JSONPathSet([
      "usage.prompt_tokens", "choices.0.finish_reason", "usage.prompt_tokens_details.cached_tokens", "none",
    ])
    let leaves = bytes.withUnsafeBytes { JSONPathReader.first($0, paths) }
    bytes.withUnsafeBytes { bytes in
      #expect(leaves[0]?.int(in: bytes) ?? 0 > 0)
      #expect(leaves[1]?.string(in: bytes) == "stop")
      #expect(leaves[2]?.int(in: bytes) != nil && leaves[3] == nil)
    }
  }
}
