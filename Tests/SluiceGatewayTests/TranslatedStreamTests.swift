import NIOCore
import SluiceDialects
import SluiceGateway
import SluicePolicy
import Testing

/// A stream that is turned into another protocol ends for its client as it ended at the provider, or in an error.
@Suite("Translated streams", .mustEnd)
struct TranslatedStreamTests {
  private static let start =
    "event: message_start\ndata: "
    + #"{"type":"message_start","message":{"id":"msg_1","model":"claude-x","usage":{"input_tokens":3}}}"# + "\n\n"
  private static let stop = "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"

  private static func text(_ text: String) -> String {
    "event: content_block_delta\ndata: "
      + #"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"\#(text)"}}"# + "\n\n"
  }

  /// What a client of the OpenAI surface gets when the provider's stream consists of these pieces.
  private func stream(_ pieces: [String], endsProperly: Bool = true) async throws -> (body: String, broken: UInt64) {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let gateway = try await TestGateway.start([.init(name: "anthropic", dialect: .anthropic, ports: [upstream.port])])
    let client = try await gateway.connect()
    try await client.send(Requests.chat(model: "claude-x", stream: true))
    let provider = try await upstream.connection()
    _ = await provider.readRequest()
    let chunks = pieces.map { String($0.utf8.count, radix: 16) + "\r\n" + $0 + "\r\n" }
    try await provider.send(RawSocket.streamHead + chunks.joined() + (endsProperly ? "0\r\n\r\n" : ""))
    let body = await client.readAnswer().body
    let metrics = try await gateway.metrics { $0.total.requests == 1 }
    // The client's connection lives on.
    try await client.send(Requests.get("/nowhere"))
    #expect(await client.readAnswer().status == 404)
    await gateway.stop()
    try await upstream.stop()
    return (body, UInt64(metrics.total.streamsBroken))
  }

  @Test("A whole stream ends with the client's own end mark")
  func whole() async throws {
    let (body, broken) = try await stream([Self.start, Self.text("a"), Self.stop])
    #expect(body.contains(#""content":"a""#))
    #expect(body.hasSuffix(Requests.done))
    #expect(broken == 0)
  }

  @Test("An event that is no JSON ends the stream in an error event, whatever follows it", arguments: [true, false])
  func unreadableEvent(goesOn: Bool) async throws {
    let half = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"inde\n\n"
    let rest = goesOn ? [Self.text("b"), Self.stop] : []
    let (body, broken) = try await stream([Self.start, Self.text("a"), half] + rest, endsProperly: goesOn)
    #expect(body.contains(#""content":"a""#))
    #expect(!body.contains(#""content":"b""#))
    #expect(body.contains("upstream_protocol_error"))
    #expect(!body.contains("[DONE]"))
    #expect(!body.contains("<cut>"))
    #expect(broken == 1)
  }

  @Test("An end mark that cannot be read is no end")
  func unreadableEnd() async throws {
    let (body, broken) = try await stream([Self.start, Self.text("a"), "event: message_stop\ndata: {\"type\"\n\n"])
    #expect(body.contains("upstream_protocol_error"))
    #expect(!body.contains("[DONE]"))
    #expect(broken == 1)
  }
}
