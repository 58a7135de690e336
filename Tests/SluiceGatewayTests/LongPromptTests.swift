import NIOCore
import SluiceDialects
import SluiceGateway
import SluiceHTTP
import SluicePolicy
import SluiceRuntime
import Testing

@Suite("Long prompts", .mustEnd)
struct LongPromptTests {
  /// About a million tokens.
  private static let text = String(repeating: "all work and no play ", count: 200_000)

  @Test("A body of megabytes passes whole, with the model renamed behind the prompt")
  func largeBodies() async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let gateway = try await TestGateway.start(
      [.init(ports: [upstream.port])],
      routes: [
        RouteDefinition(model: "mine", targets: [RouteTarget(pool: "openai", upstreamModel: "gpt-4o-mini-2024-07-18")])
      ])
    let client = try await gateway.connect()
    let start = #"{"messages":[{"role":"user","content":"\#(Self.text)"}],"model":"#
    client.post(Requests.post("/v1/chat/completions", start + #""mine"}"#))
    let provider = try await upstream.connection()
    let seen = await provider.readRequest()
    #expect(seen.body.utf8.elementsEqual((start + #""gpt-4o-mini-2024-07-18"}"#).utf8))
    try await provider.answer(Requests.answer)
    #expect(await client.readAnswer().status == 200)
    await gateway.stop()
    try await upstream.stop()
  }

  @Test(
    "The bytes that go upstream are those that the client sent, not a copy of them",
    arguments: [0, 100, 2_000_000, 4_000_000 - 4])
  func largeBodiesAreNotCopied(modelAt: Int) {
    let body = ByteBuffer(repeating: 0x20, count: 4_000_000)
    var head = ByteBuffer(string: "head")
    let splice = BodySplice(range: ByteRange(start: modelAt, count: 4), replacement: Array("\"other\"".utf8))
    let request = UpstreamBody.attach(body, splice, to: &head)
    let pieces = [request.head] + [request.body].compactMap(\.self) + request.moreBody
    let large = pieces.filter { $0.readableBytes > UpstreamBody.inline }
    #expect(large.count == (modelAt == 2_000_000 ? 2 : 1))
    for piece in large { #expect(Self.isPart(piece, of: body)) }
    let whole = pieces.reduce(into: [UInt8]()) { $0 += $1.readableBytesView }
    #expect(Array(whole.dropFirst(4)) == body.withUnsafeReadableBytes { splice.applied(to: $0) })
  }

  private static func isPart(_ piece: ByteBuffer, of whole: ByteBuffer) -> Bool {
    piece.withUnsafeReadableBytes { piece in
      whole.withUnsafeReadableBytes { whole in
        guard let first = piece.baseAddress, let start = whole.baseAddress else { return false }
        return first >= start && first + piece.count <= start + whole.count
      }
    }
  }

  @Test("A prompt goes to the model that it fits")
  func routesBySize() async throws {
    let upstreams = try await [RawUpstream.start(on: TestGateway.group), RawUpstream.start(on: TestGateway.group)]
    let catalogue = try ModelCatalogue(
      json: Array(
        #"{"small": {"litellm_provider": "openai", "mode": "chat", "max_input_tokens": 1000}, "large": {"litellm_provider": "openai", "mode": "chat", "max_input_tokens": 4000000}}"#
          .utf8))
    let gateway = try await TestGateway.start(
      [.init(name: "a", ports: [upstreams[0].port]), .init(name: "b", ports: [upstreams[1].port])],
      routes: [
        RouteDefinition(
          model: "any",
          targets: [RouteTarget(pool: "a", upstreamModel: "small"), RouteTarget(pool: "b", upstreamModel: "large")])
      ], catalogue: catalogue)
    for (prompt, upstream, model) in [("hello", upstreams[0], "small"), (Self.text, upstreams[1], "large")] {
      let client = try await gateway.connect()
      client.post(
        Requests.post(
          "/v1/chat/completions", #"{"model":"any","messages":[{"role":"user","content":"\#(prompt)"}]}"#))
      let provider = try await upstream.connection()
      #expect(await provider.readRequest().body.hasPrefix(#"{"model":"\#(model)""#))
      try await provider.answer(Requests.answer)
      #expect(await client.readAnswer().status == 200)
      client.close()
    }
    await gateway.stop()
    for upstream in upstreams { try await upstream.stop() }
  }

  /// One stream that has begun without a token; the rest is the test's.
  private static func stream(
    _ gateway: TestGateway, _ upstream: RawUpstream, prompt: String
  ) async throws -> (client: RawSocket, provider: RawSocket) {
    let client = try await gateway.connect()
    client.post(
      Requests.post(
        "/v1/chat/completions",
        #"{"model":"gpt-4o-mini","stream":true,"messages":[{"role":"user","content":"\#(prompt)"}]}"#))
    let provider = try await upstream.connection()
    _ = await provider.readRequest()
    try await provider.send(RawSocket.streamHead)
    try await provider.sendChunk(Requests.opening)
    _ = await client.read(until: "\r\n\r\n")
    #expect(await client.readChunk() == Requests.opening)
    return (client, provider)
  }

  @Test("A stream's first token may take the longer the longer the prompt is")
  func theClockGrowsWithThePrompt() async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let clock = HeldClock()
    var limits = GatewayLimits.unhurried
    // Brings the gateway to look at its clocks.
    limits.keepaliveComment = .milliseconds(5)
    let gateway = try await TestGateway.start([.init(ports: [upstream.port])], limits: limits, clock: clock)
    let short = try await Self.stream(gateway, upstream, prompt: "hello")
    let long = try await Self.stream(gateway, upstream, prompt: Self.text)
    clock.advance(by: .seconds(119))
    #expect(await short.client.readChunk() == ": keepalive\n\n")
    #expect(await long.client.readChunk() == ": keepalive\n\n")
    clock.advance(by: .seconds(2))
    #expect(await short.client.readChunks().contains("timeout_first_token"))
    #expect(await long.client.readChunk() == ": keepalive\n\n")
    // 4.2 MB are taken for 1,050,000 tokens.
    clock.advance(by: .seconds(1_000))
    #expect(await long.client.readChunk() == ": keepalive\n\n")
    clock.advance(by: .seconds(60))
    #expect(await long.client.readChunks().contains("timeout_first_token"))
    await gateway.stop()
    try await upstream.stop()
  }

  @Test("A model that is known to be slow is given time")
  func theClockIsLearned() async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let clock = HeldClock()
    var limits = GatewayLimits.unhurried
    limits.keepaliveComment = .milliseconds(5)
    // One event loop, since each learns for itself.
    let gateway = try await TestGateway.start(
      [.init(ports: [upstream.port])], limits: limits, clock: clock, ownLoops: 1)
    for _ in 0..<AnswerClocks.minimumAnswers {
      let (client, provider) = try await Self.stream(gateway, upstream, prompt: "hello")
      clock.advance(by: .seconds(100))
      try await provider.sendChunk(Requests.chunk("hi") + Requests.chunk("", finish: true) + Requests.done)
      try await provider.endChunks()
      #expect(await client.readChunks().hasSuffix(Requests.done))
      client.close()
      provider.close()
    }
    let (client, provider) = try await Self.stream(gateway, upstream, prompt: "hello")
    clock.advance(by: .seconds(290))
    #expect(await client.readChunk() == ": keepalive\n\n")
    clock.advance(by: .seconds(100))
    #expect(await client.readChunks().contains("timeout_first_token"))
    provider.close()
    await gateway.stop()
    try await upstream.stop()
  }
}
