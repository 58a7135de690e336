import SluiceDialects
import Testing

@Suite struct RequestScannerTests {
  private func scan(_ text: String, _ limits: RequestScanner.Limits = .standard) throws(JSONScanError) -> RequestFields
  {
    try Array(text.utf8).withUnsafeBytes { RequestScanner.scan($0, limits: limits) }.get()
  }

  private func reason(_ text: String) -> JSONScanError.Reason? {
    do throws(JSONScanError) {
      _ = try scan(text)
      return nil
    } catch {
      return error.reason
    }
  }

  @Test func chatRequest() throws {
    let text = """
      {"model":"gpt-5.4-mini","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Hi"}],
       "max_completion_tokens":64,"max_tokens":9,"stream":true,"stream_options":{"include_usage":true},"user":"u-1",
       "tools":[{"type":"function","function":{"name":"f"}}]}
      """
    let fields = try scan(text)
    let bytes = Array(text.utf8)
    #expect(fields.model == "gpt-5.4-mini")
    #expect(fields.modelRange.map { bytes[$0.range] == Array("\"gpt-5.4-mini\"".utf8)[...] } == true)
    #expect(fields.stream == true && fields.includeUsage == true && fields.maxTokens == 64 && fields.toolsPresent)
    #expect(fields.user.map { SluiceFramingTests.text($0, bytes) } == "u-1")
    let tools = "{\"type\":\"function\",\"function\":{\"name\":\"f\"}}]"
    #expect(fields.promptBytes == "Be brief.Hi".utf8.count + tools.utf8.count)
    #expect(fields.prefixHash != 0 && !fields.imagesPresent)
  }

  @Test(arguments: [
    ("\"model\"", "\"stream\""), ("\"mod\\u0065l\"", "\"strea\\u006d\""),
    ("\"\\u006D\\u006f\\u0064\\u0065\\u006c\"", "\"\\u0073tream\""),
  ])
  func keysCountHoweverSpelled(_ model: String, _ stream: String) throws {
    let fields = try scan("{\(model):\"x\",\(stream):true}")
    #expect(fields.model == "x" && fields.stream == true)
    #expect(reason("{\(model):\"x\",\"model\":\"y\"}") == .duplicateModel)
    #expect(reason("{\"stream\":false,\(stream):false}") == .duplicateStream)
  }

  @Test(arguments: [
    ("[]", JSONScanError.Reason.notAnObject), ("\"x\"", .notAnObject), ("{\"model\":1}", .modelNotAString),
    ("{\"model\":null}", .modelNotAString), ("{\"model\":[\"x\"]}", .modelNotAString),
    ("{\"model\":\"\\ud800\"}", .modelNotAString),
    ("{\"stream\":1}", .streamNotABoolean), ("{\"stream\":\"true\"}", .streamNotABoolean),
    ("{\"stream\":{}}", .streamNotABoolean),
    ("{\"model\":\"a\",\"model\":\"a\"}", .duplicateModel), ("{\"stream\":true,\"stream\":true}", .duplicateStream),
    ("{\"stream\":null,\"stream\":true}", .duplicateStream), ("{\"model\":\"a\"} x", .trailingBytes),
    ("{\"model\":\"a\"", .unexpectedEnd),
    ("", .unexpectedEnd), ("{\"a\":[1,}", .unexpectedByte),
    ("{\"messages\":[{\"content\":\"\u{1}\"}]}", .controlInString),
  ])
  func refused(_ text: String, _ expected: JSONScanError.Reason) {
    #expect(reason(text) == expected)
  }

