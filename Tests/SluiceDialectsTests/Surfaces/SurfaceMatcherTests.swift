import SluiceDialects
import Testing

@Suite("Surfaces by path and headers")
struct SurfaceMatcherTests {
  struct Row: Sendable, CustomTestStringConvertible {
    var method: String
    var path: String
    var headers: [String] = []
    var expected: (Surface, Operation)?
    var identifier: String?
    var testDescription: String { "\(method) \(path) \(headers)" }
  }

  static let rows: [Row] = [
    Row(method: "POST", path: "/v1/chat/completions", expected: (.openai, .chat)),
    Row(method: "POST", path: "/v1/completions", expected: (.openai, .completions)),
    Row(method: "POST", path: "/v1/embeddings", expected: (.openai, .embeddings)),
    Row(method: "POST", path: "/v1/responses", expected: (.openai, .responses)),
    Row(method: "POST", path: "/v1/responses/input_tokens", expected: (.openai, .inputTokens)),
    Row(method: "POST", path: "/v1/responses/compact", expected: (.openai, .compactResponse)),
    Row(method: "GET", path: "/v1/responses/resp_D4", expected: (.openai, .readResponse), identifier: "resp_D4"),
    Row(method: "DELETE", path: "/v1/responses/resp_D4", expected: (.openai, .deleteResponse), identifier: "resp_D4"),
    Row(
      method: "POST", path: "/v1/responses/resp_D4/cancel", expected: (.openai, .cancelResponse),
      identifier: "resp_D4"),
    Row(method: "GET", path: "/v1/models", expected: (.openai, .models)),
    Row(
      method: "GET", path: "/v1/models", headers: ["Anthropic-Version: 2026-10-21"],
      expected: (.anthropic, .models)),
    Row(method: "GET", path: "/v1/models/gpt-5.4-mini", expected: (.openai, .model), identifier: "gpt-5.4-mini"),
    Row(method: "GET", path: "/v1/models/org/model", expected: (.openai, .model), identifier: "org/model"),
    Row(
      method: "GET", path: "/v1/models/claude", headers: ["anthropic-version: 2023-06-01"],
      expected: (.anthropic, .model), identifier: "claude"),
    Row(method: "POST", path: "/v1/messages", expected: (.anthropic, .messages)),
    Row(method: "POST", path: "/v1/messages?beta=true", expected: (.anthropic, .messages)),
    Row(method: "POST", path: "/v1/messages/count_tokens?beta=true", expected: (.anthropic, .countTokens)),
    Row(method: "GET", path: "/v1/chat/completions"),
    Row(method: "POST", path: "/v1/models"),
    Row(method: "POST", path: "/v1/chat/completions/"),
    Row(method: "POST", path: "/V1/chat/completions"),
    Row(method: "POST", path: "/v1/chat%2Fcompletions"),
    Row(method: "POST", path: "//v1/chat/completions"),
    Row(method: "POST", path: "/v1/messages/batches"),
    Row(method: "GET", path: "/v1/models/"),
    Row(method: "GET", path: "/v1/responses/"),
    Row(method: "GET", path: "/v1/responses/a/b"),
    Row(method: "POST", path: "/v1/responses//cancel"),
    Row(method: "GET", path: "/health"),
    Row(method: "GET", path: "/"),
  ]

  @Test("every path is matched exactly", arguments: rows)
  func match(_ row: Row) throws {
    let found = try #require(
      withRequest(["\(row.method) \(row.path) HTTP/1.1", "host: a"] + row.headers) { head, bytes in
        let path = bytes[head.path.range]
        let match = SurfaceMatcher.match(
          method: head.method, path: path, headers: HeaderView(head.headers, in: bytes))
        return (match, match?.identifier.map { path[$0].string() })
      })
    #expect(found.0?.surface == row.expected?.0)
    #expect(found.0?.operation == row.expected?.1)
    #expect(found.1 == row.identifier)
  }

  @Test func methodsOfAKnownPathAreNamed() {
    let none = HeaderView.none
    #expect(withBytes("/v1/messages") { SurfaceMatcher.allowedMethods(path: $0, headers: none) } == "POST")
    #expect(withBytes("/v1/models") { SurfaceMatcher.allowedMethods(path: $0, headers: none) } == "GET")
    #expect(withBytes("/v1/responses/x") { SurfaceMatcher.allowedMethods(path: $0, headers: none) } == "GET, DELETE")
    #expect(withBytes("/v2/models") { SurfaceMatcher.allowedMethods(path: $0, headers: none) } == nil)
  }

  @Test func whatMayStreamSaysItsModel() {
    for operation in Operation.allCases where operation.streaming != .never {
      #expect(operation.hasModelInBody != operation.hasModelInPath, "\(operation)")
    }
  }
}
