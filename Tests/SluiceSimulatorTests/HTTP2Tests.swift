import Foundation
import NIOHPACK
import NIOHTTP2
import SluiceDialects
import SluiceSimulator
import Testing

/// The simulator on HTTP/2: the same answers, limits and faults, each on a stream of its own.
@Suite struct HTTP2Tests {
  private static let streaming = Harness.chatBody(extra: ",\"stream\":true")

  /// A running simulator and one connection to it.
  private func with(
    _ options: SimulatorOptions = SimulatorOptions(clock: .manual(startingAt: 1_795_246_259)), window: Int = 1 << 20,
    faults: [SimulatorFault] = [], _ body: @Sendable (Harness, HTTP2Client) async throws -> Void
  ) async throws {
    try await Harness.with(options) { simulator in
      try await simulator.server.setFaults(faults)
      let client = try await HTTP2Client.connect(simulator.address, window: window)
      try await body(simulator, client)
      await client.close()
    }
  }

  // MARK: Exchanges

  @Test func theSameAnswersAsOverHTTP1() async throws {
    try await with { simulator, client in
      let plain = try await client.exchange()
      let reference = try await simulator.chat()
      #expect(plain.status == 200 && plain.headers.first(name: "content-type") == "application/json")
      #expect(plain.json["choices"] == reference.json["choices"] && plain.json["choices"] != nil)
      #expect(plain.headers.first(name: "transfer-encoding") == nil && plain.headers.first(name: "connection") == nil)
      let stream = try await client.exchange("POST", "/v1/chat/completions", Self.streaming)
      let chunked = try await simulator.chat(extra: ",\"stream\":true")
      #expect(stream.isComplete && stream.text.hasSuffix("data: [DONE]\n\n"))
      #expect(stream.text.split(separator: "\n\n").count == chunked.text.split(separator: "\n\n").count)
      let wrong = try await client.exchange("GET", "/nowhere", nil)
      #expect(wrong.status == 404 && wrong.isComplete)
      let stats = await simulator.server.stats()
      #expect(stats.connections.http2 == 1 && stats.connections.opened == 3 && stats.requests.completed == 5)
    }
  }