  @Test(arguments: [
    "{}", "{\"model\":\"a\"}", "{\"messages\":[{\"model\":\"a\"},{\"model\":\"b\"}],\"stream\":null}",
    "{\"metadata\":{\"model\":1,\"stream\":3},\"models\":1,\"a\":1,\"a\":2}",
    "{\"metadata\":null,\"stream_options\":null,\"tools\":null}",
    "{\"metadata\":[{\"user_id\":[1]}],\"stream_options\":[1],\"tools\":{\"a\":[]},\"user\":{\"b\":[]},\"max_tokens\":[{}]}",
  ])
  func acceptedBodies(_ text: String) { #expect(reason(text) == nil) }

  @Test(
    arguments: [
      ("\"max_tokens\":5", 5), ("\"max_output_tokens\":6,\"max_tokens\":5", 6),
      ("\"max_tokens\":5,\"max_completion_tokens\":7", 7),
      ("\"max_tokens\":0", nil), ("\"max_tokens\":-5", nil), ("\"max_tokens\":5.5", nil), ("\"max_tokens\":\"5\"", nil),
      ("\"max_tokens\":null", nil), ("\"max_tokens\":99999999999999999999", nil), ("\"max_tokens\":{\"a\":5}", nil),
      ("\"max_tokens\":null,\"max_output_tokens\":8", 8),
    ] as [(String, Int?)])
  func tokenMaximum(_ members: String, _ expected: Int?) throws {
    #expect(try scan("{\(members),\"model\":\"m\"}").maxTokens == expected)
    #expect(try scan("{\(members),\"model\":\"m\"}").model == "m")
  }

  @Test(
    arguments: [
      ("\"user\":\"a\"", "a"), ("\"metadata\":{\"user_id\":\"b\"}", "b"),
      ("\"metadata\":{\"user_id\":\"b\"},\"user\":\"a\"", "a"),
      ("\"user\":\"\"", nil), ("\"user\":1", nil), ("\"metadata\":{\"x\":{\"user_id\":\"b\"}}", nil),
    ] as [(String, String?)])
  func users(_ members: String, _ expected: String?) throws {
    let text = "{\(members)}"
    #expect(try scan(text).user.map { SluiceFramingTests.text($0, Array(text.utf8)) } == expected)
  }

  @Test(arguments: [
    ("\"tools\":[]", false, false), ("\"tools\":[{}]", true, false), ("\"functions\":[{\"name\":\"f\"}]", true, false),
    ("\"tools\":{}", false, false),
    ("\"messages\":[{\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:x\"}}]}]", false, true),
    (
      "\"messages\":[{\"content\":[{\"type\":\"image\",\"source\":{\"type\":\"base64\",\"data\":\"xxxx\"}}]}]", false,
      true
    ),
    ("\"input\":[{\"content\":[{\"type\":\"input_image\",\"image_url\":\"data:x\"}]}]", false, true),
    ("\"messages\":[{\"content\":\"type image\"}]", false, false), ("\"x\":{\"type\":\"image\"}", false, false),
  ])
  func toolsAndImages(_ members: String, _ tools: Bool, _ images: Bool) throws {
    let fields = try scan("{\(members)}")
    #expect(fields.toolsPresent == tools && fields.imagesPresent == images)
  }

  @Test(arguments: [
    ("\"messages\":[{\"role\":\"user\",\"content\":\"12345\"}]", 5), ("\"system\":\"123\",\"messages\":[]", 3),
    ("\"system\":[{\"type\":\"text\",\"text\":\"1234\"}]", 4), ("\"instructions\":\"12\",\"input\":\"345\"", 5),
    ("\"prompt\":[\"12\",\"3\"]", 3),
    ("\"input\":[1,2,3]", 12), ("\"input\":[[1,2],[3]]", 12),
    (
      "\"messages\":[{\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:0123456789\"}},{\"type\":\"text\",\"text\":\"1\"}]}]",
      1
    ),
    ("\"messages\":[{\"role\":\"tool\",\"tool_call_id\":\"call_123\",\"content\":\"12\"}]", 2),
    ("\"texts\":[\"abc\",\"d\"]", 4), ("\"query\":\"ab\",\"documents\":[\"cde\",{\"text\":\"f\"}],\"top_n\":2", 6),
    ("\"requests\":[{\"content\":{\"parts\":[{\"text\":\"abc\"}]}}]", 3),
    ("\"content\":{\"parts\":[{\"text\":\"a\"}]}", 1),
    ("\"inputText\":\"abc\"", 3), ("\"inputs\":\"abcd\"", 4), ("\"quer\\u0079\":\"ab\"", 2),
    ("\"stop\":[\"abc\"],\"metadata\":{\"a\":\"b\"}", 0),
  ])
  func promptBytes(_ members: String, _ expected: Int) throws {
    #expect(try scan("{\(members)}").promptBytes == expected)
  }

  @Test func prefixHashFollowsTheBeginning() throws {
    func hash(_ members: String) throws -> UInt64 { try scan("{\(members)}").prefixHash }
    let first = "{\"role\":\"system\",\"content\":\"You are a parrot.\"}"
    let one = try hash("\"messages\":[\(first),{\"role\":\"user\",\"content\":\"a\"}]")
    let two = try hash(
      "\"messages\":[\(first),{\"role\":\"user\",\"content\":\"b\"},{\"role\":\"assistant\",\"content\":\"c\"}],\"model\":\"x\""
    )
    #expect(one == two && one != 0)
    #expect(try hash("\"messages\":[{\"role\":\"user\",\"content\":\"You are a parrot!\"}]") != one)
    // System text decides wherever it stands.
    let system = try hash("\"system\":\"You are a parrot.\",\"messages\":[{\"content\":\"a\"}]")
    #expect(try hash("\"messages\":[{\"content\":\"b\"}],\"system\":\"You are a parrot.\"") == system)
    #expect(try hash("\"prompt\":[\"x\",\"y\"]") == hash("\"prompt\":\"x\""))
    #expect(try hash("\"messages\":[]") == 0)
    // Only the first 4 KiB count.
    let long = String(repeating: "0123456789abcdef", count: 256)
    #expect(try hash("\"system\":\"\(long)A\"") == hash("\"system\":\"\(long)B\""))
    #expect(try hash("\"system\":\"\(long.dropLast())A\"") != hash("\"system\":\"\(long.dropLast())B\""))
  }

  /// The hash steers requests of other gateways and later runs too: it may not change by accident.
  @Test func prefixHashIsStable() throws {
    let hash = try scan("{\"system\":\"You are a parrot.\"}").prefixHash
    #expect(hash == 17_211_849_237_504_226_580)
  }

  /// Nobody pays for a hash that no pool looks at; all else is read the same.
  @Test func prefixIsHashedOnDemand() throws {
    let body = "{\"model\":\"m\",\"system\":\"You are a parrot.\",\"messages\":[{\"content\":\"a\"}]}"
    var with = try scan(body)
    let without = try scan(body, .init(hashesPrefix: false))
    #expect(with.prefixHash != 0)
    with.prefixHash = 0
    #expect(with == without)
  }

  @Test func boundsAreExact() throws {
    let limits = RequestScanner.Limits(maxModelBytes: 3, maxBodyBytes: 15)
    #expect(try scan("{\"model\":\"abc\"}", limits).model == "abc")
    #expect(throws: JSONScanError(offset: 10, reason: .modelTooLong)) {
      try scan("{\"model\":\"abcd\"}", .init(maxModelBytes: 3))
    }
    #expect(throws: JSONScanError(offset: 15, reason: .tooLong)) { try scan("{\"model\":\"abc\"} ", limits) }
  }

