import SluiceDialects
import Testing

@Suite struct RequestHeadTests {
  @Test func offsetsPointAtWhatWasSent() throws {
    let bytes = head(
      "POST /v1/chat/completions?beta=true HTTP/1.1", "Host: api.example:8080", "X-Api-Key:  key  ",
      "Content-Length: 12", "X-Custom: one")
    let parsed = try #require(requestHead(bytes).head)
    #expect(parsed.method == .post)
    #expect(text(parsed.target, bytes) == "/v1/chat/completions?beta=true")
    #expect(text(parsed.path, bytes) == "/v1/chat/completions")
    #expect(parsed.query.map { text($0, bytes) } == "beta=true")
    #expect(parsed.host.map { text($0, bytes) } == "api.example:8080")
    #expect(parsed.headers.first(.xAPIKey).map { text($0, bytes) } == "key")
    #expect(bytes.withUnsafeBytes { parsed.headers.first(named: "x-custom", in: $0) }.map { text($0, bytes) } == "one")
    #expect(parsed.bodyLength == .fixed(12))
    #expect(parsed.version == .one)
  }

  @Test func consumedIsWhereTheBodyBegins() {
    let bytes = head("GET / HTTP/1.1", "Host: a") + Array("rest".utf8)
    guard case .complete(_, let consumed) = requestHead(bytes) else { return #expect(Bool(false)) }
    #expect(bytes.count - consumed == 4)
  }

  @Test(arguments: [
    ("GET", HTTPMethodToken.get), ("HEAD", .head), ("POST", .post), ("PUT", .put), ("PATCH", .patch),
    ("DELETE", .delete), ("OPTIONS", .options), ("TRACE", .trace),
  ])
  func methods(_ name: String, _ method: HTTPMethodToken) throws {
    #expect(try #require(requestHead(head("\(name) / HTTP/1.1", "Host: a")).head).method == method)
    // Methods are case-sensitive: another case is another method.
    let lowered = head("\(name.lowercased()) / HTTP/1.1", "Host: a")
    let other = try #require(requestHead(lowered).head).method
    #expect(lowered.withUnsafeBytes { other.string(in: $0) } == name.lowercased() && other != method)
  }

  @Test(arguments: [
    ("HTTP/1.1", [], true), ("HTTP/1.1", ["close"], false), ("HTTP/1.1", ["Close"], false),
    ("HTTP/1.1", ["keep-alive, close"], false), ("HTTP/1.1", ["x-a", "close"], false),
    ("HTTP/1.1", ["closed"], true), ("HTTP/1.0", [], false), ("HTTP/1.0", ["keep-alive"], true),
    ("HTTP/1.0", ["Keep-Alive, x-a"], true), ("HTTP/1.0", ["keep-alive", "close"], false),
    ("HTTP/1.1", [", ,"], true),
  ])
  func keepAlive(_ version: String, _ connection: [String], _ expected: Bool) throws {
    let lines = ["GET / \(version)", "Host: a"] + connection.map { "Connection: \($0)" }
    let bytes = head(lines: lines)
    #expect(try #require(requestHead(bytes).head).keepAlive == expected)
  }

  @Test func expectContinueIsForOneDotOne() throws {
    let new = head("POST / HTTP/1.1", "Host: a", "Expect: 100-Continue", "Content-Length: 1")
    #expect(try #require(requestHead(new).head).expectContinue)
    let old = head("POST / HTTP/1.0", "Expect: 100-continue", "Content-Length: 1")
    #expect(try !#require(requestHead(old).head).expectContinue)
  }

  @Test func absoluteTargetOverrulesHost() throws {
    let bytes = head("GET http://one.example:81?x HTTP/1.1", "Host: two.example")
    let parsed = try #require(requestHead(bytes).head)
    #expect(parsed.host.map { text($0, bytes) } == "one.example:81")
    #expect(parsed.path.isEmpty)
    #expect(parsed.query.map { text($0, bytes) } == "x")
  }

  @Test func leadingEmptyLinesKeepOffsetsRight() throws {
    let bytes = Array("\r\n\r\n".utf8) + head("GET /x HTTP/1.1", "Host: a")
    #expect(text(try #require(requestHead(bytes).head).path, bytes) == "/x")
  }

  @Test func connectionListedFieldsAreMarked() throws {
    let bytes = head(
      "GET / HTTP/1.1", "Host: a", "X-One: 1", "Connection: X-one, keep-alive", "X-Two: 2", "Connection: x-TWO",
      "Keep-Alive: timeout=5", "X-Three: 3")
    let headers = try #require(requestHead(bytes).head).headers
    var hop: [String] = []
    headers.forEach { if $0.isHopByHop { hop.append(text($0.name, bytes)) } }
    #expect(hop == ["X-One", "Connection", "X-Two", "Connection", "Keep-Alive"])
  }

  @Test func tooManyConnectionTokensAreRefused() {
    let tokens = (0..<33).map { "x\($0)" }.joined(separator: ",")
    #expect(requestHead(head("GET / HTTP/1.1", "Host: a", "Connection: \(tokens)")).error == .connectionHeader)
  }

  @Test func limitsAreExact() throws {
    let limits = HTTPLimits(maxHeadBytes: 64, maxHeaders: 2, maxStartLine: 20)
    #expect(requestHead(head("GET /aaaaaa HTTP/1.1", "Host: a"), limits: limits).head != nil)
    #expect(requestHead(head("GET /aaaaaaa HTTP/1.1", "Host: a"), limits: limits).error == .startLineTooLong)
    #expect(requestHead(head("GET / HTTP/1.1", "Host: a", "B: c", "D: e"), limits: limits).error == .tooManyHeaders)
    let filler = String(repeating: "b", count: 64 - head("GET / HTTP/1.1", "Host: a", "B: ").count)
    #expect(requestHead(head("GET / HTTP/1.1", "Host: a", "B: \(filler)"), limits: limits).head != nil)
    #expect(requestHead(head("GET / HTTP/1.1", "Host: a", "B: \(filler)b"), limits: limits).error == .headTooLarge)
  }

  /// Offsets are 16 bits: the largest head allowed keeps them right, leading empty lines included.
  @Test func largestHead() throws {
    let rest = head("GET / HTTP/1.1", "Host: a", "B: ", "C: end").count + 4
    let filler = String(repeating: "b", count: 65_536 - rest)
    let bytes = [13, 10, 13, 10] + head("GET / HTTP/1.1", "Host: a", "B: \(filler)", "C: end")
    #expect(bytes.count == 65_536)
    let headers = try #require(requestHead(bytes).head).headers
    #expect(headers[1].value.count == UInt32(filler.utf8.count))
    #expect(text(headers[2].value, bytes) == "end")
    #expect(requestHead([13, 10] + bytes).error != nil)
    #expect(HTTPLimits(maxHeadBytes: 1_000_000).maxHeadBytes == 65_536)
  }

  @Test func everyErrorHasAStatusAndAShortLabel() {
    for error in HTTPParseError.allCases {
      #expect([400, 414, 417, 431, 501, 505].contains(error.status))
      #expect(error.label.utf8.count <= 32 && error.label.allSatisfy { $0.isLowercase || $0 == "_" || $0.isNumber })
    }
  }
}
