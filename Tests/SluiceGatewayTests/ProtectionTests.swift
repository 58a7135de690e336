import NIOCore
import SluiceDialects
import SluiceGateway
import SluicePolicy
import SluiceRuntime
import Testing

@Suite("Protection", .mustEnd)
struct ProtectionTests {
  /// A gateway whose only upstream does not matter.
  private static func gateway(
    access: AccessTable = .open, limits: GatewayLimits = .unhurried, settings: GatewaySettings? = nil,
    models: Set<String> = ["gpt-4o", "gpt-4o-mini"], pools: [TestGateway.Pool] = [],
    clock: any MonotonicClock = HeldClock()
  ) async throws -> TestGateway {
    try await TestGateway.start(
      pools.isEmpty ? [.init(ports: [1], models: models, settle: { $0.connections.failFastAfter = 1 })] : pools,
      access: access, limits: limits, settings: settings,
      clock: clock)
  }

  @Test(
    "What two readers could understand differently is refused, and the connection ends",
    arguments: [
      (
        "POST /v1/responses HTTP/1.1\r\nhost: localhost\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n", 400
      ),
      ("POST /v1/responses HTTP/1.1\r\nhost: localhost\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\n", 400),
      ("POST /v1/responses HTTP/1.1\r\nhost: localhost\r\ncontent-length: +3\r\n\r\n", 400),
      ("POST /v1/responses HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked, identity\r\n\r\n", 400),
      ("POST /v1/responses HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding : chunked\r\n\r\n", 400),
      ("GET /v1/models HTTP/1.1\r\nhost: localhost\r\n folded: x\r\n\r\n", 400),
      ("GET /v1/models HTTP/1.1\r\nhost: localhost\nx: y\r\n\r\n", 400),
      ("GET /v1/models HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n", 400),
      ("GET /v1/models HTTP/1.1\r\n\r\n", 400),
      ("GET /v1/models HTTP/2.0\r\nhost: localhost\r\n\r\n", 505),
      ("CONNECT example.org:443 HTTP/1.1\r\nhost: example.org\r\n\r\n", 501),
      ("\u{16}\u{03}\u{01}\u{02}", 400),
    ])
  func smuggling(request: String, status: Int) async throws {
    let gateway = try await Self.gateway()
    let client = try await gateway.connect()
    // A second request behind it must never be looked at.
    try await client.send(request + "GET /v1/models HTTP/1.1\r\nhost: localhost\r\n\r\n")
    let answer = await client.readAnswer()
    #expect(answer.status == status)
    #expect(answer.header("connection") == "close")
    #expect(await client.readToEnd() == "")
    await gateway.stop()
  }

  @Test("A bad chunk inside a body is refused, and the connection ends")
  func badChunk() async throws {
    let gateway = try await Self.gateway()
    let client = try await gateway.connect()
    try await client.send(
      "POST /v1/responses HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
        + "transfer-encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n")
    #expect(await client.readAnswer().status == 400)
    #expect(await client.readToEnd() == "")
    await gateway.stop()
  }

  @Test("Heads and targets are bounded")
  func oversizedHead() async throws {
    let gateway = try await Self.gateway()
    let client = try await gateway.connect()
    let field = "x-long: " + String(repeating: "a", count: 2_000) + "\r\n"
    client.post("GET /v1/models HTTP/1.1\r\nhost: localhost\r\n" + String(repeating: field, count: 60))
    #expect(await client.readAnswer().status == 431)
    let other = try await gateway.connect()
    other.post("GET /v1/" + String(repeating: "a", count: 40_000) + " HTTP/1.1\r\nhost: localhost\r\n\r\n")
    #expect(await other.readAnswer().status == 414)
    await gateway.stop()
  }

  @Test("Bodies are bounded, announced or not")
  func oversizedBody() async throws {
    var limits = GatewayLimits.unhurried
    limits.maxRequestBody = 10_000
    let gateway = try await Self.gateway(limits: limits)
    let announced = try await gateway.connect()
    try await announced.send(
      "POST /v1/responses HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 10001\r\n\r\n"
    )
    #expect(await announced.readAnswer().status == 413)
    await announced.waitForEnd()
    let chunked = try await gateway.connect()
    let chunk = "1000\r\n" + String(repeating: "a", count: 4_096) + "\r\n"
    chunked.post(
      "POST /v1/responses HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
        + "transfer-encoding: chunked\r\n\r\n" + chunk + chunk + chunk)
    #expect(await chunked.readAnswer().status == 413)
    await gateway.stop()
  }

