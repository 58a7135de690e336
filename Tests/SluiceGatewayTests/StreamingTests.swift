import NIOCore
import SluiceDialects
import SluiceGateway
import SluicePolicy
import SluiceRuntime
import Testing

@Suite("Streaming", .mustEnd)
struct StreamingTests {
  @Test("Events arrive one by one, and the stream's usage is counted")
  func events() async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let gateway = try await TestGateway.start([.init(ports: [upstream.port])])
    let client = try await gateway.connect()
    try await client.send(Requests.chat(stream: true))
    let provider = try await upstream.connection()
    _ = await provider.readRequest()
    try await provider.send(RawSocket.streamHead)
    try await provider.sendChunk(Requests.chunk("a"))
    let head = await client.read(until: "\r\n\r\n")
    #expect(head.contains("200 OK"))
    #expect(head.contains("transfer-encoding: chunked"))
    #expect(await client.readChunk() == Requests.chunk("a"))
    try await provider.sendChunk(Requests.chunk("b"))
    #expect(await client.readChunk() == Requests.chunk("b"))
    try await provider.sendChunk(Requests.chunk("c", finish: true))
    try await provider.sendChunk(
      #"data: {"id":"c1","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":9,"total_tokens":12}}"# + "\n\n")
    try await provider.sendChunk(Requests.done)
    try await provider.endChunks()
    #expect(await client.readChunks().hasSuffix(Requests.done))
    let metrics = try await gateway.metrics { $0.total.requests == 1 }
    #expect(metrics.total.outputTokens == 9)
    #expect(metrics.total.streams == 1)
    #expect(metrics.total.streamsBroken == 0)
    #expect(metrics.streamsOpen == 0)
    await gateway.stop()
    try await upstream.stop()
  }

