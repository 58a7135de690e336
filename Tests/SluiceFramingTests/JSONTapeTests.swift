import SluiceDialects
import Testing

/// The tape against the reader of documents, which takes the same and says the same.
@Suite struct JSONTapeTests {
  private func read<Answer>(_ text: String, _ body: (JSONTape) throws -> Answer) throws -> Answer {
    var room = JSONTape.Room()
    let result = Array(text.utf8).withSlice { bytes in
      Result {
        var tape = try JSONTape(bytes, in: &room)
        defer { tape.leave(&room) }
        return try body(tape)
      }
    }
    return try result.get()
  }

  private static func nested(_ depth: Int, _ core: String = "") -> String {
    String(repeating: "[", count: depth) + core + String(repeating: "]", count: depth)
  }

  @Test(arguments: [
    "1", "-0", "1.5e3", "1e999", "-1e400", String(repeating: "9", count: 400), "9223372036854775807",
    "-9223372036854775808", "9223372036854775808", "1e308", "1e-999",
    "\"\"", "\"ä€😀\"", #""\u00e4\ud83d\ude00\n\/\"\\""#, "true", "false", "null", "{}", "[]", " [ 1 , { } , [ ] ] ",
    #"{"a":{"b":[1,"x",null,true,false,-2.5]},"a":2,"\u0061":3,"":4}"#, nested(256), nested(255, "7"),
    #"{"choices":[{"index":0,"delta":{"content":"x"}}],"usage":null}"#,
  ]) func readsAsTheReader(_ text: String) throws {
    let document = try JSONReader.read(Array(text.utf8))
    #expect(try read(text) { $0.value($0.root) } == document)
  }

  @Test(arguments: [
    "", "{", "[1,]", "{\"a\"}", "01", #""\ud800""#, #""\udc00""#,
    #"{"\ud800x":1}"#, #"["\ud83d\u0041"]"#, "\"\u{1}\"", nested(257), nested(256, "7"), "1 2", "nul", "{\"a\":1,}",
  ]) func refusesAsTheReader(_ text: String) throws {
    let error = #expect(throws: JSONError.self) { try read(text) { _ in } }
    #expect(throws: try #require(error)) { try JSONReader.read(Array(text.utf8)) }
  }

  @Test func invalidUTF8IsRefused() {
    var room = JSONTape.Room()
    // The last one is repaired to as many bytes as it has.
    for bytes in [[0x22, 0xFF, 0x22], [0x22, 0xC3, 0x22], [0x22, 0xF0, 0x9F, 0x98, 0x22]] as [[UInt8]] {
      #expect(throws: JSONError.self) { try JSONReader.read(bytes) }
      #expect(throws: JSONError.self) { try JSONReader.read([0x22, 0x5C, 0x6E] + bytes.dropFirst()) }
      let isRead = bytes.withSlice { (try? JSONTape($0, in: &room)) != nil }
      #expect(!isRead)
    }
  }

  @Test func findsValues() throws {
    let text = #"{"a":1,"b":{"c":"x\ny","d":null,"e":""},"a":2,"list":[5,{"f":6},[7]],"t":true,"n":1e2,"\u006d":"e"}"#
    try read(text) { tape in
      let inner = tape[tape.root, "b"]
      #expect(tape.int(tape[tape.root, "a"]) == 2, "of duplicates the last")
      #expect(tape.int(tape[tape.root, "n"]) == 100)
      #expect(tape.string(tape[inner, "c"]) == "x\ny")
      #expect(tape.equals(tape[inner, "c"], "x\ny") && !tape.equals(tape[inner, "c"], "x"))
      #expect(tape[inner, "d"].map(tape.isNull) == true)
      #expect(tape.given(inner, "d") == nil && tape.given(inner, "c") != nil)
      #expect(tape.string(tape[inner, "e"]) == "" && tape.text(tape[inner, "e"]) == nil)
      #expect(tape.text(tape[inner, "c"]) == "x\ny")
      #expect(tape.equals(tape[tape.root, "m"], "e"), "a name with escapes")
      #expect(tape.isObject(inner) && !tape.isArray(inner) && tape.isArray(tape[tape.root, "list"]))
      #expect(tape[tape[tape.root, "a"], "x"] == nil && tape[nil, "x"] == nil && tape.string(inner) == nil)
      #expect(tape.text(inner) == nil && tape.text(tape[tape.root, "t"]) == nil)
      let list = tape[tape.root, "list"]
      let first = try #require(tape.firstItem(list))
      let second = try #require(tape.item(after: first, of: list))
      let third = try #require(tape.item(after: second, of: list))
      #expect(tape.int(first) == 5 && tape.int(tape[second, "f"]) == 6 && tape.value(third) == [7])
      #expect(tape.item(after: third, of: list) == nil)
    }
  }

  @Test func keepsTheRoomOfSmallDocumentsOnly() throws {
    var room = JSONTape.Room()
    for count in [10, 5_000, 10] {
      let text = "[" + Array(repeating: "1", count: count).joined(separator: ",") + "]"
      let items = Array(text.utf8).withSlice { bytes -> Int? in
        guard var tape = try? JSONTape(bytes, in: &room) else { return nil }
        defer { tape.leave(&room) }
        return tape.value(tape.root).array?.count
      }
      #expect(items == count)
      #expect(room.kept <= JSONTape.Room.mostKept)
      if count == 10 { #expect(room.kept > 0) }
    }
  }
}
