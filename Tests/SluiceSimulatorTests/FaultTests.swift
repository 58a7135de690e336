import SluiceDialects
import NIOCore
import SluiceSimulator
import Testing

extension Transcript {
  fileprivate var eventCount: Int {
    text.split(separator: "data: ", omittingEmptySubsequences: false).count - 1
  }
}

/// Every scripted fault, seen by a client that looks at bytes.
@Suite struct FaultTests {
  private func request(_ extra: String = "", stream: Bool = false) -> String {
    Harness.request(
      "POST", "/v1/chat/completions",
      body: Harness.chatBody(extra: stream ? ",\"stream\":true" + extra : extra), headers: [Harness.openAIKey])
  }

  /// Sends one request under a fault and waits for the end of the connection.
  private func seen(
    _ kind: SimulatorFault.Kind, stream: Bool = false, until: @escaping @Sendable (Transcript) -> Bool = { $0.hasEnded }
  ) async throws -> (Transcript, SimulatorStats) {
    try await Harness.with { simulator in
      try await simulator.server.setFaults([SimulatorFault(kind)])
      let client = try await RawClient.connect(simulator.address)
      try await client.send(request(stream: stream))
      let transcript = try await client.read(until: until)
      let stats = try await simulator.stats { $0.faultHits[kind.label] ?? 0 > 0 }
      await client.close()
      return (transcript, stats)
    }
  }

  @Test func refuseAtAccept() async throws {
    try await Harness.with { simulator in
      try await simulator.server.setFaults([SimulatorFault(.refuse(.accept), count: 1)])
      // The reset may come before the client has noticed that it was connected.
      if let client = try? await RawClient.connect(simulator.address) {
        let seen = try await client.read { $0.isClosed }
        #expect(seen.isClosed && seen.bytes.isEmpty)
      }
      #expect(try await simulator.chat().status == 200)
      #expect(await simulator.server.stats().faultHits == ["refuse": 1])
    }
  }

  @Test func refuseByClosingTheListener() async throws {
    try await Harness.with { simulator in
      let kept = try await RawClient.connect(simulator.address)
      #expect(try await simulator.exchange(kept, request())?.status == 200)
      try await simulator.server.setFaults([SimulatorFault(.refuse(.listener), duration: .seconds(5))])
      await #expect(throws: (any Error).self) { _ = try await RawClient.connect(simulator.address) }
      #expect(try await simulator.exchange(kept, request())?.status == 200)
      try await simulator.server.advanceClock(by: .seconds(5))
      _ = try await simulator.stats { _ in true }
      // The listener comes back on the port it had.
      var client: RawClient?
      let limit = Patience.end
      while client == nil, ContinuousClock.now < limit { client = try? await RawClient.connect(simulator.address) }
      #expect(try await simulator.exchange(try #require(client), request())?.status == 200)
    }
  }

  @Test func hangAfterTheRequest() async throws {
    try await Harness.with { simulator in
      try await simulator.server.setFaults([SimulatorFault(.hang(.request), count: 1)])
      let client = try await RawClient.connect(simulator.address)
      try await client.send(request())
      let hung = try await simulator.stats { $0.requests.concurrent == 1 }
      #expect(hung.requests.concurrent == 1 && hung.bytesSent == 0)
      await client.close()
      let stats = try await simulator.stats { $0.cancelled.beforeFirstByte == 1 }
      #expect(stats.cancelled.beforeFirstByte == 1 && stats.requests.concurrent == 0)
    }
  }

  @Test func hangAtAccept() async throws {
    try await Harness.with { simulator in
      try await simulator.server.setFaults([SimulatorFault(.hang(.accept), count: 1)])
      let client = try await RawClient.connect(simulator.address)
      try await client.send(request())
      // Another connection is served meanwhile, and nothing of the first is ever read.
      #expect(try await simulator.chat().status == 200)
      let stats = await simulator.server.stats()
      #expect(stats.requests.total == 1 && stats.connections.open >= 1)
      await client.close()
      let end = try await simulator.stats { $0.connections.open == 0 }
      #expect(end.connections.open == 0 && end.requests.total == 1)
    }
  }

