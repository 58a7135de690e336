import SluiceDialects
import NIOCore
import SluiceSimulator
import Testing

/// HTTP itself, bounds, cancellation, back-pressure, start and stop.
@Suite struct ServerTests {
  private func request(_ extra: String = "", headers: [String] = []) -> String {
    Harness.request(
      "POST", "/v1/chat/completions", body: Harness.chatBody(extra: extra), headers: [Harness.openAIKey] + headers)
  }

  @Test func theSameSeedGivesTheSameAnswers() async throws {
    func answers(_ seed: UInt64) async throws -> [String] {
      try await Harness.with(SimulatorOptions(seed: seed, clock: .manual(startingAt: 0))) { simulator in
        let tools = try await simulator.openAI(
          "/v1/chat/completions", try Fixture.text("openai/chat-tools.request.json"))
        let said = try await simulator.chat().json["choices"]?.array?.first?["message"]?["content"]?.string
        return [
          try #require(said), try await simulator.chat().text, try await simulator.chat("Something else").text,
          tools.text,
          try await simulator.messages().text, try await simulator.messages(extra: ",\"stream\":true").text,
        ]
      }
    }
    let first = try await answers(1)
    #expect(try await answers(1) == first)
    let other = try await answers(2)
    let equal = zip(first, other).filter { $0 == $1 }
    #expect(equal.isEmpty)
    #expect(first[1] != first[2])
  }

  @Test func connectionsAreKeptAndRequestsMayBePipelined() async throws {
    try await Harness.with { simulator in
      let client = try await RawClient.connect(simulator.address)
      let three = (0..<3).map {
        Harness.request(
          "POST", "/v1/chat/completions", body: Harness.chatBody("question \($0)"), headers: [Harness.openAIKey])
      }
      try await client.send(three.joined())
      let seen = try await client.read { transcript in
        var rest = transcript.bytes
        for _ in 0..<3 {
          guard let reply = HTTPReply(rest) else { return false }
          rest.removeFirst(reply.consumed)
        }
        return true
      }
      var rest = seen.bytes
      for index in 0..<3 {
        let reply = try #require(HTTPReply(rest))
        #expect(reply.text.contains("question \(index)"))
        rest.removeFirst(reply.consumed)
      }
      let stats = await simulator.server.stats()
      #expect(stats.connections.opened == 1 && stats.requests.total == 3 && stats.requests.peak == 1)
      await client.close()
    }
  }

  @Test func manyPipelinedRequestsAreAllAnswered() async throws {
    try await Harness.with { simulator in
      let client = try await RawClient.connect(simulator.address)
      let count = 500
      try await client.send(String(repeating: request(",\"max_tokens\":1"), count: count))
      let stats = try await simulator.stats { $0.requests.completed == count }
      #expect(stats.requests.completed == count)
      await client.close()
    }
  }

  @Test func chunkedRequestsAndSplitBytes() async throws {
    try await Harness.with { simulator in
      let client = try await RawClient.connect(simulator.address)
      let body = Harness.chatBody()
      let text =
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n\(Harness.openAIKey)\r\ntransfer-encoding: chunked\r\n\r\n"
        + String(body.utf8.count - 10, radix: 16) + "\r\n\(body.dropLast(10))\r\na\r\n\(body.suffix(10))\r\n0\r\n\r\n"
      for byte in Array(text.utf8) { try await client.send([byte]) }
      let seen = try await client.read { HTTPReply($0.bytes) != nil }
      #expect(HTTPReply(seen.bytes)?.status == 200)
      await client.close()
    }
  }

  @Test func oldClientsGetAnEndInsteadOfChunks() async throws {
    try await Harness.with { simulator in
      let client = try await RawClient.connect(simulator.address)
      try await client.send(request(",\"stream\":true").replacing("HTTP/1.1", with: "HTTP/1.0"))
      let seen = try await client.read { $0.hasEnded }
      let reply = try #require(HTTPReply(seen.bytes, isEnded: true))
      #expect(reply["transfer-encoding"] == nil && reply["connection"] == "close")
      #expect(reply.events.last?.data == "[DONE]")
    }
  }

