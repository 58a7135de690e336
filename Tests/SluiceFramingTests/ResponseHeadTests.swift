import SluiceDialects
import Testing

@Suite struct ResponseHeadTests {
  @Test(arguments: [
    (200, ["Content-Length: 5"], HTTPMethodToken.get, BodyLength.fixed(5), true),
    (200, ["Transfer-Encoding: chunked"], .get, .chunked, true),
    (200, [], .get, .untilClose, false),
    (200, ["Content-Length: 5"], .head, .none, true),
    (200, ["Transfer-Encoding: chunked"], .head, .none, true),
    (200, [], .head, .none, true),
    (204, [], .get, .none, true),
    // A body announced where none may be: the connection is not trusted again.
    (204, ["Content-Length: 5"], .get, .none, false),
    (204, ["Content-Length: 0"], .get, .none, true),
    (204, ["Transfer-Encoding: chunked"], .get, .none, false),
    (304, ["Content-Length: 5"], .get, .none, true),
    (103, ["Link: x"], .get, .none, true),
    (500, ["Content-Length: 0"], .post, .fixed(0), true),
    (200, ["Content-Length: 5", "Connection: close"], .get, .fixed(5), false),
  ])
  func framing(_ status: Int, _ fields: [String], _ method: HTTPMethodToken, _ body: BodyLength, _ lives: Bool) throws {
    let lines = ["HTTP/1.1 \(status) Reason"] + fields
    let parsed = try #require(responseHead(head(lines: lines), to: method).head)
    #expect(parsed.status == status && parsed.bodyLength == body && parsed.keepAlive == lives)
    #expect(parsed.isInformational == (status < 200))
  }

  @Test(arguments: [
    ("HTTP/1.0 200 OK", nil, false), ("HTTP/1.0 200 OK", "keep-alive", true), ("HTTP/1.1 200 OK", "close", false),
    ("HTTP/1.1 200 OK", "keep-alive", true),
  ])
  func keepAlive(_ line: String, _ connection: String?, _ expected: Bool) throws {
    let fields = connection.map { "Connection: \($0)" } ?? "X: y"
    #expect(try #require(responseHead(head(line, "Content-Length: 1", fields)).head).keepAlive == expected)
  }

  @Test(arguments: [
    ("text/event-stream", true), ("Text/Event-Stream; charset=utf-8", true), ("text/event-stream ;x=y", true),
    ("text/event-streams", false), ("application/json", false), ("", false), ("x; text/event-stream", false),
  ])
  func eventStream(_ type: String, _ expected: Bool) throws {
    #expect(try #require(responseHead(head("HTTP/1.1 200 OK", "Content-Type: \(type)")).head).isEventStream == expected)
  }

  @Test(
    arguments: [
      ("timeout=5", 5), ("timeout=5, max=100", 5), ("max=100, Timeout=75", 75), ("timeout=", nil), ("timeout=x", nil),
      ("max=100", nil), ("timeout=99999999999999999999", nil), ("timeout=1, timeout=2", 1),
    ] as [(String, Int?)])
  func keepAliveTimeout(_ value: String, _ expected: Int?) throws {
    let parsed = try #require(responseHead(head("HTTP/1.1 200 OK", "Content-Length: 0", "Keep-Alive: \(value)")).head)
    #expect(parsed.keepAliveTimeout == expected)
  }

  @Test(arguments: ["HTTP/1.1 200 Very OK", "HTTP/1.1 200 ", "HTTP/1.1 200"]) func reasons(_ line: String) throws {
    let bytes = head(line, "Content-Length: 0")
    #expect(text(try #require(responseHead(bytes).head).reason, bytes) == line.dropFirst(13))
  }
}