  @Test func resetBeforeAndWithinTheAnswer() async throws {
    let (before, _) = try await seen(.reset(.bytes(0)))
    #expect(before.isReset && before.bytes.isEmpty)
    let (within, stats) = try await seen(.reset(.events(3)), stream: true)
    #expect(within.isReset)
    // What the kernel still held may be lost with the reset, but no more than three events can have come.
    #expect(within.eventCount <= 3)
    #expect(stats.requests.concurrent == 0 && stats.requests.completed == 0)
  }

  @Test func statusHasTheProvidersBody() async throws {
    try await Harness.with { simulator in
      func fails(_ status: SimulatorFault.Status) async throws {
        try await simulator.server.setFaults([SimulatorFault(.status(status))])
      }
      let samples = [
        (429, "insufficient_quota", "openai/error.429.insufficient_quota.json"),
        (500, nil, "openai/error.500.server_error.json"),
        (503, nil, "openai/error.503.server_is_overloaded.json"), (401, nil, "openai/error.401.invalid_api_key.json"),
        (404, nil, "openai/error.404.model_not_found.json"),
      ]
      for (status, code, sample) in samples {
        try await fails(.init(status, errorCode: code))
        let reply = try await simulator.chat()
        #expect(reply.status == status)
        let expected = try Fixture.json(sample)
        #expect(Shape.differences(reply.json, expected) == [])
        #expect(reply.json["error"]?["type"] == expected["error"]?["type"])
        #expect(reply.json["error"]?["code"] == expected["error"]?["code"])
      }
      for (status, sample) in [
        (401, "401"), (402, "402"), (403, "403"), (404, "404"), (413, "413"), (429, "429.rate_limit"), (500, "500"),
        (504, "504"), (529, "529"),
      ] {
        try await fails(.init(status, retryAfter: .milliseconds(1_500)))
        let reply = try await simulator.messages()
        let expected = try Fixture.json("anthropic/error.\(sample).json")
        #expect(reply.status == status && reply["retry-after"] == "2")
        #expect(Shape.differences(reply.json, expected) == [])
        #expect(reply.json["error"]?["type"] == expected["error"]?["type"])
      }
      try await fails(.init(429, errorCode: "enforced_spend_limit_reached", message: "Spend limit reached."))
      let spent = try await simulator.messages()
      #expect(spent.json["error"] == (try Fixture.json("anthropic/error.429.spend_limit.json"))["error"])
    }
  }

  @Test func slowFirstByteAndTokens() async throws {
    try await Harness.with { simulator in
      try await simulator.server.setFaults([SimulatorFault(.slow(firstByte: .seconds(3), tokensPerSecond: 2))])
      let client = try await RawClient.connect(simulator.address)
      try await client.send(request(stream: true))
      try await simulator.untilPending(1)
      try await simulator.server.advanceClock(by: .milliseconds(2_999))
      #expect(await simulator.server.stats().bytesSent == 0)
      try await simulator.server.advanceClock(by: .milliseconds(1))
      // The role, then the first token; the second is due half a second later.
      let first = try await client.read { $0.eventCount >= 2 }
      #expect(first.eventCount == 2)
      try await simulator.server.advanceClock(by: .milliseconds(500))
      let second = try await client.read { $0.eventCount >= 3 }
      #expect(second.eventCount == 3)
      await client.close()
    }
  }

  @Test func truncateByEvents() async throws {
    let (cut, _) = try await seen(.truncate(.events(4), clean: false), stream: true)
    #expect(cut.eventCount == 4 && !cut.text.hasSuffix("0\r\n\r\n") && !cut.isReset)
    let (clean, stats) = try await seen(.truncate(.events(4), clean: true), stream: true) {
      $0.endsWithLastChunk
    }
    let reply = try #require(HTTPReply(clean.bytes))
    #expect(reply.events.count == 4 && !reply.text.contains("[DONE]"))
    #expect(!clean.hasEnded && stats.requests.completed == 1)
  }

