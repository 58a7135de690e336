import Foundation
import SluiceDialects
import Testing

@Suite struct JSONScannerTests {
  private func tokens(_ text: String) -> Result<String, JSONScanError> { tokens(Array(text.utf8)) }

  /// Tokens as a compact text, such as `{k"a" 1 }`.
  private func tokens(_ bytes: [UInt8]) -> Result<String, JSONScanError> {
    bytes.withUnsafeBytes { bytes in
      var scanner = JSONScanner(bytes)
      var result: [String] = []
      do throws(JSONScanError) {
        while true {
          switch try scanner.next() {
          case .beginObject: result.append("{")
          case .endObject: result.append("}")
          case .beginArray: result.append("[")
          case .endArray: result.append("]")
          case .key(let key): result.append("k:" + key.content.string(in: bytes))
          case .string(let string): result.append("s:" + string.content.string(in: bytes))
          case .number(let number): result.append(number.string(in: bytes))
          case .bool(let value): result.append(value ? "true" : "false")
          case .null: result.append("null")
          case .end: return .success(result.joined(separator: " "))
          }
        }
      } catch {
        return .failure(error)
      }
    }
  }

  @Test(arguments: [
    ("{}", "{ }"), ("[]", "[ ]"), (" [ ] \r\n\t", "[ ]"), ("1", "1"), ("\"a\"", "s:a"), ("null", "null"),
    ("{\"a\":1}", "{ k:a 1 }"), ("{\"a\":1,\"b\":[true,false,null]}", "{ k:a 1 k:b [ true false null ] }"),
    ("[{},[],{\"a\":{}}]", "[ { } [ ] { k:a { } } ]"), ("[1 , 2]", "[ 1 2 ]"), ("{\"\":\"\"}", "{ k: s: }"),
    ("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"]", "[ s:\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9 ]"), ("[\"ä€😀\"]", "[ s:ä€😀 ]"),
    ("[0,-0,0.5,-1.25e10,1E+2,1e-2,12345678901234567890]", "[ 0 -0 0.5 -1.25e10 1E+2 1e-2 12345678901234567890 ]"),
    ("[\"\\ud800\"]", "[ s:\\ud800 ]"), ("\"\u{7F}\"", "s:\u{7F}"),
  ])
  func accepted(_ text: String, _ expected: String) {
    #expect(tokens(text) == .success(expected))
  }

  @Test(arguments: [
    ("", 0, JSONScanError.Reason.unexpectedEnd), (" ", 1, .unexpectedEnd), ("{", 1, .unexpectedEnd),
    ("[", 1, .unexpectedEnd),
    ("[1", 2, .unexpectedEnd), ("[1,", 3, .unexpectedEnd), ("[1,]", 3, .unexpectedByte), ("[,1]", 1, .unexpectedByte),
    ("[1 2]", 3, .unexpectedByte), ("{\"a\"}", 4, .unexpectedByte), ("{\"a\":}", 5, .unexpectedByte),
    ("{\"a\":1,}", 7, .unexpectedByte), ("{a:1}", 1, .unexpectedByte), ("{1:1}", 1, .unexpectedByte),
    ("[}", 1, .unexpectedByte),
    ("{]", 1, .unexpectedByte), ("[1}", 2, .unexpectedByte), ("{\"a\":1]", 6, .unexpectedByte),
    ("1 2", 2, .trailingBytes),
    ("{}x", 2, .trailingBytes), ("{},", 2, .trailingBytes), ("nul", 3, .unexpectedEnd), ("nulL", 3, .unexpectedByte),
    ("True", 0, .unexpectedByte), ("truex", 4, .trailingBytes), ("NaN", 0, .unexpectedByte),
    ("'a'", 0, .unexpectedByte),
    ("01", 0, .badNumber), ("[-01]", 2, .badNumber), ("-", 1, .unexpectedEnd), ("-a", 1, .badNumber),
    ("1.", 2, .unexpectedEnd), ("1.e1", 2, .badNumber),
    ("1e", 2, .unexpectedEnd), ("1e+", 3, .unexpectedEnd), ("1e+x", 3, .badNumber), (".5", 0, .unexpectedByte),
    ("+1", 0, .unexpectedByte), ("0x1", 1, .trailingBytes), ("\"", 1, .unexpectedEnd), ("\"a", 2, .unexpectedEnd),
    ("\"\\", 2, .unexpectedEnd), ("\"\\x\"", 1, .badEscape), ("\"\\u12\"", 1, .badEscape),
    ("\"\\u12", 5, .unexpectedEnd),
    ("\"\\u123g\"", 1, .badEscape), ("\"a\nb\"", 2, .controlInString), ("\"\t\"", 1, .controlInString),
    ("\"a\u{0}\"", 2, .controlInString), ("// x\n1", 0, .unexpectedByte), ("\u{FEFF}1", 0, .unexpectedByte),
    ("[1]]", 3, .trailingBytes),
  ])
  func refused(_ text: String, _ offset: Int, _ reason: JSONScanError.Reason) {
    #expect(tokens(text) == refusal(offset, reason))
  }