  @Test func closeIsHonoured() async throws {
    try await Harness.with { simulator in
      let client = try await RawClient.connect(simulator.address)
      try await client.send(request(headers: ["connection: close"]))
      let seen = try await client.read { $0.hasEnded }
      #expect(HTTPReply(seen.bytes)?["connection"] == "close")
    }
  }

  @Test func expectContinue() async throws {
    try await Harness.with { simulator in
      let client = try await RawClient.connect(simulator.address)
      let parts = request(headers: ["expect: 100-continue"]).split(separator: "\r\n\r\n", maxSplits: 1)
      try await client.send(parts[0] + "\r\n\r\n")
      let seen = try await client.read { $0.text.hasSuffix("\r\n\r\n") }
      #expect(seen.text == "HTTP/1.1 100 Continue\r\n\r\n")
      try await client.reset()
      try await client.send(String(parts[1]))
      let answer = try await client.read { HTTPReply($0.bytes) != nil }
      #expect(HTTPReply(answer.bytes)?.status == 200)
      await client.close()
    }
  }

  @Test func bodiesAreBounded() async throws {
    try await Harness.with(SimulatorOptions(maxBodyBytes: 1_000)) { simulator in
      let long = String(repeating: "x", count: 1_000)
      // Known from the length alone, before the body is sent.
      let client = try await RawClient.connect(simulator.address)
      try await client.send(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n\(Harness.openAIKey)\r\ncontent-length: 1001\r\n\r\n")
      let seen = try await client.read { $0.hasEnded }
      #expect(HTTPReply(seen.bytes)?.status == 413)
      await client.close()
      let chunked = try await RawClient.connect(simulator.address)
      try await chunked.send(
        "POST /v1/messages HTTP/1.1\r\nhost: x\r\nx-api-key: k\r\nanthropic-version: 2023-06-01\r\n"
          + "transfer-encoding: chunked\r\n\r\n3e8\r\n\(long)\r\n3e8\r\n\(long)\r\n0\r\n\r\n")
      let other = try await chunked.read { $0.hasEnded }
      let reply = try #require(HTTPReply(other.bytes))
      #expect(reply.status == 413 && reply.json["error"]?["type"]?.string == "request_too_large")
      await chunked.close()
      #expect(try await simulator.chat().status == 200)
    }
  }

  @Test func malformedRequests() async throws {
    try await Harness.with { simulator in
      let client = try await RawClient.connect(simulator.address)
      try await client.send("this is not HTTP\r\n\r\n")
      let seen = try await client.read { $0.hasEnded }
      #expect(HTTPReply(seen.bytes)?.status == 400)
      await client.close()
    }
  }

  @Test func connectionsAreBounded() async throws {
    try await Harness.with(SimulatorOptions(maxConnections: 2)) { simulator in
      let first = try await RawClient.connect(simulator.address)
      let second = try await RawClient.connect(simulator.address)
      _ = try await simulator.stats { $0.connections.open == 2 }
      let third = try await RawClient.connect(simulator.address)
      let refused = try await third.read { $0.hasEnded }
      #expect(refused.hasEnded && refused.bytes.isEmpty)
      let stats = await simulator.server.stats()
      #expect(stats.connections.refused == 1 && stats.connections.peak == 2)
      await first.close()
      _ = try await simulator.stats { $0.connections.open == 1 }
      #expect(try await simulator.chat().status == 200)
      await second.close()
    }
  }

  @Test func cancellationIsSeen() async throws {
    let options = SimulatorOptions(latency: .realistic, clock: .manual(startingAt: 0))
    try await Harness.with(options) { simulator in
      let early = try await RawClient.connect(simulator.address)
      try await early.send(request())
      try await simulator.untilPending(1)
      await early.close()
      let before = try await simulator.stats { $0.cancelled.beforeFirstByte == 1 }
      #expect(before.cancelled.beforeFirstByte == 1 && before.requests.concurrent == 0)
      #expect(try await simulator.server.pendingTimers() == 0)
      let late = try await RawClient.connect(simulator.address)
      try await late.send(request(",\"stream\":true"))
      try await simulator.untilPending(1)
      while await simulator.server.stats().bytesSent == 0 {
        try await simulator.server.advanceClock(by: .milliseconds(100))
      }
      await late.close()
      let stats = try await simulator.stats { $0.cancelled.midStream == 1 }
      #expect(
        stats.cancelled.midStream == 1 && stats.requests.concurrent == 0 && stats.requests.completed == 0, "\(stats)")
      #expect(try await simulator.server.pendingTimers() == 0)
    }
  }

