import SluiceDialects
import Testing

@Suite struct SSEParserTests {
  private static let samples = try! ["openai", "anthropic", "tgi", "gemini", "cohere"].flatMap {
    try Fixtures.files($0, ".sse")
  }

  private func events(_ bytes: [UInt8], pieces: Int = .max, limit: Int = 1 << 20) throws(SSEError) -> [String] {
    var parser = SSEParser(maxEventBytes: limit)
    var events: [String] = []
    var rest = bytes[...]
    while !rest.isEmpty {
      try SSEProperties.consume(Array(rest.prefix(pieces)), &parser) { event, _ in
        let name = event.name.map { String(decoding: $0, as: UTF8.self) + "|" } ?? ""
        events.append(name + String(decoding: event.data, as: UTF8.self))
      }
      rest = rest.dropFirst(min(pieces, rest.count))
    }
    return events
  }

  /// Looked through once for each kind of line end, whatever there are: else this would take an hour.
  @Test(arguments: ["\r", "\n", "\r\n", "\n\r"])
  func manyLineEnds(_ end: String) throws {
    let text = String(repeating: end, count: 4 << 20) + "data: a" + end + end
    #expect(try events(Array(text.utf8)) == ["a"])
  }

  @Test(arguments: [
    ("data: a\n\n", ["a"]), ("data:a\n\n", ["a"]), ("data:  a\n\n", [" a"]), ("data\n\n", [""]), ("data:\n\n", [""]),
    ("data: a\r\n\r\n", ["a"]), ("data: a\r\r", ["a"]), ("data: a\r\n\n", ["a"]), ("data: a\n\r", ["a"]),
    ("data: a\ndata: b\n\n", ["a\nb"]), ("data: a\r\ndata: b\r\n\r\n", ["a\nb"]), ("data\ndata\n\n", ["\n"]),
    ("data: a\n\ndata: b\n\n", ["a", "b"]),
    ("event: x\ndata: a\n\n", ["x|a"]), ("data: a\nevent: x\n\n", ["x|a"]),
    ("event: x\nevent: y\ndata: a\n\n", ["y|a"]),
    ("event: x\n\ndata: a\n\n", ["a"]), ("event:\ndata: a\n\n", ["a"]), (": comment\n\ndata: a\n\n", ["a"]),
    ("data: a\n: comment\ndata: b\n\n", ["a\nb"]), ("id: 1\nretry: 5\ndata: a\n\n", ["a"]), ("data: a", []),
    ("data: a\n", []), ("\n\n\ndata: a\n\n\n\n", ["a"]), ("\u{FEFF}data: a\n\n", ["a"]),
    ("\u{FEFF}\u{FEFF}data: a\n\n", []), ("datax: a\n\n", []), ("Data: a\n\n", []), (" data: a\n\n", []),
    ("data : a\n\n", []), ("data: a: b\n\n", ["a: b"]), ("unknown\ndata: a\n\n", ["a"]), ("data: ä€😀\n\n", ["ä€😀"]),
    ("data: [DONE]\n\n", ["[DONE]"]), ("eventually: x\ndata: a\n\n", ["a"]),
  ])
  func table(_ stream: String, _ expected: [String]) throws {
    let bytes = Array(stream.utf8)
    for size in 1...max(1, bytes.count) {
      #expect(try events(bytes, pieces: size) == expected, "pieces of \(size)")
    }
  }

  @Test(arguments: samples) func samplesInPieces(_ file: String) throws {
    let bytes = try Fixtures.bytes(file)
    let expected = SSEProperties.reference(bytes)
    #expect(!expected.isEmpty)
    for size in [1, 7, bytes.count] {
      var parser = SSEParser()
      var events: [SSEProperties.Event] = []
      for start in stride(from: 0, to: bytes.count, by: size) {
        let piece = Array(bytes[start..<min(bytes.count, start + size)])
        try SSEProperties.consume(piece, &parser) { event, _ in events.append(event) }
      }
      #expect(events == expected, "pieces of \(size)")
      #expect(parser.isAtEventBoundary)
    }
  }

  /// An event inside one piece is not copied: its slices lie in the piece's memory.
  @Test func wholeEventsAreSlices() throws {
    let bytes = Array("event: x\ndata: one\n\ndata: two\n\n".utf8)
    var parser = SSEParser()
    var places: [Int] = []
    var ends: [Int] = []
    try bytes.withUnsafeBytes { piece in
      try parser.consume(piece) { event in
        if let base = piece.baseAddress, let data = event.data.baseAddress { places.append(data - base) }
        ends.append(event.end)
      }
    }
    #expect(places == [15, 26] && ends == [20, 31])
  }

  @Test func doneAndNames() throws {
    var parser = SSEParser()
    var seen: [Bool] = []
    try Array("data: [DONE]\n\nevent: ping\ndata: [DONE] \n\n".utf8).withUnsafeBytes {
      try parser.consume($0) { event in seen += [event.isDone, event.isNamed("ping"), event.isNamed("pin")] }
    }
    #expect(seen == [true, false, false, false, true, false])
  }

  @Test func boundaries() throws {
    var parser = SSEParser()
    for (piece, isAtBoundary) in [
      ("", true), (": ping\n", true), ("\n", true), ("d", false), ("ata: a", false), ("\n", false), ("\n", true),
      ("event: x\n", false), ("\n", true), ("data: a\r\n\r", true), ("\n", true), ("id: 1\n", false), ("\n", true),
    ] {
      try SSEProperties.consume(Array(piece.utf8), &parser) { _, _ in }
      #expect(parser.isAtEventBoundary == isAtBoundary, "after \(piece)")
    }
  }

  @Test func finishHandsOutWhatLacksItsEnd() throws {
    for (stream, expected) in [
      ("data: a", "a"), ("data: a\n", "a"), ("data: a\ndata: b", "a\nb"), ("data: a\n\n", nil),
    ]
      as [(String, String?)]
    {
      var parser = SSEParser()
      try SSEProperties.consume(Array(stream.utf8), &parser) { _, _ in }
      var last: String?
      parser.finish { last = String(decoding: $0.data, as: UTF8.self) }
      #expect(last == expected)
      #expect(parser.isAtEventBoundary)
    }
  }

  @Test(arguments: [1, 3, 1_000]) func eventsAreBounded(_ size: Int) throws {
    let fits = Array("data: 345\n\n: comments between events do not count\n\ndata: 345\n\n".utf8)
    #expect(try events(fits, pieces: size, limit: 50).count == 2)
    // The bound counts an event's bytes with its line ends: eleven here.
    #expect(try events(Array("data: 345\n\n".utf8), pieces: size, limit: 11).count == 1)
    #expect(throws: SSEError.eventTooLarge) { try events(Array("data: 345\n\n".utf8), pieces: size, limit: 10) }
    #expect(throws: SSEError.eventTooLarge) { try events(Array("data: 3\nid: 45\n".utf8), pieces: size, limit: 10) }
    #expect(throws: SSEError.eventTooLarge) { try events(Array(": endless comment".utf8), pieces: size, limit: 10) }
  }

  @Test func anErrorStays() {
    var parser = SSEParser(maxEventBytes: 4)
    #expect(throws: SSEError.self) { try SSEProperties.consume(Array("data: a".utf8), &parser) { _, _ in } }
    #expect(throws: SSEError.self) { try SSEProperties.consume(Array("\n".utf8), &parser) { _, _ in } }
  }
}