  private func refusal(_ offset: Int, _ reason: JSONScanError.Reason) -> Result<String, JSONScanError> {
    .failure(JSONScanError(offset: offset, reason: reason))
  }

  @Test(
    arguments: [
      [0x80], [0xC0, 0x80], [0xC1, 0xBF], [0xC3], [0xC3, 0x28], [0xE0, 0x9F, 0xBF], [0xE2, 0x82], [0xE2, 0x28, 0xA1],
      [0xED, 0xA0, 0x80], [0xF0, 0x8F, 0xBF, 0xBF], [0xF0, 0x9F, 0x98], [0xF4, 0x90, 0x80, 0x80],
      [0xF5, 0x80, 0x80, 0x80],
      [0xFF], [0xE2, 0x82, 0x28], [0xF0, 0x9F, 0x98, 0x28],
    ] as [[UInt8]])
  func brokenUTF8(_ broken: [UInt8]) {
    // At every place of a word, so that the fast path's rest is met too.
    for lead in 0..<9 {
      let bytes = [0x22] + [UInt8](repeating: 0x61, count: lead) + broken + [0x22]
      #expect(tokens(bytes) == refusal(1 + lead, .badUTF8))
    }
  }

  /// Each special byte is found at every offset of a word and of several.
  @Test(arguments: 0..<70) func stopsInsideWords(_ lead: Int) {
    let text = String(repeating: "x", count: lead)
    #expect(tokens("\"\(text)\"") == .success("s:\(text)"))
    #expect(tokens("\"\(text)\\n\"") == .success("s:\(text)\\n"))
    #expect(tokens("\"\(text)é\"") == .success("s:\(text)é"))
    #expect(tokens("\"\(text)\u{1F}\"") == refusal(1 + lead, .controlInString))
    // Bytes next to the special ones in value are not special.
    #expect(tokens("\"\(text)!#[]~\u{7F}\"") == .success("s:\(text)!#[]~\u{7F}"))
    // The first of several counts, also with more behind it.
    #expect(tokens("[\"\(text)\",\"\(text)\\n\u{1F}\"]") == refusal(7 + 2 * lead, .controlInString))
  }

  @Test func depthIsBounded() {
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    #expect(throws: Never.self) { try tokens(nested(512)).get() }
    #expect(tokens(nested(513)) == refusal(512, .tooDeep))
    let objects = String(repeating: "{\"a\":[", count: 256) + String(repeating: "]}", count: 256)
    #expect(throws: Never.self) { try tokens(objects).get() }
  }

  @Test func strings() {
    for (literal, decoded) in [
      ("\"plain\"", "plain"), ("\"\\u00e4\\n\\\"\"", "ä\n\""), ("\"\\ud83d\\ude00!\"", "😀!"), ("\"\\ud83d\"", nil),
      ("\"\\ude00\\ud83d\"", nil), ("\"\\ud83dx\"", nil), ("\"\\u0000\"", "\0"), ("\"ä\\/\"", "ä/"),
    ] as [(String, String?)] {
      let bytes = Array(literal.utf8)
      bytes.withUnsafeBytes { bytes in
        var scanner = JSONScanner(bytes)
        guard case .string(let string) = try? scanner.next() else { return #expect(Bool(false), "\(literal)") }
        #expect(string.decoded(in: bytes) == decoded, "\(literal)")
        #expect(string.literal.string(in: bytes) == literal)
      }
    }
  }

  @Test func numbers() {
    for (text, int, double) in [
      ("0", 0, 0), ("-12", -12, -12), ("9223372036854775807", .max, 9.223372036854775807e18),
      ("9223372036854775808", nil, 9.223372036854775808e18), ("1.0", nil, 1), ("1e3", nil, 1000), ("1e999", nil, nil),
    ] as [(String, Int?, Double?)] {
      let bytes = Array(text.utf8)
      bytes.withUnsafeBytes {
        let range = ByteRange(start: 0, count: $0.count)
        #expect(JSONNumber.int(range, in: $0) == int, "\(text)")
        #expect(JSONNumber.double(range, in: $0) == double, "\(text)")
      }
    }
  }

  @Test func skippingAValueValidatesIt() throws {
    func afterSkip(_ text: String) throws -> JSONToken {
      try Array(text.utf8).withUnsafeBytes { bytes in
        var scanner = JSONScanner(bytes)
        _ = try scanner.next()
        _ = try scanner.next()
        try scanner.skipValue()
        return try scanner.next()
      }
    }
    for value in ["1", "\"x\"", "{}", "[]", "[1,[2,{\"b\":[]}]]", "{\"a\":{\"b\":1}}", "null"] {
      #expect(try afterSkip("{\"k\":\(value)}") == .endObject)
    }
    #expect(throws: JSONScanError.self) { try afterSkip("{\"k\":[1,}") }
    #expect(throws: JSONScanError.self) { try afterSkip("{\"k\":}") }
  }
}
