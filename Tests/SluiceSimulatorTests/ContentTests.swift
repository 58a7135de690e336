import SluiceDialects
import SluiceSimulator
import Testing

@Suite struct JSONTests {
  @Test(arguments: [
    "null", "true", "[]", "{}", "0", "-1", "12345678901", "1.5", "\"a\"", "[1,2,[3]]", "{\"a\":{\"b\":[null]}}",
    "\"\\u0001\\\\ \\\" é 😀\"",
  ])
  func whatIsWrittenIsWhatWasRead(_ text: String) throws {
    #expect(try JSONReader.read(Array(text.utf8)).jsonText == text)
  }

  @Test(arguments: [
    ("\"\\u00e9\\n\\/\"", "é\n/"), ("\"\\ud83d\\ude00\"", "😀"), (" \"x\" ", "x"),
  ])
  func escapes(_ text: String, _ value: String) throws {
    #expect(try JSONReader.read(Array(text.utf8)) == .string(value))
  }

  @Test(arguments: [
    "", " ", "nul", "tru e", "01", "1.", "-", "1e", "+1", "[1,]", "[1", "{\"a\"}", "{\"a\":1,}", "{a:1}", "\"",
    "\"\\x\"",
    "\"\\ud83d\"", "\"\\ud83dx\"", "\"\\ude00\"", "\"\n\"", "1 2", "[1}", "\"\\u12\"",
  ])
  func whatIsNotJSON(_ text: String) {
    #expect(throws: JSONError.self) { try JSONReader.read(Array(text.utf8)) }
  }

  @Test func depthAndEncodingAreChecked() throws {
    #expect(throws: JSONError.self) { try JSONReader.read(Array(repeating: UInt8(ascii: "["), count: 100_000)) }
    #expect(throws: JSONError.self) { try JSONReader.read([0x22, 0xFF, 0x22]) }
    #expect(throws: JSONError.self) { try JSONReader.read([0x22, 0x5C, 0x6E, 0xC3, 0x22]) }
    let deep = String(repeating: "[", count: 200) + String(repeating: "]", count: 200)
    #expect(throws: Never.self) { try JSONReader.read(Array(deep.utf8)) }
  }
}

@Suite struct TokenRuleTests {
  @Test(arguments: [
    ("", 0), ("a", 1), ("abcdef", 1), ("abcdefg", 2), ("a b c", 3), ("hello world", 2), ("  ", 2),
    ("ééé", 1), ("éééé", 2), ("😀😀", 1), ("abcdé", 1),
  ])
  func counts(_ text: String, _ tokens: Int) {
    #expect(TokenRule.count(text) == tokens)
  }

  @Test func prefixesEndAtTokens() {
    #expect(TokenRule.prefix("hello world", tokens: 1) == "hello")
    #expect(TokenRule.prefix("hello world", tokens: 0) == "")
    #expect(TokenRule.prefix("hello world", tokens: 9) == "hello world")
    for count in 0...12 { #expect(TokenRule.count(TokenRule.prefix("é😀 naïve 日本語 text", tokens: count)) <= count) }
  }
}

@Suite struct GlobTests {
  @Test(arguments: [
    ("*", "", true), ("*", "x", true), ("a*", "abc", true), ("a*", "bc", false), ("*c", "abc", true),
    ("a*c", "abbc", true),
    ("a*b*c", "a-b-b-c", true), ("a*b*c", "acb", false), ("abc", "abc", true), ("abc", "abcd", false), ("", "", true),
    ("", "x", false), ("**", "x", true), ("*aaaaaaaaab", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac", false),
  ])
  func matches(_ pattern: String, _ text: String, _ expected: Bool) {
    #expect(Glob.matches(pattern, text) == expected)
  }
}

/// Structured answers and tool arguments fit the schemas they were made from, seen from outside.
@Suite struct SchemaTests {
  private func answer(_ schema: String, question: String = "Visit Rome") async throws -> JSONValue {
    try await Harness.with { simulator in
      let format =
        ",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"x\",\"schema\":\(schema)}}"
      let reply = try await simulator.chat(question, extra: format)
      let text = try #require(reply.json["choices"]?.array?.first?["message"]?["content"]?.string, "\(reply.text)")
      return try JSONReader.read(Array(text.utf8))
    }
  }

  @Test func kindsAndBounds() async throws {
    let value = try await answer(
      """
      {"type":"object","required":["i","n","b","s","e","c","a","d","z","u"],"properties":{
        "i":{"type":"integer","minimum":3,"maximum":5},"n":{"type":"number","exclusiveMinimum":0,"maximum":1},
        "b":{"type":"boolean"},"s":{"type":"string","minLength":20,"maxLength":22},"e":{"enum":["x","y"]},
        "c":{"const":7},"a":{"type":"array","items":{"type":"integer","multipleOf":5},"minItems":3,"maxItems":3},
        "d":{"type":"string","format":"date"},"z":{"type":["null","string"]},"u":{"anyOf":[{"type":"null"},{"type":"integer"}]},
        "left out":{"type":"string"}}}
      """)
    #expect((3...5).contains(value["i"]?.int ?? 0))
    let number = try #require(value["n"]?.double)
    #expect(number > 0 && number <= 1)
    #expect(value["b"]?.bool != nil)
    #expect((20...22).contains(value["s"]?.string?.count ?? 0))
    #expect(["x", "y"].contains(value["e"]?.string))
    #expect(value["c"]?.int == 7)
    let items = try #require(value["a"]?.array)
    let remainders = items.map { ($0.int ?? 1) % 5 }
    #expect(remainders == [0, 0, 0])
    #expect(value["d"]?.string == "2026-11-21")
    #expect(value["z"]?.string != nil && value["u"]?.int != nil)
    #expect(value["left out"] == nil)
  }

  @Test func referencesAndRecursionEnd() async throws {
    let value = try await answer(
      """
      {"$ref":"#/$defs/node","$defs":{"node":{"type":"object","required":["name","next"],
        "properties":{"name":{"type":"string"},"next":{"$ref":"#/$defs/node"}}}}}
      """)
    #expect(value["name"]?.string == "Rome")
    #expect(value["next"]?["next"]?["name"]?.string != nil)
  }

  @Test func extremeBoundsDoNotTrap() async throws {
    let value = try await answer(
      """
      {"type":"object","required":["a","b","c","d"],"properties":{
        "a":{"type":"integer","minimum":-9223372036854775808,"maximum":9223372036854775807},
        "b":{"type":"integer","exclusiveMinimum":9223372036854775807,"multipleOf":9223372036854775807},
        "c":{"type":"array","minItems":999999999,"items":{}},"d":{"type":"integer","minimum":5,"maximum":1}}}
      """)
    #expect(value["a"]?.int != nil && value["b"]?.int != nil && value["d"]?.int == 5)
    #expect(value["c"]?.array?.count == 100)
  }
}