  @Test("Bodies of all clients together are bounded")
  func bufferedBodies() async throws {
    let settings = GatewaySettings(listen: [.tcp(host: "127.0.0.1", port: 0)], maxBuffered: 1 << 20)
    let gateway = try await Self.gateway(settings: settings)
    let first = try await gateway.connect()
    let half = String(repeating: "a", count: 700_000)
    let head =
      "POST /v1/responses HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 900000\r\n\r\n"
    try await first.send(head + half)
    let second = try await gateway.connect()
    second.post(head + half)
    // Whichever comes second finds too little left.
    let status = await withTaskGroup(of: Int.self) { group in
      for client in [first, second] { group.addTask { await client.readAnswer().status } }
      let status = await group.next() ?? 0
      first.close()
      second.close()
      return status
    }
    #expect(status == 503)
    await gateway.stop()
  }

  @Test("A client that is too slow gets a 408", arguments: ["GET /v1/mod", Requests.chat().dropLastBytes(3)])
  func slowClient(part: String) async throws {
    var limits = GatewayLimits.unhurried
    limits.headTimeout = .milliseconds(50)
    limits.bodyTimeout = .milliseconds(60)
    let gateway = try await Self.gateway(limits: limits, clock: .system)
    let client = try await gateway.connect()
    try await client.send(part)
    #expect(await client.readAnswer().status == 408)
    await client.waitForEnd()
    await gateway.stop()
  }