  @Test func manyStreamsOnOneConnection() async throws {
    try await with(SimulatorOptions()) { simulator, client in
      let control = try await client.exchange("GET", "/_simulator/http2", nil)
      #expect(control.json["connections"]?.int == 1 && control.json["streams"]?.int == 1)
      var ids: [HTTP2StreamID] = []
      for _ in 0..<60 { ids.append(try await client.begin("POST", "/v1/chat/completions", Self.streaming)) }
      for id in ids { #expect(try await client.reply(id).text.hasSuffix("data: [DONE]\n\n")) }
      let stats = await simulator.server.stats()
      #expect(stats.connections.opened == 1 && stats.requests.completed == 60)
    }
  }

  @Test func limitsHold() async throws {
    var options = SimulatorOptions(clock: .manual(startingAt: 1_795_246_259))
    options.openAILimits = SimulatorLimits(requestsPerMinute: 2)
    try await with(options) { _, client in
      var statuses: [Int] = []
      for _ in 0..<3 { statuses.append(try await client.exchange().status) }
      #expect(statuses == [200, 200, 429])
    }
  }

  /// A client that reads slowly holds up its own stream, and what it does not take is not made.
  @Test func answersKeepToTheWindow() async throws {
    var options = SimulatorOptions(clock: .manual(startingAt: 1_795_246_259))
    options.answerTokens = 20_000
    try await with(options, window: 1_000) { simulator, client in
      let slow = try await client.begin("POST", "/v1/chat/completions", Self.streaming)
      let part = try await client.reply(slow) { $0.body.count >= 1_000 }
      #expect(part.body.count == 1_000 && !part.isOver)
      #expect(await simulator.server.stats().bytesSent < 200_000)
      try await client.grant(20_000_000, slow)
      let whole = try await client.reply(slow)
      #expect(whole.isComplete && whole.body.count > 1_000_000)
    }
  }

  @Test func aBodyThatIsTooLargeIsAnsweredAtOnce() async throws {
    var options = SimulatorOptions(clock: .manual(startingAt: 1_795_246_259))
    options.maxBodyBytes = 1_000
    try await with(options) { simulator, client in
      let body = String(repeating: "x", count: 2_000)
      let reply = try await client.reply(client.begin("POST", "/v1/chat/completions", body, isComplete: false)) {
        $0.reset != nil
      }
      #expect(reply.status == 413 && reply.reset == .noError)
      #expect(try await client.exchange().status == 200)
    }
  }

  @Test func cancelledStreamsAreCounted() async throws {
    let stall = SimulatorFault(.stall(.events(2), nil), count: 1)
    try await with(faults: [stall, SimulatorFault(.hang(.request), count: 1)]) { simulator, client in
      let first = try await client.begin("POST", "/v1/chat/completions", Self.streaming)
      _ = try await client.reply(first) { !$0.body.isEmpty }
      let second = try await client.begin()
      // Neither of them keeps others from being answered.
      #expect(try await client.exchange().status == 200)
      try await client.cancel(first)
      try await client.cancel(second)
      let stats = try await simulator.stats { $0.cancelled.midStream == 1 && $0.cancelled.beforeFirstByte == 1 }
      #expect(stats.cancelled.midStream == 1 && stats.cancelled.beforeFirstByte == 1)
      #expect(stats.requests.concurrent == 0 && stats.requests.completed == 1)
    }
  }

  @Test func tlsOffersBothProtocols() async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "sluice-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let certificate = folder.appending(path: "certificate.pem")
    let key = folder.appending(path: "key.pem")
    try Fixture.text("localhost.pem").write(to: certificate, atomically: true, encoding: .utf8)
    try Fixture.text("localhost-key.pem").write(to: key, atomically: true, encoding: .utf8)
    var options = SimulatorOptions()
    options.tls = SimulatorTLS(certificate: certificate.path(), privateKey: key.path())
    try await with(options) { simulator, client in
      let reply = try await client.exchange()
      let stats = await simulator.server.stats()
      #expect(simulator.address.url.hasPrefix("https://") && reply.status == 200 && stats.connections.http2 == 1)
    }
    options.tls = SimulatorTLS(certificate: key.path(), privateKey: certificate.path())
    let wrong = SimulatorServer(options)
    await #expect(throws: SimulatorError.self) { _ = try await wrong.start() }
  }

  // MARK: Telling the protocols apart

  @Test func theFirstBytesDecideHoweverTheyCome() async throws {
    try await Harness.with { simulator in
      let client = try await RawClient.connect(simulator.address)
      for byte in "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8 { try await client.send([byte]) }
      // Its SETTINGS frame: type 4 on stream 0.
      let seen = try await client.read { $0.bytes.count >= 9 }
      #expect(seen.bytes.count >= 9 && seen.bytes[3] == 4 && seen.bytes[5..<9].allSatisfy { $0 == 0 })
      await client.close()
      let other = try await RawClient.connect(simulator.address)
      let request = Harness.request(
        "POST", "/v1/chat/completions", body: Harness.chatBody(), headers: [Harness.openAIKey])
      for byte in request.utf8.prefix(4) { try await other.send([byte]) }
      try await other.send(Array(request.utf8.dropFirst(4)))
      let answered = try await other.read { HTTPReply($0.bytes) != nil }
      #expect(HTTPReply(answered.bytes)?.status == 200)
      await other.close()
      #expect(await simulator.server.stats().connections.http2 == 1)
    }
  }

  // MARK: The stream limit

