import SluiceDialects
import Testing

@Suite struct HeadEndSearchTests {
  /// A head that arrives byte by byte is searched once: what was looked at before is not looked at again. Here it is
  /// overwritten with line ends that would change the outcome.
  @Test func whatWasSearchedIsNotSearchedAgain() {
    var bytes = Array("GET / HTTP/1.1\r\nHost: a\r\nX: yyyy".utf8)
    var search = HeadEndSearch()
    let first = bytes.withUnsafeBytes { RequestHeadParser.parse($0, limits: .standard, search: &search) }
    #expect(first.isIncomplete)
    for index in bytes.indices.dropFirst(4) { bytes[index] = 10 }
    bytes += Array("z".utf8)
    let second = bytes.withUnsafeBytes { RequestHeadParser.parse($0, limits: .standard, search: &search) }
    #expect(second.isIncomplete, "a fresh search refuses the bare line feeds: \(second)")
    #expect(requestHead(bytes).error == .bareLineFeed)
  }

  @Test(arguments: 1...40) func anyPieceSize(_ size: Int) throws {
    let bytes = head("POST /v1/messages HTTP/1.1", "Host: a", "Content-Length: 3", "X: y")
    var search = HeadEndSearch()
    var end = 0
    while end < bytes.count {
      end = min(bytes.count, end + size)
      let parsed = bytes[..<end].withUnsafeBytes { RequestHeadParser.parse($0, limits: .standard, search: &search) }
      #expect(parsed.isIncomplete == (end < bytes.count))
      if end == bytes.count { #expect(try #require(parsed.head).headers.count == 3) }
    }
  }

  @Test(arguments: ["\u{16}\u{3}\u{1}", "\u{0}", "(", "GET\u{7F}", String(repeating: "A", count: 33)])
  func whatCannotBeAMethodIsRefusedAtOnce(_ beginning: String) {
    #expect(requestHead(Array(beginning.utf8)).error == .method)
  }

  @Test(arguments: ["", "G", "GET", "GET ", "\r", "\r\n", "\r\nGE"]) func whatMayBecomeARequestIsAwaited(_ text: String)
  {
    #expect(requestHead(Array(text.utf8)).isIncomplete)
  }

  @Test(arguments: ["X", "HTTX", "\r\n", "\u{0}"]) func whatCannotBeAStatusLineIsRefusedAtOnce(_ beginning: String) {
    #expect(responseHead(Array(beginning.utf8)).error == .statusLine)
  }

  @Test func headsWithoutEndAreBounded() {
    let endless = Array("GET /".utf8) + [UInt8](repeating: 0x61, count: 16_400)
    #expect(requestHead(endless).error == .startLineTooLong)
    let fields = Array("GET / HTTP/1.1\r\nHost: a\r\nX: ".utf8) + [UInt8](repeating: 0x61, count: 65_536)
    #expect(requestHead(fields).error == .headTooLarge)
  }
}
