import SluiceDialects
import SluicePolicy
import Testing

/// What the official SDKs put on the wire, head by head, with the bodies of the samples.
@Suite("Captured requests")
struct CapturedRequestTests {
  struct Captured: Sendable, CustomTestStringConvertible {
    var name: String
    var value: JSONValue
    var testDescription: String { name }

    var method: String { value["method"]?.string ?? "" }
    var headers: [(name: String, value: String)] {
      (value["headers"]?.members ?? []).map { ($0.name, ($0.value.string ?? "").replacing(":PORT", with: ":8080")) }
    }

    var target: String {
      let query = (value["query"]?.members ?? []).map { "\($0.name)=\($0.value.string ?? "")" }.joined(separator: "&")
      return (value["path"]?.string ?? "") + (query.isEmpty ? "" : "?" + query)
    }

    /// The request line and headers as they stand on the wire.
    var lines: [String] {
      let host = headers.contains { $0.name == "host" } ? [] : ["host: gateway"]
      return ["\(method) \(target) HTTP/1.1"] + host + headers.map { "\($0.name): \($0.value)" }
    }
  }

  static let captured = ((try? WireSamples.json("captured-requests.json").members) ?? []).map {
    Captured(name: $0.name, value: $0.value)
  }

  struct Expected {
    var surface: Surface
    var operation: SluiceDialects.Operation
    /// Where the model stands in the path.
    var model: String?
    /// Of the body, where the name does not say it.
    var body: String?
  }

  private static let claude = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
  private static let gemini = "gemini-3.8-flash"

  /// By the beginning of the name, the longer first; nothing for what is no request to the gateway.
  private static let expected: [(String, Expected?)] = [
    ("openai.input_tokens", Expected(surface: .openai, operation: .inputTokens, body: "openai/responses.request.json")),
    ("openai.models", Expected(surface: .openai, operation: .models)),
    ("openai.", Expected(surface: .openai, operation: .chat)),
    ("azure.chat.entra", Expected(surface: .openai, operation: .chat, model: "dep1", body: "openai/chat.request.json")),
    ("azure.chat.v1", Expected(surface: .openai, operation: .chat, body: "openai/chat.request.json")),
    (
      "azure.chat",
      Expected(surface: .openai, operation: .chat, model: "my-deployment", body: "openai/chat.request.json")
    ),
    (
      "anthropic.count_tokens",
      Expected(surface: .anthropic, operation: .countTokens, body: "anthropic/count-tokens.request.json")
    ),
    ("anthropic.models", Expected(surface: .anthropic, operation: .models)),
    ("anthropic.", Expected(surface: .anthropic, operation: .messages)),
    (
      "anthropic-bedrock.invoke",
      Expected(surface: .bedrock, operation: .invoke, model: claude, body: "bedrock/invoke-anthropic.request.json")
    ),
    (
      "gemini.stream",
      Expected(surface: .gemini, operation: .streamGenerateContent, model: gemini, body: "gemini/generate.request.json")
    ),
    ("gemini.", Expected(surface: .gemini, operation: .generateContent, model: gemini)),
    ("cohere.", Expected(surface: .cohere, operation: .cohereChat)),
    ("mistral.chat-stream", Expected(surface: .openai, operation: .chat, body: "mistral/chat.request.json")),
    ("mistral.", Expected(surface: .openai, operation: .chat)),
    ("huggingface.chat", Expected(surface: .openai, operation: .chat, body: "huggingface/router-chat.request.json")),
    ("ollama.", Expected(surface: .ollama, operation: .ollamaChat)),
    (
      "bedrock.converse-stream",
      Expected(surface: .bedrock, operation: .converseStream, model: claude, body: "bedrock/converse.request.json")
    ),
    ("bedrock.converse", Expected(surface: .bedrock, operation: .converse, model: claude)),
    (
      "bedrock.invoke",
      Expected(surface: .bedrock, operation: .invoke, model: claude, body: "bedrock/invoke-anthropic.request.json")
    ),
    // The SDK asks AWS's own token service, at another host.
    ("sts.get_caller_identity", nil),
  ]

  @Test func thereAreFortyFour() { #expect(Self.captured.count == 44) }

  private func expected(_ request: Captured) throws -> Expected? {
    try #require(Self.expected.first { request.name.hasPrefix($0.0) }, "nothing is known about it").1
  }

  @Test("surface, operation and model are recognised", arguments: captured)
  func recognised(_ request: Captured) throws {
    let expected = try expected(request)
    let found = try #require(
      withRequest(request.lines) { head, bytes -> (SurfaceMatch?, String?) in
        let path = bytes[head.path.range]
        let match = SurfaceMatcher.match(method: head.method, path: path, headers: HeaderView(head.headers, in: bytes))?
          .refined(query: head.query.map { bytes[$0.range] })
        return (match, match?.identifier.map { PercentDecoding.decode(path[$0]) })
      })
    #expect(found.0?.surface == expected?.surface && found.0?.operation == expected?.operation)
    #expect(found.1 == expected?.model)
  }

  /// The body's sample: of the request's own name, or the one the table names.
  private func body(_ request: Captured, _ expected: Expected) throws -> [UInt8]? {
    if let file = expected.body { return try Fixture.bytes(file) }
    guard request.name.hasSuffix(".request.json"), let dot = request.name.firstIndex(of: ".") else { return nil }
    return try Fixture.bytes("\(request.name[..<dot])/\(request.name[request.name.index(after: dot)...])")
  }

  @Test("model and stream are read, and every provider can be asked", arguments: captured)
  func asked(_ request: Captured) throws {
    guard let expected = try expected(request), let bytes = try body(request, expected) else {
      return #expect(request.method == "GET" || request.name.hasPrefix("sts."))
    }
    let fields = try bytes.withUnsafeBytes { RequestScanner.scan($0) }.get()
    let model = try #require(expected.model ?? fields.model)
    #expect(!model.isEmpty)
    let streams = expected.operation.streams(fields.stream)
    #expect(
      streams
        == (request.name.contains("-stream") || request.target.contains("stream") && !request.name.hasPrefix("mistral"))
        || request.name.hasPrefix("mistral.chat-stream") || expected.surface == .ollama)
    guard expected.operation.task != .tokenCount else { return }
    for dialect in SampleTranslationTests.dialects where !dialect.speaks(expected.operation) {
      #expect(Translation.exists(from: expected.operation, to: dialect), "\(dialect.provider)")
      let body = try bytes.withSlice { slice in
        Result {
          try Translation(
            Translation.Source(expected.operation, body: slice, model: model, streams: streams), to: dialect,
            ChatTarget(provider: dialect.provider, model: "m", options: dialect.options), reply: WireSamples.reply
          ).body
        }
      }.get()
      #expect(try JSONReader.read(body).members?.isEmpty == false, "\(dialect.provider)")
    }
  }

  @Test("what belongs to the client and its connection stays here", arguments: captured)
  func headers(_ request: Captured) throws {
    let goOn = ["accept", "anthropic-version", "content-type", "user-agent"]
    let travelled = try #require(
      withRequest(request.lines) { head, bytes in
        (0..<head.headers.count).compactMap { index -> String? in
          let field = head.headers[index]
          return HeaderFilter.travelsUpstream(field, in: bytes) ? bytes[field.name.range].string() : nil
        }
      })
    #expect(Set(travelled).isSubset(of: goOn + request.headers.map(\.name).filter { $0.hasPrefix("x-fern-") }))
    #expect(Set(travelled).isSuperset(of: request.headers.map(\.name).filter { goOn.contains($0) }))
  }
}