  @Test func truncateByBytes() async throws {
    for stream in [false, true] {
      for limit in [1, 100, 400, 700] {
        let (cut, _) = try await seen(.truncate(.bytes(limit), clean: false), stream: stream)
        #expect(cut.bytes.count == limit && HTTPReply(cut.bytes, isEnded: false) == nil)
      }
    }
    let (clean, _) = try await seen(.truncate(.bytes(30), clean: true)) { HTTPReply($0.bytes) != nil }
    #expect(try #require(HTTPReply(clean.bytes)).body.count == 30)
    let (stream, _) = try await seen(.truncate(.bytes(300), clean: true), stream: true) {
      $0.endsWithLastChunk
    }
    #expect(try #require(HTTPReply(stream.bytes)).body.count == 300)
  }

  @Test func garbage() async throws {
    let (head, _) = try await seen(.garbage(.head))
    #expect(!head.bytes.isEmpty && !head.text.hasPrefix("HTTP/"))
    let (chunk, _) = try await seen(.garbage(.chunk(afterEvents: 2)), stream: true)
    #expect(chunk.eventCount == 2 && chunk.text.hasSuffix("zz\r\nnot a chunk\r\n"))
  }

  @Test func stall() async throws {
    try await Harness.with { simulator in
      try await simulator.server.setFaults([SimulatorFault(.stall(.events(2), .seconds(9)))])
      let client = try await RawClient.connect(simulator.address)
      try await client.send(request(stream: true))
      try await simulator.untilPending(1)
      let stalled = try await client.read { $0.eventCount == 2 }
      #expect(stalled.eventCount == 2)
      try await simulator.server.advanceClock(by: .milliseconds(8_999))
      #expect(try await simulator.server.pendingTimers() == 1)
      try await simulator.server.advanceClock(by: .milliseconds(1))
      let rest = try await client.read { $0.endsWithLastChunk }
      #expect(rest.text.contains("[DONE]"))
      try await simulator.server.setFaults([SimulatorFault(.stall(.events(1), nil))])
      try await client.reset()
      try await client.send(request(stream: true))
      let forEver = try await client.read { $0.eventCount == 1 }
      #expect(forEver.eventCount == 1)
      #expect(try await simulator.server.pendingTimers() == 0)
      await client.close()
      let stats = try await simulator.stats { $0.cancelled.midStream == 1 }
      #expect(stats.cancelled.midStream == 1)
    }
  }

  @Test func errorEventWithinAStream() async throws {
    let (openAI, _) = try await seen(.streamError(afterEvents: 2), stream: true) { $0.endsWithLastChunk }
    let frames = try #require(HTTPReply(openAI.bytes)).eventData
    let sample = try Fixture.events("openai/chat-stream-error.response.sse")
    #expect(frames.count == 3)
    #expect(frames.last == sample.last)
    try await Harness.with { simulator in
      try await simulator.server.setFaults([SimulatorFault(.streamError(afterEvents: 3))])
      let reply = try await simulator.messages(extra: ",\"stream\":true")
      let sample = try Fixture.events("anthropic/messages-stream-error.response.sse")
      #expect(reply.eventData.last?["error"] == sample.last?["error"])
      #expect(reply.events.last?.name == "error")
      // A plain answer has no events: the same trouble is a status.
      #expect(try await simulator.messages().status == 529)
    }
  }

  @Test func idleClose() async throws {
    try await Harness.with { simulator in
      try await simulator.server.setFaults([SimulatorFault(.idleClose(after: .seconds(5)))])
      let client = try await RawClient.connect(simulator.address)
      #expect(try await simulator.exchange(client, request())?.status == 200)
      try await simulator.untilPending(1)
      try await simulator.server.advanceClock(by: .seconds(4))
      // A request in time starts the wait anew.
      #expect(try await simulator.exchange(client, request())?.status == 200)
      try await simulator.untilPending(1)
      try await simulator.server.advanceClock(by: .milliseconds(4_999))
      #expect(await simulator.server.stats().connections.open == 1)
      try await simulator.server.advanceClock(by: .milliseconds(1))
      #expect(try await client.readToEnd().hasEnded)
    }
  }