  @Test("Counts beyond all reason cost nothing that is known", arguments: [false, true])
  func absurdUsage(_ streams: Bool) async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let gateway = try await TestGateway.start([.init(ports: [upstream.port])])
    let client = try await gateway.connect()
    // gpt-4o costs just so much that both products can be represented, but not their sum.
    try await client.send(Requests.chat(model: "gpt-4o", stream: streams))
    let provider = try await upstream.connection()
    _ = await provider.readRequest()
    let usage = #""choices":[],"usage":{"prompt_tokens":3000000000000,"completion_tokens":900000000000}"#
    if streams {
      try await provider.send(RawSocket.streamHead)
      try await provider.sendChunk(Requests.chunk("a", finish: true) + "data: {\(usage)}\n\n" + Requests.done)
      try await provider.endChunks()
      _ = await client.read(until: "\r\n\r\n")
      let rest = await client.readChunks()
      #expect(rest.hasSuffix(Requests.done), "\(rest)")
    } else {
      try await provider.answer("{\(usage)}")
      #expect(await client.readAnswer().status == 200)
    }
    let metrics = try await gateway.metrics { $0.total.requests == 1 }
    #expect(metrics.total.inputTokens == 3_000_000_000_000 && metrics.total.cost == 0)
    await gateway.stop()
    try await upstream.stop()
  }

  @Test("An upstream killed inside an event: only whole events, then the stream's own error event and a proper end")
  func killedInsideEvent() async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let gateway = try await TestGateway.start([.init(ports: [upstream.port])])
    let client = try await gateway.connect()
    try await client.send(Requests.chat(stream: true))
    let provider = try await upstream.connection()
    _ = await provider.readRequest()
    try await provider.send(RawSocket.streamHead)
    try await provider.sendChunk(Requests.chunk("a") + #"data: {"half":"#)
    _ = await client.read(until: "\r\n\r\n")
    #expect(await client.readChunk() == Requests.chunk("a"))
    provider.reset()
    let rest = await client.readChunks()
    #expect(!rest.contains("half"))
    #expect(rest.hasPrefix(#"data: {"error":{"#))
    #expect(rest.contains("upstream_broke"))
    #expect(!rest.contains("<cut>"))
    #expect(!rest.contains("[DONE]"))
    let metrics = try await gateway.metrics { $0.total.requests == 1 }
    #expect(metrics.total.streamsBroken == 1)
    // The client's connection lives on.
    try await client.send(Requests.get("/nowhere"))
    #expect(await client.readAnswer().status == 404)
    await gateway.stop()
    try await upstream.stop()
  }

  @Test("A stream that ends without its end mark is announced as incomplete")
  func truncated() async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let gateway = try await TestGateway.start([.init(ports: [upstream.port])])
    let client = try await gateway.connect()
    try await client.send(Requests.chat(stream: true))
    let provider = try await upstream.connection()
    _ = await provider.readRequest()
    let chunk = Requests.chunk("a")
    try await provider.send(
      RawSocket.streamHead + String(chunk.utf8.count, radix: 16) + "\r\n" + chunk + "\r\n0\r\n\r\n")
    let body = await client.readAnswer().body
    #expect(body.hasPrefix(chunk))
    #expect(body.contains("upstream_truncated"))
    #expect(!body.contains("<cut>"))
    await gateway.stop()
    try await upstream.stop()
  }

  @Test("The client leaves mid-stream: the upstream sees the end, metrics see a cancel")
  func clientLeaves() async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let gateway = try await TestGateway.start([.init(ports: [upstream.port])])
    let client = try await gateway.connect()
    try await client.send(Requests.chat(stream: true))
    let provider = try await upstream.connection()
    _ = await provider.readRequest()
    try await provider.send(RawSocket.streamHead)
    try await provider.sendChunk(Requests.chunk("a"))
    _ = await client.read(until: "\n\n")
    client.close()
    await provider.waitForEnd()
    let metrics = try await gateway.metrics { $0.total.cancelled == 1 }
    #expect(metrics.total.requests == 1)
    #expect(metrics.streamsOpen == 0)
    await gateway.stop()
    try await upstream.stop()
  }

  @Test("The client leaves before the first byte: the upstream sees the end")
  func clientLeavesEarly() async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let gateway = try await TestGateway.start([.init(ports: [upstream.port])])
    let client = try await gateway.connect()
    try await client.send(Requests.chat())
    let provider = try await upstream.connection()
    _ = await provider.readRequest()
    client.closeOutput()
    await provider.waitForEnd()
    #expect(try await gateway.metrics { $0.total.cancelled == 1 }.total.requests == 1)
    await gateway.stop()
    try await upstream.stop()
  }

  @Test("A client that does not read stops its upstream, and gets everything in the end")
  func backPressure() async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let gateway = try await TestGateway.start([.init(ports: [upstream.port])])
    let client = try await gateway.connect(autoRead: false, receiveBuffer: 16_384)
    try await client.send(Requests.chat(stream: true))
    let provider = try await upstream.connection()
    _ = await provider.readRequest()
    try await provider.send(RawSocket.streamHead)
    let event = Requests.chunk(String(repeating: "x", count: 16_000))
    let count = 2_000
    // 32 MB cannot fit into anybody's buffers: the upstream's writes have to stall.
    var writes: [EventLoopFuture<Void>] = []
    for _ in 0..<count {
      let chunk = String(event.utf8.count, radix: 16) + "\r\n" + event + "\r\n"
      writes.append(provider.channel.writeAndFlush(ByteBuffer(string: chunk)))
    }
    #expect(try await gateway.unsentWhenSettled(provider) > 8 << 20, "nobody held the upstream back")
    try await client.channel.setOption(.autoRead, value: true).get()
    client.channel.read()
    for write in writes { try await write.get() }
    try await provider.sendChunk(Requests.chunk("", finish: true) + Requests.done)
    try await provider.endChunks()
    let body = await client.readAnswer().body
    #expect(
      body.utf8.count == event.utf8.count * count + Requests.chunk("", finish: true).utf8.count
        + Requests.done.utf8.count)
    await gateway.stop()
    try await upstream.stop()
  }

  @Test("An upstream that sends all at once and closes does not overrun a slow client")
  func fastUpstreamCloses() async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let gateway = try await TestGateway.start([.init(ports: [upstream.port])])
    let client = try await gateway.connect(autoRead: false, receiveBuffer: 16_384)
    try await client.send(Requests.chat(headers: "connection: close\r\n"))
    let provider = try await upstream.connection()
    _ = await provider.readRequest()
    let body = String(repeating: "0123456789abcdef", count: 1 << 20)
    let written: EventLoopFuture<Void> = provider.channel.writeAndFlush(
      ByteBuffer(string: "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n" + body))
    written.whenComplete { _ in provider.close() }
    try await client.channel.setOption(.autoRead, value: true).get()
    client.channel.read()
    let answer = await client.readAnswer()
    #expect(answer.body.utf8.count == body.utf8.count)
    await gateway.stop()
    try await upstream.stop()
  }

  @Test("A request behind answers that the client does not read is not begun before it reads them")
  func slowBeforeNext() async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let gateway = try await TestGateway.start([.init(ports: [upstream.port])])
    let client = try await gateway.connect(autoRead: false, receiveBuffer: 16_384)
    let (all, size) = (60, 250_000)
    try await client.send(String(repeating: Requests.chat(), count: all))
    let provider = try await upstream.connection()
    let begun = Guarded(0)
    async let serving: Void = {
      for _ in 1...all where await !provider.readRequest().head.isEmpty {
        begun.withLock { $0 += 1 }
        try await provider.answer(String(repeating: "x", count: size))
      }
    }()
    _ = try await gateway.unsentWhenSettled(client)
    #expect(begun.value < all)
    try await client.channel.setOption(.autoRead, value: true).get()
    for _ in 1...all {
      let head = await client.read(until: "\r\n\r\n")
      #expect(head.hasPrefix("HTTP/1.1 200"))
      #expect(await client.read(count: size).utf8.count == size)
    }
    try await serving
    #expect(begun.value == all)
    await gateway.stop()
    try await upstream.stop()
  }

  @Test("While the model thinks, the client gets comments, but only after the upstream's head")
  func keepaliveComment() async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    var limits = GatewayLimits.unhurried
    limits.keepaliveComment = .milliseconds(20)
    let gateway = try await TestGateway.start([.init(ports: [upstream.port])], limits: limits, clock: .system)
    let client = try await gateway.connect()
    try await client.send(Requests.chat(stream: true))
    let provider = try await upstream.connection()
    _ = await provider.readRequest()
    try await provider.send(RawSocket.streamHead)
    let head = await client.read(until: "\r\n\r\n")
    #expect(head.contains("200 OK"), "the head goes out with the first comment")
    #expect(await client.readChunk() == ": keepalive\n\n")
    #expect(await client.readChunk() == ": keepalive\n\n")
    try await provider.sendChunk(Requests.chunk("a", finish: true) + Requests.done)
    try await provider.endChunks()
    #expect(await client.readChunks().hasSuffix(Requests.done))
    await gateway.stop()
    try await upstream.stop()
  }
}