  @Test(arguments: try! Fixtures.files("openai", ".request.json") + Fixtures.files("anthropic", ".request.json"))
  func samples(_ file: String) throws {
    let bytes = try Fixtures.bytes(file)
    let fields = try bytes.withUnsafeBytes { try RequestScanner.scan($0).get() }
    #expect(fields.model?.isEmpty == false && fields.promptBytes > 0 && fields.prefixHash != 0)
    let text = String(decoding: bytes, as: UTF8.self)
    #expect(fields.toolsPresent == text.contains("\"tools\""))
    #expect((fields.stream == true) == text.contains(/"stream": *true/))
  }

  @Test func replacingTheModelChangesNothingElse() throws {
    let text = "{ \"temperature\" : 1.0e0,\n\"mod\\u0065l\":\"a\\u0062\" , \"x\":[1 ] }"
    let fields = try scan(text)
    #expect(fields.model == "ab")
    let splice = BodySplice.model(try #require(fields.modelRange), with: "new/\"name\"")
    let changed = Array(text.utf8).withUnsafeBytes { splice.applied(to: $0) }
    #expect(
      String(decoding: changed, as: UTF8.self)
        == "{ \"temperature\" : 1.0e0,\n\"mod\\u0065l\":\"new/\\\"name\\\"\" , \"x\":[1 ] }")
    #expect(splice.resultCount(text.utf8.count) == changed.count)
  }

  @Test(arguments: [("{\"a\":1}", "{\"n\":{\"x\":true},\"a\":1}"), (" { } ", " {\"n\":{\"x\":true} } ")])
  func insertingAMember(_ text: String, _ expected: String) throws {
    let splice = BodySplice.member("n", json: "{\"x\":true}", into: try scan(text))
    #expect(String(decoding: Array(text.utf8).withUnsafeBytes { splice.applied(to: $0) }, as: UTF8.self) == expected)
  }
}
