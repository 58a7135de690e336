import NIOCore
import SluiceDialects
import SluiceGateway
import SluicePolicy
import Testing

@Suite("What keeps silent streams alive", .mustEnd)
struct KeepaliveTests {
  private struct Scene {
    let upstream: RawUpstream
    let gateway: TestGateway
    let clock = HeldClock()

    init(_ dialect: ProviderDialect) async throws {
      upstream = try await RawUpstream.start(on: TestGateway.group)
      var limits = GatewayLimits.unhurried
      limits.keepaliveComment = .milliseconds(5)
      // One event loop: what it does for one connection it has done for those that came before.
      gateway = try await TestGateway.start(
        [.init(name: "p", dialect: dialect, ports: [upstream.port])], limits: limits, clock: clock, ownLoops: 1)
    }

    func stream(_ request: String, type: String) async throws -> (client: RawSocket, provider: RawSocket) {
      let client = try await gateway.connect()
      try await client.send(request)
      let provider = try await upstream.connection()
      _ = await provider.readRequest()
      try await provider.send(
        "HTTP/1.1 200 OK\r\ncontent-type: \(type)\r\ntransfer-encoding: chunked\r\n\r\n")
      try await settle()
      // Nothing has come that the client's head could go out with; now it goes alone.
      clock.advance(by: .seconds(1))
      _ = await client.read(until: "\r\n\r\n")
      return (client, provider)
    }

    /// The loop has seen all that was sent before: what arrived between two events of a third party was in its hands
    /// by the second one.
    private func settle() async throws {
      let other = try await gateway.connect()
      for _ in 1...2 {
        try await other.send(Requests.get("/nowhere"))
        _ = await other.readAnswer()
      }
      other.close()
    }

    func end() async throws {
      await gateway.stop()
      try await upstream.stop()
    }
  }

  private static let ollama = try! ProviderDialect(.local, options: ProviderOptions(["server": .text("ollama")]))
  private static let events = "text/event-stream"

  @Test("An event stream gets its protocol's own ping, passed on or translated")
  func pings() async throws {
    let ping = "event: ping\ndata: {\"type\": \"ping\"}\n\n"
    for (dialect, path, expected) in [
      (ProviderDialect.openai, "/v1/chat/completions", ": keepalive\n\n"), (.anthropic, "/v1/messages", ping),
      (.openai, "/v1/responses", ": keepalive\n\n"), (.openai, "/v2/chat", ": keepalive\n\n"),
      (try ProviderDialect(.gemini), "/pools/p/v1beta/models/m:streamGenerateContent?alt=sse", ": keepalive\n\n"),
    ] {
      let scene = try await Scene(dialect)
      let body = #"{"model":"m","stream":true,"max_tokens":9,"messages":[{"role":"user","content":"hi"}],"input":"hi"}"#
      let (client, provider) = try await scene.stream(Requests.post(path, body), type: Self.events)
      for round in 1...2 {
        if round > 1 { scene.clock.advance(by: .seconds(1)) }
        #expect(await client.readChunk() == expected, "\(path)")
      }
      provider.close()
      client.close()
      try await scene.end()
    }
  }

  @Test("Anthropic's clients of another provider get a ping once their stream has begun")
  func translatedPing() async throws {
    let scene = try await Scene(.openai)
    let body = #"{"model":"m","stream":true,"max_tokens":9,"messages":[{"role":"user","content":"hi"}]}"#
    let (client, provider) = try await scene.stream(Requests.post("/v1/messages", body), type: Self.events)
    try await provider.sendChunk(Requests.chunk("hello"))
    #expect(await client.readChunk()?.hasPrefix("event: message_start") == true)
    scene.clock.advance(by: .seconds(1))
    #expect(await client.readChunk() == "event: ping\ndata: {\"type\":\"ping\"}\n\n")
    provider.close()
    client.close()
    try await scene.end()
  }

  @Test(
    "Lines and binary messages have nothing that means nothing: none is sent",
    arguments: [
      ("/api/chat", "application/x-ndjson", "{\"done\":false}\n"),
      ("/pools/p/api/chat", "application/x-ndjson", "{\"done\":false}\n"),
      ("/pools/p/x", "application/vnd.amazon.eventstream", "binary"),
    ])
  func none(path: String, type: String, piece: String) async throws {
    let scene = try await Scene(Self.ollama)
    let body = #"{"model":"m","messages":[{"role":"user","content":"hi"}]}"#
    let silent = try await scene.stream(Requests.post(path, body), type: type)
    let chat = #"{"model":"m","stream":true,"messages":[]}"#
    let other = try await scene.stream(Requests.post("/v1/chat/completions", chat), type: Self.events)
    for round in 1...3 {
      if round > 1 { scene.clock.advance(by: .seconds(1)) }
      #expect(await other.client.readChunk() == ": keepalive\n\n")
    }
    if piece != "binary" {
      for _ in 1...2 {
        try await silent.provider.sendChunk(piece)
        #expect(await silent.client.readChunk() == piece, "passed on at once, and nothing before it")
      }
    }
    #expect(try await scene.gateway.metrics().keepaliveComments == 3)
    silent.client.close()
    other.client.close()
    try await scene.end()
  }
}
