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
      method: "GET", path: "/v1/responses/resp_D4/input_items", expected: (.openai, .inputItems), identifier: "resp_D4"),
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
    Row(
      method: "POST", path: "/v1beta/models/gemini-2.5-flash:generateContent", expected: (.gemini, .generateContent),
      identifier: "gemini-2.5-flash"),
    Row(
      method: "POST", path: "/v1/models/gemini-2.5-flash%3AstreamGenerateContent?alt=sse",
      expected: (.gemini, .streamGenerateContent), identifier: "gemini-2.5-flash"),
    Row(
      method: "POST", path: "/v1/models/tuned/a%2Fb:countTokens", expected: (.gemini, .geminiCountTokens),
      identifier: "tuned/a%2Fb"),
    Row(
      method: "POST", path: "/v1beta/models/e:batchEmbedContents", expected: (.gemini, .batchEmbedContents),
      identifier: "e"),
    Row(method: "GET", path: "/v1beta/models", expected: (.gemini, .models)),
    Row(method: "GET", path: "/v1/models", headers: ["x-goog-api-key: k"], expected: (.gemini, .models)),
    Row(
      method: "GET", path: "/v1beta/models/gemini-2.5-pro", expected: (.gemini, .model), identifier: "gemini-2.5-pro"),
    Row(method: "POST", path: "/v1beta/models/:generateContent"),
    Row(method: "POST", path: "/v1beta/models/a:predict"),
    Row(method: "POST", path: "/v2/chat", expected: (.cohere, .cohereChat)),
    Row(method: "POST", path: "/v2/embed", expected: (.cohere, .cohereEmbed)),
    Row(method: "POST", path: "/v2/rerank", expected: (.cohere, .rerank)),
    Row(method: "POST", path: "/v2/tokenize"),
    Row(method: "POST", path: "/api/chat", expected: (.ollama, .ollamaChat)),
    Row(method: "POST", path: "/api/generate", expected: (.ollama, .ollamaGenerate)),
    Row(method: "POST", path: "/api/embed", expected: (.ollama, .ollamaEmbed)),
    Row(method: "GET", path: "/api/tags", expected: (.ollama, .ollamaTags)),
    Row(method: "GET", path: "/api/version", expected: (.ollama, .ollamaVersion)),
    Row(method: "GET", path: "/api/pools"),
    Row(
      method: "POST", path: "/model/anthropic.claude-v1%3A0/converse", expected: (.bedrock, .converse),
      identifier: "anthropic.claude-v1%3A0"),
    Row(
      method: "POST", path: "/model/m:0/converse-stream", expected: (.bedrock, .converseStream), identifier: "m:0"),
    Row(
      method: "POST", path: "/model/m/invoke-with-response-stream", expected: (.bedrock, .invokeStream),
      identifier: "m"),
    Row(method: "POST", path: "/model/m/invoke", expected: (.bedrock, .invoke), identifier: "m"),
    Row(method: "POST", path: "/model//invoke"),
    Row(
      method: "POST", path: "/openai/deployments/my-dep/chat/completions?api-version=2024-10-21",
      expected: (.openai, .chat), identifier: "my-dep"),
    Row(method: "POST", path: "/openai/v1/embeddings", expected: (.openai, .embeddings)),
    Row(method: "GET", path: "/openai/v1/responses/r1", expected: (.openai, .readResponse), identifier: "r1"),
    Row(method: "POST", path: "/openai/deployments//chat/completions"),
    Row(method: "PATCH", path: "/pools/mine/v1/files/f1", expected: (.openai, .native)),
    Row(method: "POST", path: "/pools/mine/", expected: (.openai, .native)),
    Row(method: "GET", path: "/pools/mine"),
    Row(method: "POST", path: "/v1/fim/completions", expected: (.openai, .fillInMiddle)),
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
    Row(method: "POST", path: "/v1/responses//cancel"), Row(method: "GET", path: "/v1/responses//input_items"),
    Row(method: "POST", path: "/v1/responses/resp_D4/input_items"),
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