  @Test func theStreamLimitChangesWhileItRuns() async throws {
    var options = SimulatorOptions(clock: .manual(startingAt: 1_795_246_259))
    options.maxConcurrentStreams = 7
    try await with(options) { simulator, client in
      #expect(try await client.seen { $0.maxStreams == [7] }.maxStreams == [7])
      try await simulator.server.setMaxConcurrentStreams(2)
      #expect(try await client.seen { $0.maxStreams.count == 2 }.maxStreams == [7, 2])
      let put = try await client.exchange("PUT", "/_simulator/http2", "{\"max_concurrent_streams\":3}")
      #expect(put.status == 200 && put.json["max_concurrent_streams"]?.int == 3)
      #expect(try await client.seen { $0.maxStreams.count == 3 }.maxStreams == [7, 2, 3])
      for nonsense in [
        "{}", "{\"max_concurrent_streams\":-1}", "{\"max_concurrent_streams\":2147483648}", "[", "{\"a\":1}",
      ] {
        #expect(try await client.exchange("PUT", "/_simulator/http2", nonsense).status == 400, "\(nonsense)")
      }
      #expect(try await client.exchange("DELETE", "/_simulator/http2", nil).status == 405)
      await #expect(throws: SimulatorError.self) { try await simulator.server.setMaxConcurrentStreams(-1) }
      // Who comes later is told from the start.
      let later = try await HTTP2Client.connect(simulator.address)
      #expect(try await later.seen { !$0.maxStreams.isEmpty }.maxStreams == [3])
      await later.close()
    }
  }

  // MARK: Faults

  @Test func goAwayAfterARequestFinishesWhatWasTaken() async throws {
    let faults = [
      SimulatorFault(.stall(.events(1), .seconds(1)), match: .init(model: "gpt-5.4-mini"), count: 1),
      SimulatorFault(.goAway(.after), count: 1),
    ]
    try await with(faults: faults) { simulator, client in
      let first = try await client.begin("POST", "/v1/chat/completions", Self.streaming)
      _ = try await client.reply(first) { !$0.body.isEmpty }
      let second = try await client.exchange()
      #expect(second.status == 200 && second.isComplete)
      let seen = try await client.seen { $0.goAway != nil }
      #expect(seen.goAway == 3 && !seen.isClosed)
      try await simulator.server.advanceClock(by: .seconds(1))
      #expect(try await client.reply(first).text.hasSuffix("data: [DONE]\n\n"))
      #expect(try await client.seen { $0.isClosed }.isClosed)
      #expect(await simulator.server.stats().requests.completed == 2)
    }
  }

  @Test func goAwayBeforeARequestTurnsItBack() async throws {
    try await with(faults: [SimulatorFault(.goAway(.before), count: 1)]) { simulator, client in
      let turnedBack = try await client.exchange()
      #expect(turnedBack.isLost && turnedBack.status == 0)
      let seen = try await client.seen { $0.isClosed }
      #expect(seen.isClosed && seen.goAway == .rootStream)
      let stats = await simulator.server.stats()
      #expect(stats.requests.completed == 0 && stats.requests.concurrent == 0 && stats.faultHits == ["goaway": 1])
    }
  }

  @Test(arguments: SimulatorFault.StreamError.allCases)
  func aResetEndsOneStreamOnly(_ error: SimulatorFault.StreamError) async throws {
    let faults = [
      SimulatorFault(.resetStream(.bytes(0), error), count: 1),
      SimulatorFault(.resetStream(.events(2), error), count: 1),
    ]
    try await with(faults: faults) { simulator, client in
      let early = try await client.exchange()
      #expect(early.reset == error.code && early.status == 0)
      let late = try await client.exchange("POST", "/v1/chat/completions", Self.streaming)
      #expect(late.reset == error.code && late.status == 200 && !late.body.isEmpty)
      #expect(try await client.exchange().status == 200)
      let stats = await simulator.server.stats()
      #expect(stats.connections.opened == 1 && stats.faultHits == ["rst_stream": 2] && stats.requests.concurrent == 0)
    }
  }