  @Test("Requests behind an unanswered one are taken only so far")
  func pipelinedBound() async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let gateway = try await Self.gateway(pools: [.init(ports: [upstream.port])])
    let client = try await gateway.connect()
    try await client.send(Requests.chat())
    let provider = try await upstream.connection()
    _ = await provider.readRequest()
    let further = String(repeating: Requests.get("/nowhere"), count: 400_000)
    let written: EventLoopFuture<Void> = client.channel.writeAndFlush(ByteBuffer(string: further))
    #expect(try await gateway.unsentWhenSettled(client) > 4 << 20)
    client.close()
    await #expect(throws: (any Error).self) { try await written.get() }
    await gateway.stop()
    try await upstream.stop()
  }

  @Test("An idle connection is closed without a word")
  func idleClient() async throws {
    var limits = GatewayLimits.unhurried
    limits.idleTimeout = .milliseconds(30)
    let gateway = try await Self.gateway(limits: limits, clock: .system)
    let client = try await gateway.connect()
    #expect(await client.readToEnd() == "")
    await gateway.stop()
  }

  @Test("Connections are bounded")
  func connections() async throws {
    let settings = GatewaySettings(listen: [.tcp(host: "127.0.0.1", port: 0)], maxConnections: 2)
    let gateway = try await Self.gateway(settings: settings)
    var kept: [RawSocket] = []
    for _ in 1...2 {
      let client = try await gateway.connect()
      try await client.send(Requests.get("/nowhere"))
      #expect(await client.readAnswer().status == 404)
      kept.append(client)
    }
    let third = try await gateway.connect()
    let refusal = await third.readToEnd()
    #expect(refusal.hasPrefix("HTTP/1.1 503"))
    #expect(refusal.contains("\r\ndate: "))
    kept[0].close()
    _ = try await gateway.metrics { $0.connectionsOpen == 1 }
    let fourth = try await gateway.connect()
    try await fourth.send(Requests.get("/nowhere"))
    #expect(await fourth.readAnswer().status == 404)
    await gateway.stop()
  }

  @Test("An unknown model is a 404 that offers the nearest names, in the client's shape")
  func unknownModel() async throws {
    let gateway = try await Self.gateway(pools: [
      .init(ports: [1], models: ["gpt-4o", "gpt-4o-mini"]), .init(name: "other", ports: [1], models: ["gpt-5"]),
      .init(name: "claude", dialect: .anthropic, ports: [1], models: ["claude-sonnet-5-5"]),
      .init(name: "claude2", dialect: .anthropic, ports: [1], models: ["claude-opus-5-5"]),
    ])
    let client = try await gateway.connect()
    try await client.send(Requests.chat(model: "gpt-4o-mni"))
    let answer = await client.readAnswer()
    #expect(answer.status == 404)
    #expect(answer.body.contains("gpt-4o-mini"))
    #expect(answer.body.contains(#""code":"model_not_found""#))
    try await client.send(Requests.post("/v1/messages", #"{"model":"claude-sonet-5-5"}"#))
    let other = await client.readAnswer()
    #expect(other.body.hasPrefix(#"{"type":"error""#))
    #expect(other.body.contains("claude-sonnet-5-5"))
    await gateway.stop()
  }

  @Test(
    "Bodies have to make sense before anything is sent",
    arguments: [
      (#"{"model":"a","model":"b"}"#, "duplicate_field"),
      (#"{"model":"a","stream":true,"stream":false}"#, "duplicate_field"),
      (#"{"model":"#, "invalid_json"), (#"{"messages":[]}"#, "missing_model"), (#"{"model":7}"#, "malformed_request"),
    ])
  func body(body: String, code: String) async throws {
    let gateway = try await Self.gateway()
    let client = try await gateway.connect()
    try await client.send(Requests.post("/v1/chat/completions", body))
    let answer = await client.readAnswer()
    #expect(answer.status == 400)
    #expect(answer.body.contains(code))
    // The request was read whole, so the connection goes on.
    try await client.send(Requests.get("/nowhere"))
    #expect(await client.readAnswer().status == 404)
    await gateway.stop()
  }

  @Test(
    "Being on this machine is no trust in a browser",
    arguments: [
      ("host: evil.example\r\n", 403), ("host: localhost\r\norigin: https://evil.example\r\n", 403),
      ("host: localhost\r\norigin: null\r\n", 403), ("host: localhost\r\nx-forwarded-for: 1.2.3.4\r\n", 401),
      ("host: 127.0.0.1:8080\r\norigin: http://localhost:8080\r\n", 200), ("host: LOCALHOST\r\n", 200),
      ("host: gate.example:80\r\norigin: http://gate.example\r\n", 200), ("host: Gate.Example\r\n", 200),
    ])
  func browser(headers: String, status: Int) async throws {
    let gateway = try await TestGateway.start([], hosts: ["Gate.example"])
    let client = try await gateway.connect()
    try await client.send("GET /v1/models HTTP/1.1\r\n\(headers)\r\n")
    #expect(await client.readAnswer().status == status)
    await gateway.stop()
  }

  @Test("JSON surfaces want a JSON content type", arguments: ["", "content-type: text/plain\r\n"])
  func contentType(header: String) async throws {
    let gateway = try await Self.gateway()
    let client = try await gateway.connect()
    try await client.send("POST /v1/responses HTTP/1.1\r\nhost: localhost\r\n\(header)content-length: 2\r\n\r\n{}")
    #expect(await client.readAnswer().status == 415)
    await gateway.stop()
  }

  @Test(
    "Clients of Ollama may leave the type out, as its server never asks for one; what could be a browser may not",
    arguments: [
      ("", 404), ("content-type: application/json\r\n", 404), ("content-type: text/plain\r\n", 415),
      ("origin: http://localhost\r\n", 415),
    ])
  func contentTypeForOllama(headers: String, status: Int) async throws {
    let gateway = try await TestGateway.start([])
    let client = try await gateway.connect()
    let body = #"{"model":"m","messages":[{"role":"user","content":"x"}]}"#
    try await client.send(
      "POST /api/chat HTTP/1.1\r\nhost: localhost\r\n\(headers)content-length: \(body.utf8.count)\r\n\r\n\(body)")
    #expect(await client.readAnswer().status == status)
    await gateway.stop()
  }

  @Test("Access keys: by hash, by any header the SDKs use, for their models only")
  func accessKeys() async throws {
    let key = AccessKey(name: "research", digest: KeyDigest(of: "open sesame"), models: ["gpt-*"])
    let gateway = try await Self.gateway(access: AccessTable(keys: [key]), models: ["gpt-4o", "o9"])
    let client = try await gateway.connect()
    for (headers, status) in [
      ("", 401), ("authorization: Bearer wrong\r\n", 401), ("authorization: Bearer open sesame\r\n", 200),
      ("x-api-key: open sesame\r\n", 200), ("api-key: open sesame\r\nhost: localhost\r\n", 400),
    ] {
      try await client.send(Requests.get("/v1/models", headers: headers))
      let answer = await client.readAnswer()
      #expect(answer.status == status, "\(headers)")
      if status == 200 {
        #expect(answer.body.contains("gpt-4o"))
        #expect(!answer.body.contains("o9"))
      }
    }
    let other = try await gateway.connect()
    try await other.send(Requests.chat(model: "o9", headers: "authorization: Bearer open sesame\r\n"))
    let answer = await other.readAnswer()
    #expect(answer.status == 403)
    #expect(answer.body.contains("model_not_allowed"))
    await gateway.stop()
  }

  @Test("Unknown paths and methods")
  func paths() async throws {
    let gateway = try await Self.gateway()
    let client = try await gateway.connect()
    try await client.send(Requests.get("/v1/unknown"))
    #expect(await client.readAnswer().status == 404)
    try await client.send(Requests.get("/v1/chat/completions"))
    let answer = await client.readAnswer()
    #expect(answer.status == 405)
    #expect(answer.header("allow") == "POST")
    await gateway.stop()
  }
}

extension String {
  func dropLastBytes(_ count: Int) -> String { String(decoding: utf8.dropLast(count), as: UTF8.self) }
}
