import NIOCore
import SluiceDialects
import SluiceGateway
import SluicePolicy
import SluiceRuntime
import Testing

@Suite("Recovery", .mustEnd)
struct RecoveryTests {
  @Test("A failing answer is tried again, on another key where the key is to blame", arguments: [500, 503, 429])
  func retried(status: Int) async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let gateway = try await TestGateway.start(
      [.init(ports: [upstream.port], keys: ["first", "second"], maxConnections: 1)], clock: .system)
    let client = try await gateway.connect()
    try await client.send(Requests.chat())
    let provider = try await upstream.connection()
    let first = await provider.readRequest()
    try await provider.answer(
      #"{"error":{"message":"no","type":"x","code":"y"}}"#, status: status, headers: "retry-after-ms: 1\r\n")
    let second = await provider.readRequest()
    if status != 500 { #expect(first.header("authorization") != second.header("authorization")) }
    try await provider.answer(Requests.answer)
    let answer = await client.readAnswer()
    #expect(answer.status == 200)
    #expect(answer.header("x-sluice-attempts") == "2")
    await gateway.stop()
    try await upstream.stop()
  }

  @Test("When every try fails, the client gets the provider's own last error")
  func exhausted() async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let gateway = try await TestGateway.start([.init(ports: [upstream.port], maxConnections: 1)], clock: .system)
    let client = try await gateway.connect()
    try await client.send(Requests.chat())
    let provider = try await upstream.connection()
    for number in 1...3 {
      _ = await provider.readRequest()
      try await provider.answer(
        #"{"error":{"message":"try \#(number)","type":"server_error","code":null}}"#, status: 500)
    }
    let answer = await client.readAnswer()
    #expect(answer.status == 500)
    #expect(answer.body.contains("try 3"))
    #expect(answer.header("x-sluice-attempts") == "3")
    await gateway.stop()
    try await upstream.stop()
  }

  @Test("A kept connection that died unheard costs the client nothing")
  func replay() async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let gateway = try await TestGateway.start([.init(ports: [upstream.port])])
    let client = try await gateway.connect()
    try await client.send(Requests.chat())
    let provider = try await upstream.connection()
    _ = await provider.readRequest()
    try await provider.answer("{}")
    #expect(await client.readAnswer().status == 200)

    try await client.send(Requests.chat())
    _ = await provider.readRequest()
    provider.reset()
    let fresh = try await upstream.connection()
    _ = await fresh.readRequest()
    try await fresh.answer(Requests.answer)
    let answer = await client.readAnswer()
    #expect(answer.status == 200)
    #expect(answer.header("x-sluice-attempts") == "2")
    let metrics = try await gateway.metrics { $0.total.requests == 2 }
    #expect(metrics.total.replays == 1)
    #expect(metrics.total.retries == 0)
    await gateway.stop()
    try await upstream.stop()
  }

