import SluiceDialects
import Testing

@Suite struct HeaderWriterTests {
  private func bytes(_ text: String, _ body: (UnsafeRawBufferPointer) -> Void) {
    Array(text.utf8).withUnsafeBytes(body)
  }

  @Test func writesARequest() throws {
    let received = head("GET /x HTTP/1.1", "Host: a", "X-Kept:  value ")
    let field = try #require(requestHead(received).head).headers[1]
    let written = try received.withUnsafeBytes { received in
      try HeaderWriter.bytes { writer in
        bytes("/v1/chat") { path in
          bytes("a=b") { writer.requestLine(method: "POST", path: path, query: $0) }
        }
        writer.field("host", "api.example")
        writer.field("content-length", 1_234_567)
        writer.field("authorization", prefix: "Bearer ", String("key"))
        writer.field(named: "x-from-configuration", "text")
        writer.field(field, from: received)
        writer.endHead()
      }
    }
    #expect(
      String(decoding: written, as: UTF8.self)
        == "POST /v1/chat?a=b HTTP/1.1\r\nhost: api.example\r\ncontent-length: 1234567\r\nauthorization: Bearer key\r\n"
        + "x-from-configuration: text\r\nX-Kept:  value\r\n\r\n")
  }

  @Test func writesAResponse() throws {
    let written = try HeaderWriter.bytes { writer in
      writer.statusLine(429)
      writer.statusLine(599)
      writer.statusLine(200, reason: "Fine")
      writer.field("retry-after", 0)
    }
    #expect(
      String(decoding: written, as: UTF8.self)
        == "HTTP/1.1 429 Too Many Requests\r\nHTTP/1.1 599 \r\nHTTP/1.1 200 Fine\r\nretry-after: 0\r\n")
  }

  @Test(arguments: ["a\r\nX: y", "a\nb", "a\rb", "a\u{0}b", "\u{1B}[0m", "a\u{7F}", "\r", "\n"])
  func valuesCannotInject(_ value: String) {
    #expect(throws: HeaderWriteError.invalidValue) {
      try HeaderWriter.bytes { writer in
        writer.field("x", value)
        writer.endHead()
      }
    }
  }

  @Test(arguments: ["", "a b", "a:", "a\r\n", "ä", "a\u{0}"]) func namesAreTokens(_ name: String) {
    #expect(throws: HeaderWriteError.invalidName) { try HeaderWriter.bytes { $0.field(named: name, "x") } }
  }

  @Test(arguments: ["/a b", "/a\r\nX: y", "/a#b", "/\u{0}"]) func targetsCannotInject(_ target: String) {
    #expect(throws: HeaderWriteError.invalidName) {
      try HeaderWriter.bytes { writer in bytes(target) { writer.requestLine(method: "GET", path: $0) } }
    }
  }

  @Test func nothingIsWrittenAfterARefusal() {
    var memory = [UInt8](repeating: 0, count: 64)
    memory.withUnsafeMutableBytes { memory in
      var writer = HeaderWriter(memory)
      writer.field("a", String("b"))
      writer.field("c", String("d\n"))
      let count = writer.count
      writer.field("e", String("f"))
      writer.endHead()
      #expect(writer.count == count && writer.failure == .invalidValue)
    }
  }

  @Test func finishTellsTheOutcome() throws {
    var memory = [UInt8](repeating: 0, count: 8)
    let count = try memory.withUnsafeMutableBytes { memory in
      var fits = HeaderWriter(memory)
      fits.field("a", 1)
      return try fits.finish()
    }
    #expect(count == 6)
    #expect(throws: HeaderWriteError.noRoom) {
      try memory.withUnsafeMutableBytes { memory in
        var tooLong = HeaderWriter(memory)
        tooLong.field("name", 1)
        return try tooLong.finish()
      }
    }
  }

  @Test func memoryIsNeverExceeded() throws {
    for room in 0..<20 {
      var memory = [UInt8](repeating: 0xAA, count: 40)
      memory.withUnsafeMutableBytes { memory in
        var writer = HeaderWriter(UnsafeMutableRawBufferPointer(rebasing: memory[..<room]))
        writer.field("name", 1_234_567)
        #expect(writer.count <= room && (writer.failure == .noRoom) == (room < 15))
      }
      #expect(memory[room...].allSatisfy { $0 == 0xAA })
    }
  }

  @Test func arraysGrowUntilTheirBound() throws {
    let long = String(repeating: "v", count: 50_000)
    #expect(try HeaderWriter.bytes { $0.field("x", long) }.count == 50_005)
    #expect(throws: HeaderWriteError.noRoom) {
      try HeaderWriter.bytes { writer in for _ in 0..<3 { writer.field("x", long) } }
    }
  }
}