  @Test func aSlowReaderHoldsTheStreamBack() async throws {
    try await Harness.with { simulator in
      let client = try await RawClient.connect(simulator.address, receiveBuffer: 8_192)
      try await client.setReading(false)
      let body = Harness.chatBody("[[tokens=20000]]", extra: ",\"stream\":true")
      try await client.send(
        Harness.request("POST", "/v1/chat/completions", body: body, headers: [Harness.openAIKey]))
      _ = try await simulator.stats { $0.bytesSent > 0 }
      // What is not taken is not made: the kernel's buffers and one batch bound what was produced of 6 MB.
      var sent = 0
      repeat {
        sent = await simulator.server.stats().bytesSent
        for _ in 0..<200 { await Task.yield() }
      } while await simulator.server.stats().bytesSent != sent
      #expect(sent < 4_500_000)
      #expect(await simulator.server.stats().requests.concurrent == 1)
      try await client.setReading(true)
      let seen = try await client.read { $0.endsWithLastChunk }
      #expect(HTTPReply(seen.bytes)?.events.count == 20_003)
      await client.close()
    }
  }

  @Test func stopClosesEverythingAndStartCanFollow() async throws {
    let server = SimulatorServer(SimulatorOptions(latency: .realistic, clock: .manual(startingAt: 0)))
    let address = try await server.start()
    await #expect(throws: SimulatorError.self) { _ = try await server.start() }
    let idle = try await RawClient.connect(address)
    let busy = try await RawClient.connect(address)
    try await busy.send(request(",\"stream\":true"))
    let harness = Harness(server: server, address: address)
    try await harness.untilPending(1)
    await server.stop()
    #expect(try await idle.readToEnd().hasEnded)
    #expect(try await busy.readToEnd().hasEnded)
    await #expect(throws: (any Error).self) { _ = try await RawClient.connect(address) }
    await server.stop()
    await #expect(throws: SimulatorError.self) { try await server.setFaults([]) }
    let again = try await server.start()
    #expect(try await Harness(server: server, address: again).send("GET", "/_simulator/health", nil, []).status == 200)
    await server.stop()
  }

  @Test func manyStreamsAtOnce() async throws {
    let profile = SimulatorModelProfile(
      pattern: "*", firstTokenMilliseconds: 50, firstTokenSpread: 0, tokensPerSecond: 10)
    let options = SimulatorOptions(
      latency: .realistic, profiles: [profile], answerTokens: 8, clock: .manual(startingAt: 0))
    try await Harness.with(options) { simulator in
      let count = 200
      var clients: [RawClient] = []
      for _ in 0..<count {
        let client = try await RawClient.connect(simulator.address)
        try await client.send(request(",\"stream\":true"))
        clients.append(client)
      }
      try await simulator.untilPending(count)
      try await simulator.server.advanceClock(by: .seconds(10))
      for client in clients {
        let seen = try await client.read { $0.endsWithLastChunk }
        #expect(seen.text.contains("[DONE]"))
        await client.close()
      }
      let stats = await simulator.server.stats()
      #expect(stats.requests.peak == count && stats.requests.completed == count)
      #expect(stats.connections.peak == count)
    }
  }
}