  @Test("A plain answer that breaks in the middle becomes another try, then a 502")
  func brokenAnswer() async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let gateway = try await TestGateway.start(
      [.init(ports: [upstream.port], exchange: .unhurried(attempts: 2), maxConnections: 1)], clock: .system)
    let client = try await gateway.connect()
    try await client.send(Requests.chat())
    for _ in 1...2 {
      let provider = try await upstream.connection()
      _ = await provider.readRequest()
      try await provider.send("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"half\"")
      provider.reset()
    }
    let answer = await client.readAnswer()
    #expect(answer.status == 502)
    #expect(answer.body.contains("upstream_broke"))
    #expect(!answer.body.contains("half"))
    #expect(answer.header("x-sluice-attempts") == "2")
    await gateway.stop()
    try await upstream.stop()
  }

  @Test("A long answer that breaks is cut without its end, and counted")
  func cutAnswer() async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let gateway = try await TestGateway.start([.init(ports: [upstream.port])])
    let client = try await gateway.connect()
    try await client.send(Requests.chat())
    let provider = try await upstream.connection()
    _ = await provider.readRequest()
    try await provider.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    try await provider.sendChunk(String(repeating: "x", count: 400_000))
    _ = await client.read(until: "\r\n\r\n")
    _ = await client.read(count: 1_000)
    provider.reset()
    let rest = await client.readToEnd()
    #expect(!rest.hasSuffix("0\r\n\r\n"))
    #expect(try await gateway.metrics { $0.total.requests == 1 }.answersCut == 1)
    await gateway.stop()
    try await upstream.stop()
  }

  @Test("Garbage instead of an answer is a 502 that says so")
  func garbage() async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let gateway = try await TestGateway.start([
      .init(ports: [upstream.port], exchange: .unhurried(attempts: 1))
    ])
    let client = try await gateway.connect()
    try await client.send(Requests.chat())
    let provider = try await upstream.connection()
    _ = await provider.readRequest()
    try await provider.send("SSH-2.0-OpenSSH\r\n")
    let answer = await client.readAnswer()
    #expect(answer.status == 502)
    #expect(answer.body.contains("upstream_protocol_error"))
    await gateway.stop()
    try await upstream.stop()
  }

  @Test("No first byte in time is a 504 that names its clock, and the upstream sees the end")
  func firstByteTimeout() async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let clock = HeldClock()
    let gateway = try await TestGateway.start(
      [.init(ports: [upstream.port], exchange: .unhurried(attempts: 1, firstByte: .milliseconds(50)))], clock: clock)
    let client = try await gateway.connect()
    try await client.send(Requests.chat())
    let provider = try await upstream.connection()
    _ = await provider.readRequest()
    clock.advance(by: .milliseconds(50))
    let answer = await client.readAnswer()
    #expect(answer.status == 504)
    #expect(answer.body.contains("timeout_first_byte"))
    await provider.waitForEnd()
    await gateway.stop()
    try await upstream.stop()
  }

  @Test("A stalled stream ends with the event of its clock")
  func betweenBytes() async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let clock = HeldClock()
    let gateway = try await TestGateway.start(
      [.init(ports: [upstream.port], exchange: .unhurried(attempts: 1, betweenBytes: .milliseconds(50)))], clock: clock)
    let client = try await gateway.connect()
    try await client.send(Requests.chat(stream: true))
    let provider = try await upstream.connection()
    _ = await provider.readRequest()
    let chunk = Requests.chunk("a")
    try await provider.send(RawSocket.streamHead + String(chunk.utf8.count, radix: 16) + "\r\n" + chunk + "\r\n")
    _ = await client.read(until: "\r\n\r\n")
    #expect(await client.readChunk() == chunk)
    clock.advance(by: .milliseconds(50))
    let body = await client.readChunks()
    #expect(body.contains("timeout_between_bytes"))
    #expect(!body.contains("<cut>"))
    await provider.waitForEnd()
    await gateway.stop()
    try await upstream.stop()
  }

  @Test("An error answer that stalls ends by the clock between bytes as well")
  func stalledRefusal() async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let clock = HeldClock()
    let gateway = try await TestGateway.start(
      [.init(ports: [upstream.port], exchange: .unhurried(attempts: 1, betweenBytes: .milliseconds(50)))], clock: clock)
    let client = try await gateway.connect()
    try await client.send(Requests.chat())
    let provider = try await upstream.connection()
    _ = await provider.readRequest()
    try await provider.send("HTTP/1.1 500 No\r\ncontent-length: 1000\r\n\r\n0123456789")
    let answered = Guarded(false)
    async let answer = client.readAnswer()
    async let time: Void = {
      // Each round gives the gateway the time to see what was sent.
      for _ in 1...50 where !answered.value {
        _ = try await gateway.unsentWhenSettled(client)
        clock.advance(by: .milliseconds(50))
      }
      if !answered.value { client.close() }
    }()
    let seen = await answer
    answered.replace(with: true)
    try await time
    #expect(seen.status == 504)
    #expect(seen.body.contains("timeout_between_bytes"))
    await gateway.stop()
    try await upstream.stop()
  }

  @Test("An earlier pool's error is shown and counted as that pool's")
  func recordedElsewhere() async throws {
    let broken = try await RawUpstream.start(on: TestGateway.group)
    let gateway = try await TestGateway.start(
      [
        .init(name: "one", ports: [broken.port], exchange: .unhurried(attempts: 1)),
        .init(name: "two", ports: [1], settle: { $0.connections.failFastAfter = 1 }),
      ],
      routes: [RouteDefinition(model: "gpt*", targets: [RouteTarget(pool: "one"), RouteTarget(pool: "two")])])
    let client = try await gateway.connect()
    try await client.send(Requests.chat())
    let provider = try await broken.connection()
    _ = await provider.readRequest()
    try await provider.answer("{}", status: 500)
    let answer = await client.readAnswer()
    #expect(answer.status == 500)
    #expect(answer.header("x-sluice-pool") == "one")
    _ = try await gateway.metrics { $0.total.requests == 1 }
    let record = try await gateway.server.metrics.recentRequests(limit: 1).first
    #expect(record?.pool == "one")
    await gateway.stop()
    try await broken.stop()
  }

  @Test("A stream without a token in time ends with the event of its clock")
  func firstToken() async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let clock = HeldClock()
    let gateway = try await TestGateway.start(
      [.init(ports: [upstream.port], exchange: .unhurried(attempts: 1, firstToken: .milliseconds(60)))], clock: clock)
    let client = try await gateway.connect()
    try await client.send(Requests.chat(stream: true))
    let provider = try await upstream.connection()
    _ = await provider.readRequest()
    try await provider.send(RawSocket.streamHead)
    try await provider.sendChunk(Requests.opening)
    _ = await client.read(until: "\r\n\r\n")
    #expect(await client.readChunk() == Requests.opening)
    clock.advance(by: .milliseconds(60))
    let body = await client.readChunks()
    #expect(body.contains("timeout_first_token"))
    #expect(!body.contains("<cut>"))
    await provider.waitForEnd()
    await gateway.stop()
    try await upstream.stop()
  }

  @Test("The client's own deadline is kept", arguments: ["50", "50ms"])
  func callerDeadline(value: String) async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let clock = HeldClock()
    let gateway = try await TestGateway.start([.init(ports: [upstream.port])], clock: clock)
    let client = try await gateway.connect()
    try await client.send(Requests.chat(headers: "x-sluice-deadline: \(value)\r\n"))
    let provider = try await upstream.connection()
    _ = await provider.readRequest()
    clock.advance(by: .milliseconds(50))
    let answer = await client.readAnswer()
    #expect(answer.status == 504)
    #expect(answer.body.contains("deadline_exceeded"))
    await provider.waitForEnd()
    await gateway.stop()
    try await upstream.stop()
  }

  @Test("A refused connection is a 502 after the tries")
  func refused() async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let port = upstream.port
    try await upstream.stop()
    let gateway = try await TestGateway.start(
      [.init(ports: [port], exchange: .unhurried(attempts: 1, acquire: .milliseconds(300)))], clock: .system)
    let client = try await gateway.connect()
    try await client.send(Requests.chat())
    let answer = await client.readAnswer()
    #expect([502, 503, 504].contains(answer.status))
    #expect(answer.header("x-sluice-attempts") == "0")
    await gateway.stop()
  }

  @Test("A route's next pool serves when the first one cannot")
  func spill() async throws {
    let broken = try await RawUpstream.start(on: TestGateway.group)
    let good = try await RawUpstream.start(on: TestGateway.group)
    let gateway = try await TestGateway.start(
      [
        .init(name: "one", ports: [broken.port], exchange: .unhurried(attempts: 1)),
        .init(name: "two", ports: [good.port]),
      ],
      routes: [RouteDefinition(model: "gpt*", targets: [RouteTarget(pool: "one"), RouteTarget(pool: "two")])])
    let client = try await gateway.connect()
    try await client.send(Requests.chat())
    let first = try await broken.connection()
    _ = await first.readRequest()
    try await first.answer("{}", status: 500)
    let second = try await good.connection()
    _ = await second.readRequest()
    try await second.answer(Requests.answer)
    let answer = await client.readAnswer()
    #expect(answer.status == 200)
    #expect(answer.header("x-sluice-pool") == "two")
    await gateway.stop()
    try await broken.stop()
    try await good.stop()
  }
}