  @Test func halfClose() async throws {
    try await Harness.with { simulator in
      try await simulator.server.setFaults([SimulatorFault(.halfClose, count: 1)])
      let client = try await RawClient.connect(simulator.address)
      #expect(try await simulator.exchange(client, request())?.status == 200)
      #expect(try await client.readToEnd().hasEnded)
      try await client.send(request())
      #expect(try await simulator.chat().status == 200)
      // The request on the half-closed connection was taken by the kernel and answered by nobody.
      let stats = await simulator.server.stats()
      #expect(stats.requests.total == 2 && stats.connections.open >= 1)
      await client.close()
    }
  }

  @Test func earlyClose() async throws {
    try await Harness.with { simulator in
      try await simulator.server.setFaults([SimulatorFault(.earlyClose(.afterAnswer), count: 1)])
      let client = try await RawClient.connect(simulator.address)
      let reply = try await simulator.exchange(client, request())
      #expect(reply?.status == 200 && reply?["connection"] == nil)
      #expect(try await client.readToEnd().hasEnded)
      try await simulator.server.setFaults([SimulatorFault(.earlyClose(.onReuse), count: 1)])
      let other = try await RawClient.connect(simulator.address)
      #expect(try await simulator.exchange(other, request())?.status == 200)
      #expect(try await simulator.exchange(other, request()) == nil)
      #expect(await simulator.server.stats().requests.total == 2)
    }
  }

  #if os(Linux)
  @Test func dropSilencesTheConnection() async throws {
    try await Harness.with(SimulatorOptions()) { simulator in
      try await simulator.server.setFaults([SimulatorFault(.drop(after: .zero), count: 1)])
      let client = try await RawClient.connect(simulator.address)
      #expect(try await simulator.exchange(client, request())?.status == 200)
      let before = try await simulator.stats { $0.connections.dropped == 1 }
      #expect(before.connections.dropped == 1)
      try await client.send(request())
      // Others are served, and of what this client sent nothing arrives, not even in the kernel.
      #expect(try await simulator.chat().status == 200)
      let after = await simulator.server.stats()
      let other = request().utf8.count
      #expect(after.bytesReceived - before.bytesReceived <= other)
      #expect(after.requests.total == before.requests.total + 1)
      await client.close()
      #expect(await simulator.server.stats().connections.open >= 1)
    }
  }
  #endif

  @Test func conditionsCountAndDuration() async throws {
    try await Harness.with { simulator in
      try await simulator.server.setFaults([
        SimulatorFault(
          .status(.init(500)), match: .init(provider: "openai", key: "sk-test-*", path: "/v1/chat/*"), count: 2),
        SimulatorFault(.status(.init(503)), match: .init(model: "claude-*"), duration: .seconds(10)),
      ])
      #expect(try await simulator.chat(key: "sk-other").status == 200)
      #expect(try await simulator.chat().status == 500)
      #expect(try await simulator.messages().status == 503)
      #expect(try await simulator.chat().status == 500)
      #expect(try await simulator.chat().status == 200)
      try await simulator.server.advanceClock(by: .seconds(10))
      #expect(try await simulator.messages().status == 200)
      #expect(try await simulator.server.faultHits() == [2, 1])
    }
  }

  @Test func rateIsSeeded() async throws {
    func pattern(_ seed: UInt64) async throws -> [Int] {
      try await Harness.with(SimulatorOptions(seed: seed)) { simulator in
        try await simulator.server.setFaults([SimulatorFault(.status(.init(500)), rate: 0.5)])
        let client = try await RawClient.connect(simulator.address)
        var statuses: [Int] = []
        for _ in 0..<40 { statuses.append(try await simulator.exchange(client, request())?.status ?? 0) }
        await client.close()
        return statuses
      }
    }
    let first = try await pattern(3)
    #expect(try await pattern(3) == first)
    #expect(try await pattern(4) != first)
    let failures = first.count { $0 == 500 }
    #expect((8...32).contains(failures))
  }
}
