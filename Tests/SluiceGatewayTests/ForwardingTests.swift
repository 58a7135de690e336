import NIOCore
import SluiceDialects
import SluiceGateway
import SluicePolicy
import SluiceRuntime
import Testing

@Suite("Forwarding", .mustEnd)
struct ForwardingTests {
  @Test("A plain answer passes, with the credential replaced and the gateway's own headers added")
  func plain() async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let gateway = try await TestGateway.start([.init(ports: [upstream.port])])
    let client = try await gateway.connect()
    try await client.send(
      Requests.chat(
        headers: "authorization: Bearer client-secret\r\ncookie: a=b\r\nx-custom: kept\r\naccept-encoding: gzip\r\n"))

    let provider = try await upstream.connection()
    let seen = await provider.readRequest()
    #expect(seen.line == "POST /v1/chat/completions HTTP/1.1")
    #expect(seen.header("host") == "127.0.0.1:\(upstream.port)")
    #expect(seen.header("authorization") == "Bearer sk-first")
    #expect(seen.header("accept-encoding") == "identity")
    #expect(seen.header("x-custom") == "kept")
    #expect(seen.header("cookie") == nil)
    #expect(!seen.head.contains("client-secret"))
    #expect(seen.body.contains(#""content":"hello""#))

    try await provider.answer(
      Requests.answer, headers: "x-request-id: up-1\r\nset-cookie: x=y\r\nkeep-alive: timeout=5\r\n")
    let answer = await client.readAnswer()
    #expect(answer.status == 200)
    #expect(answer.body == Requests.answer)
    #expect(answer.header("x-request-id") == "up-1")
    #expect(answer.header("set-cookie") == nil)
    #expect(answer.header("keep-alive") == nil)
    #expect(answer.header("x-sluice-pool") == "openai")
    #expect(answer.header("x-sluice-endpoint") == "first")
    #expect(answer.header("x-sluice-attempts") == "1")
    #expect(answer.header("x-sluice-request-id")?.hasPrefix("sluice_") == true)
    let metrics = try await gateway.metrics { $0.total.requests == 1 }
    #expect(metrics.total.inputTokens == 5)
    #expect(metrics.total.outputTokens == 2)
    await gateway.stop()
    try await upstream.stop()
  }

  @Test("A connection's next request shows nothing of the one before, whatever became of that one")
  func nothingIsLeftOver() async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let gateway = try await TestGateway.start([.init(ports: [upstream.port])])
    let client = try await gateway.connect()
    try await client.send(Requests.chat(headers: "x-first: 1\r\nx-more: 2\r\nx-sluice-deadline: 30s\r\n"))
    let provider = try await upstream.connection()
    #expect(await provider.readRequest().header("x-first") == "1")
    try await provider.answer(Requests.answer, headers: "x-upstream: 1\r\nx-other: 2\r\n")
    #expect(await client.readAnswer().header("x-upstream") == "1")
    // One that the gateway answers itself, and then one that travels.
    try await client.send(Requests.post("/v1/chat/completions", "{", headers: "x-second: 1\r\n"))
    #expect(await client.readAnswer().status == 400)
    try await client.send(Requests.chat(headers: "x-third: 3\r\n"))
    let seen = await provider.readRequest()
    #expect(seen.header("x-third") == "3")
    #expect(seen.header("x-first") == nil && seen.header("x-more") == nil && seen.header("x-second") == nil)
    #expect(seen.body.contains(#""content":"hello""#))
    try await provider.answer(Requests.answer)
    let answer = await client.readAnswer()
    #expect(answer.header("x-upstream") == nil && answer.header("x-other") == nil)
    #expect(answer.body == Requests.answer)
    await gateway.stop()
    try await upstream.stop()
  }

  @Test("The phases in server-timing are all there and none is negative")
  func serverTiming() async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let gateway = try await TestGateway.start([.init(ports: [upstream.port])], clock: .system)
    let client = try await gateway.connect()
    let began = SystemClock().now()
    try await client.send(Requests.chat())
    let provider = try await upstream.connection()
    _ = await provider.readRequest()
    try await provider.answer(Requests.answer)
    let timing = try #require(await client.readAnswer().header("server-timing"))
    let phases = timing.split(separator: ",").map { $0.split(separator: ";dur=") }
    #expect(phases.map { $0[0].trimmed } == ["receive", "queue", "acquire", "connect", "upstream", "translate"])
    let sum = phases.reduce(0.0) { $0 + (Double($1[1]) ?? -1_000_000) }
    #expect(sum > 0 && sum <= (SystemClock().now() - began).seconds * 1_000)
    let record = try #require(try await gateway.server.metrics.recentRequests().first)
    let total = PhaseClock.Phase.allCases.reduce(Interval.zero) { $0 + record.phases[$1] }
    #expect(total == record.phases.total)
    #expect(abs(record.phases.total.seconds * 1000 - sum) < 0.01)
    await gateway.stop()
    try await upstream.stop()
  }

  @Test("Requests on one connection are answered in order, also when they come all at once")
  func pipelined() async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let gateway = try await TestGateway.start([.init(ports: [upstream.port])])
    let client = try await gateway.connect()
    try await client.send(
      Requests.chat(model: "one") + Requests.get("/nowhere") + Requests.chat(model: "three"))
    let provider = try await upstream.connection()
    #expect(await provider.readRequest().body.contains(#""model":"one""#))
    try await provider.answer(#"{"n":1}"#)
    #expect(await provider.readRequest().body.contains(#""model":"three""#))
    try await provider.answer(#"{"n":3}"#)
    #expect(await client.readAnswer().body == #"{"n":1}"#)
    #expect(await client.readAnswer().status == 404)
    #expect(await client.readAnswer().body == #"{"n":3}"#)
    await gateway.stop()
    try await upstream.stop()
  }

  @Test("A client that sends byte by byte is understood")
  func byteByByte() async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let gateway = try await TestGateway.start([.init(ports: [upstream.port])])
    let client = try await gateway.connect()
    for byte in Requests.chat().utf8 { try await client.send(String(UnicodeScalar(byte))) }
    let provider = try await upstream.connection()
    #expect(await provider.readRequest().body.hasPrefix(#"{"model":"gpt-4o-mini""#))
    try await provider.answer(Requests.answer)
    #expect(await client.readAnswer().body == Requests.answer)
    await gateway.stop()
    try await upstream.stop()
  }

  @Test("A chunked request body goes upstream with its length")
  func chunkedRequest() async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let gateway = try await TestGateway.start([.init(ports: [upstream.port])])
    let client = try await gateway.connect()
    try await client.send(
      "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
        + "transfer-encoding: chunked\r\nexpect: 100-continue\r\n\r\n")
    #expect(await client.read(until: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
    try await client.send("8\r\n{\"model\"\r\n6\r\n:\"gpt\"\r\n1\r\n}\r\n0\r\n\r\n")
    let provider = try await upstream.connection()
    let seen = await provider.readRequest()
    #expect(seen.body == #"{"model":"gpt"}"#)
    #expect(seen.header("transfer-encoding") == nil)
    #expect(seen.header("expect") == nil)
    try await provider.answer("{}")
    #expect(await client.readAnswer().status == 200)
    await gateway.stop()
    try await upstream.stop()
  }

  @Test("An HTTP/1.0 client gets the answer without chunks, then the end of the connection")
  func oldClient() async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let gateway = try await TestGateway.start([.init(ports: [upstream.port])])
    let client = try await gateway.connect()
    try await client.send(Requests.chat(stream: true).replacing("HTTP/1.1", with: "HTTP/1.0"))
    let provider = try await upstream.connection()
    _ = await provider.readRequest()
    try await provider.send(RawSocket.streamHead)
    try await provider.sendChunk(Requests.chunk("a", finish: true))
    try await provider.sendChunk(Requests.done)
    try await provider.endChunks()
    let answer = await client.readToEnd()
    #expect(!answer.lowercased().contains("transfer-encoding"))
    #expect(answer.contains("connection: close"))
    #expect(answer.hasSuffix("\r\n\r\n" + Requests.chunk("a", finish: true) + Requests.done))
    await gateway.stop()
    try await upstream.stop()
  }

  @Test("A route may rename the model; every other byte of the body stays")
  func renamed() async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let gateway = try await TestGateway.start(
      [.init(ports: [upstream.port])],
      routes: [
        RouteDefinition(model: "fast", targets: [RouteTarget(pool: "openai", upstreamModel: "gpt-4o-mini")])
      ])
    let client = try await gateway.connect()
    try await client.send(Requests.post("/v1/chat/completions", #"{ "n": 1.0, "model" : "fast", "x":[1] }"#))
    let provider = try await upstream.connection()
    #expect(await provider.readRequest().body == #"{ "n": 1.0, "model" : "gpt-4o-mini", "x":[1] }"#)
    try await provider.answer("{}")
    #expect(await client.readAnswer().status == 200)
    await gateway.stop()
    try await upstream.stop()
  }

  @Test("An answer too long to hold is passed on as it comes", arguments: [true, false])
  func longAnswer(chunked: Bool) async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let gateway = try await TestGateway.start([.init(ports: [upstream.port])])
    let client = try await gateway.connect()
    try await client.send(Requests.chat())
    let provider = try await upstream.connection()
    _ = await provider.readRequest()
    let text = String(repeating: "0123456789abcdef", count: 40_000)
    let body = #"{"text":"\#(text)","usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}}"#
    if chunked {
      try await provider.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
      var rest = Substring(body)
      while !rest.isEmpty {
        try await provider.sendChunk(String(rest.prefix(10_000)))
        rest = rest.dropFirst(10_000)
      }
      try await provider.endChunks()
    } else {
      try await provider.answer(body)
    }
    let answer = await client.readAnswer()
    #expect(answer.body.utf8.count == body.utf8.count)
    #expect(answer.body == body)
    let total = try await gateway.metrics { $0.total.requests == 1 }.total
    #expect(total.inputTokens == 5 && total.outputTokens == 2)
    await gateway.stop()
    try await upstream.stop()
  }

  @Test("The Anthropic surface reaches an Anthropic pool with its version and key")
  func anthropic() async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let gateway = try await TestGateway.start([
      .init(name: "anthropic", dialect: .anthropic, ports: [upstream.port])
    ])
    let client = try await gateway.connect()
    try await client.send(
      Requests.post(
        "/v1/messages", #"{"model":"claude-x","max_tokens":5,"messages":[]}"#,
        headers: "anthropic-version: 2023-06-01\r\nx-api-key: mine\r\n"))
    let provider = try await upstream.connection()
    let seen = await provider.readRequest()
    #expect(seen.line == "POST /v1/messages HTTP/1.1")
    #expect(seen.header("anthropic-version") == "2023-06-01")
    #expect(seen.head.contains("sk-first"))
    #expect(!seen.head.contains("mine"))
    try await provider.answer(#"{"type":"error","error":{"type":"invalid_request_error","message":"no"}}"#, status: 400)
    let answer = await client.readAnswer()
    #expect(answer.status == 400)
    #expect(answer.body.contains("invalid_request_error"))
    await gateway.stop()
    try await upstream.stop()
  }
}