  @Test(arguments: [
    SimulatorFault.Kind.reset(.events(1)), .truncate(.events(1), clean: false), .garbage(.head),
    .garbage(.chunk(afterEvents: 1)), .earlyClose(.afterAnswer),
  ])
  func faultsOfTheConnectionEndItForAll(_ kind: SimulatorFault.Kind) async throws {
    try await with(faults: [SimulatorFault(.stall(.events(1), nil), count: 1)]) { simulator, client in
      let bystander = try await client.begin("POST", "/v1/chat/completions", Self.streaming)
      _ = try await client.reply(bystander) { !$0.body.isEmpty }
      try await simulator.server.setFaults([SimulatorFault(kind, count: 1)])
      let hit = try await client.exchange("POST", "/v1/chat/completions", Self.streaming)
      if kind == .earlyClose(.afterAnswer) {
        // Between two requests: not before the other one has gone.
        #expect(hit.isComplete)
        try await client.cancel(bystander)
      } else {
        #expect(hit.isLost)
      }
      let seen = try await client.seen { $0.isClosed }
      #expect(seen.isClosed)
      if case .garbage = kind { #expect(seen.hasFault) }
      #expect(
        try await simulator.stats { $0.connections.open == 0 && $0.requests.concurrent == 0 }.connections.open == 0)
    }
  }

  @Test func faultsOfAnAnswerWorkAsEver() async throws {
    let faults = [
      SimulatorFault(.status(.init(503)), count: 1), SimulatorFault(.truncate(.events(3), clean: true), count: 1),
      SimulatorFault(.streamError(afterEvents: 1), count: 1), SimulatorFault(.earlyClose(.onReuse), count: 1),
    ]
    try await with(faults: faults) { _, client in
      #expect(try await client.exchange().status == 503)
      let short = try await client.exchange("POST", "/v1/chat/completions", Self.streaming)
      #expect(short.isLost, "the fault after the first answer strikes when it is used again")
    }
    try await with(faults: Array(faults[1...2])) { _, client in
      let short = try await client.exchange("POST", "/v1/chat/completions", Self.streaming)
      #expect(short.isComplete && short.text.split(separator: "\n\n").count == 3)
      let wrong = try await client.exchange("POST", "/v1/chat/completions", Self.streaming)
      #expect(wrong.isComplete && wrong.text.contains("\"error\""))
    }
  }

  @Test func anIdleConnectionIsClosedWhenItsTimeIsOver() async throws {
    try await with(faults: [SimulatorFault(.idleClose(after: .seconds(3)), count: 1)]) { simulator, client in
      _ = try await client.exchange()
      try await simulator.untilPending(1)
      #expect(try await client.seen().isClosed == false)
      try await simulator.server.advanceClock(by: .seconds(3))
      #expect(try await client.seen { $0.isClosed }.isClosed)
    }
  }

  // MARK: On HTTP/1.1

  @Test func goAwayIsConnectionCloseOnHTTP1() async throws {
    try await Harness.with { simulator in
      let request = Harness.request(
        "POST", "/v1/chat/completions", body: Harness.chatBody(), headers: [Harness.openAIKey])
      try await simulator.server.setFaults([SimulatorFault(.goAway(.after))])
      let client = try await RawClient.connect(simulator.address)
      #expect(try await simulator.exchange(client, request)?["connection"] == "close")
      #expect(try await client.readToEnd().hasEnded)
      for kind in [SimulatorFault.Kind.goAway(.before), .resetStream(.bytes(0), .cancel)] {
        try await simulator.server.setFaults([SimulatorFault(kind)])
        let other = try await RawClient.connect(simulator.address)
        try await other.send(request)
        let seen = try await other.readToEnd()
        #expect(seen.bytes.isEmpty && seen.hasEnded)
      }
    }
  }
}

extension SimulatorFault.StreamError {
  fileprivate var code: HTTP2ErrorCode {
    switch self {
    case .internalError: .internalError
    case .refusedStream: .refusedStream
    case .cancel: .cancel
    case .enhanceYourCalm: .enhanceYourCalm
    }
  }
}
