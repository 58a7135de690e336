import NIOCore
import NIOHTTP2
import NIOPosix
import NIOSSL
import SluiceDialects
import SluiceHTTP
import SluicePolicy
import SluiceRuntime
import SluiceTesting
import Testing

/// How an HTTP/2 connection comes about.
@Suite(.mustEnd) struct HTTP2OpeningTests {
  private static func context(offering protocols: [String]) throws -> NIOSSLContext {
    let chain = try NIOSSLCertificate.fromPEMBytes(Array(TestCertificates.localhost.utf8))
    let key = try NIOSSLPrivateKey(bytes: Array(TestCertificates.localhostKey.utf8), format: .pem)
    var configuration = TLSConfiguration.makeServerConfiguration(
      certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
    configuration.applicationProtocols = protocols
    return try NIOSSLContext(configuration: configuration)
  }

  private static func origin(_ port: Int, _ version: HTTPVersionChoice) -> HTTPOrigin {
    var origin = HTTPOrigin(
      scheme: .https, host: "localhost", port: port, tls: TLSOptions(authorityPEM: TestCertificates.authority))
    origin.version = version
    return origin
  }

  @Test(arguments: [HTTPVersionChoice.auto, .http2]) func tlsAgreesOnHTTP2(_ version: HTTPVersionChoice) async throws {
    let server = try await HTTP2Server.start(tls: Self.context(offering: ["h2", "http/1.1"])) { $0.answer($1.stream) }
    let harness = try Harness()
    let connection = try await harness.openAny(Self.origin(server.port, version))
    #expect(connection.isShared)
    let peer = try await harness.eventLoop.submit {
      let peer = RecordingPeer(on: harness.eventLoop)
      connection.start(.get, peer: peer)
      return peer
    }.get()
    #expect(try await peer.finished().text == "ok")
    try await server.stop()
  }

  @Test(arguments: [(HTTPVersionChoice.auto, ["http/1.1"]), (.auto, []), (.http1, ["h2", "http/1.1"])])
  func tlsAgreesOnHTTP1(_ version: HTTPVersionChoice, _ offered: [String]) async throws {
    let context = try Self.context(offering: offered)
    let server = try await RawServer.start { channel in
      try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
    }
    let harness = try Harness()
    let connection = try await harness.openAny(Self.origin(server.port, version))
    #expect(!connection.isShared)
    let http1 = try #require(connection.http1)
    #expect(try await harness.exchange(http1, with: server.accept(), answer: okAnswer).text == "ok")
    try await server.stop()
  }

  @Test func http2AloneRefusesAnythingElse() async throws {
    let context = try Self.context(offering: ["http/1.1"])
    let server = try await RawServer.start { channel in
      try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
    }
    let failure = try #require(try await Harness().failure(Self.origin(server.port, .http2)))
    #expect(failure.kind == .http2)
    #expect(failure.description.contains("does not offer HTTP/2"), "\(failure)")
    try await server.stop()
  }

  @Test(arguments: [
    "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n", "\u{0}\u{0}\u{1}\u{4}\u{0}\u{0}\u{0}\u{0}\u{0}x", "",
  ])
  func priorKnowledgeThatWasWrong(_ answer: String) async throws {
    let server = try await RawServer.start()
    var origin = HTTPOrigin(scheme: .http, host: "127.0.0.1", port: server.port)
    origin.version = .http2
    async let failure = Harness().failure(origin)
    let peer = try await server.accept()
    _ = try await peer.receive(until: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    if answer.isEmpty { await peer.close() } else { try await peer.send(answer) }
    let found = try #require(try await failure)
    #expect(found.kind == .http2, "\(found)")
    try await server.stop()
  }

  @Test func settingsBelongToTheDeadline() async throws {
    let server = try await RawServer.start()
    var origin = HTTPOrigin(scheme: .http, host: "127.0.0.1", port: server.port)
    origin.version = .http2
    let failure = try #require(try await Harness().failure(origin, within: .milliseconds(1_500)))
    #expect(failure.kind == .timeout)
    #expect(failure.description.contains("HTTP/2 settings"), "\(failure)")
    try await server.stop()
  }

  @Test func noMoreStreamsThanTheBoundWhateverThePeerSays() async throws {
    try await HTTP2Scene.with(settings: [HTTP2Setting(parameter: .maxConcurrentStreams, value: 1_000_000)]) { scene in
      let connection = try await scene.open()
      #expect(connection.capacity == 1_000)
    }
    try await HTTP2Scene.with(settings: []) { scene in
      let connection = try await scene.open()
      #expect(connection.capacity == 100)
    }
  }

  @Test func theConnectorKeepsEveryRule() async throws {
    try await HTTP2Scene.with { scene in
      let silent = try await RawServer.start()
      let closed = try await RawServer.start()
      var origins = [silent, closed].map { HTTPOrigin(scheme: .http, host: "127.0.0.1", port: $0.port) }
      for index in origins.indices {
        origins[index].version = .http2
        try scene.harness.connector.add(origins[index])
      }
      try await closed.stop()
      var subject = ConformanceSubject(
        connector: scene.harness.connector, eventLoop: scene.harness.eventLoop, origin: scene.origin.identity)
      // It accepts and then says nothing.
      subject.silentOrigin = origins[0].identity
      subject.refusingOrigin = origins[1].identity
      subject.closeByPeer = { [server = scene.server] connection in
        guard let port = connection.localAddress?.port else { return }
        server.eventLoop.execute {
          for peer in server.peers where peer.channel.remoteAddress?.port == port { peer.channel.close(promise: nil) }
        }
      }
      // What works answers long before; only what is broken is waited for.
      var times = ConformanceTimes()
      times.patience = .minutes(5)
      times.slack = .minutes(5)
      let violations = await ResourceConformanceSuite(subject, times: times).run()
      #expect(violations.isEmpty, "\(violations)")
      try await silent.stop()
    }
  }
}

/// How it lives and ends.
@Suite(.mustEnd) struct HTTP2LifeTests {
  @Test func goAwayRefusesWhatIsBehindIt() async throws {
    let script: HTTP2Server.Script = { peer, request in
      if request.stream == 5 {
        peer.goAway(after: 3)
        peer.answer(1)
        peer.answer(3)
      }
    }
    try await HTTP2Scene.with(script: script) { scene in
      let sink = RecordingSink(on: scene.harness.eventLoop)
      let connection = try await scene.open(sink: sink)
      var running: [Running] = []
      for _ in 0..<3 { running.append(try await scene.start(connection)) }
      #expect(try await running[0].peer.finished().text == "ok")
      #expect(try await running[1].peer.finished().text == "ok")
      let refused = try await running[2].peer.finished()
      #expect(refused.failure?.isRefused == true)
      #expect(refused.failure?.replaySafe == true)
      #expect(try await scene.harness.eventLoop.submit { sink.drainings }.get() == 1)
      // What comes too late for it can go elsewhere.
      #expect(!connection.isOpen)
      #expect(try await scene.exchange(connection).failure?.isRefused == true)
    }
  }

  @Test func settingsWhileRunningAreTold() async throws {
    try await HTTP2Scene.with { scene in
      let sink = RecordingSink(on: scene.harness.eventLoop)
      let connection = try await scene.open(sink: sink)
      let peer = try await scene.peer()
      for streams in [10, 10, 0, 500] {
        try await scene.server.run { _ in peer.allow(streams: streams) }
      }
      #expect(try await scene.exchange(connection).text == "ok")
      #expect(try await scene.harness.eventLoop.submit { sink.capacities }.get() == [10, 0, 500])
      #expect(connection.capacity == 500)
    }
  }

  /// Only a connection that was used before, and on which nothing at all has come since, may have been dead all along.
  @Test func whatIsReplayedAfterALoss() async throws {
    let script: HTTP2Server.Script = { peer, request in
      switch request.stream {
      case 1: peer.answer(request.stream)
      case 3: peer.channel.close(promise: nil)
      default: break
      }
    }
    try await HTTP2Scene.with(script: script) { scene in
      let used = try await scene.open()
      #expect(try await scene.exchange(used).text == "ok")
      let lost = try await scene.exchange(used)
      #expect(lost.failure?.replaySafe == true, "\(lost)")
      #expect(lost.failure?.isRefused == false)
      #expect(lost.failure?.label == "closed_before_response")
    }
    let breaking: HTTP2Server.Script = { peer, request in
      if request.stream == 3 {
        peer.answer(1)
        peer.channel.close(promise: nil)
      }
    }
    try await HTTP2Scene.with(script: breaking) { scene in
      let connection = try await scene.open()
      let first = try await scene.start(connection)
      let second = try await scene.start(connection)
      #expect(try await first.peer.finished().text == "ok")
      #expect(try await second.peer.finished().failure?.replaySafe == false)
    }
  }

  @Test func thePeersCloseWhileUnusedIsLearnt() async throws {
    try await HTTP2Scene.with { scene in
      let sink = RecordingSink(on: scene.harness.eventLoop)
      let connection = try await scene.open(sink: sink)
      let peer = try await scene.peer()
      peer.channel.close(promise: nil)
      #expect(try await sink.closed() != nil)
      #expect(!connection.isOpen)
      #expect(try await scene.exchange(connection).failure?.replaySafe == true)
    }
  }

  @Test func closingSaysGoodbye() async throws {
    try await HTTP2Scene.with { scene in
      let connection = try await scene.open()
      let peer = try await scene.peer()
      connection.close(reason: .idle)
      try await peer.clientClosed()
      #expect(try await scene.server.run { _ in peer.goAways } == [.noError])
    }
  }

  /// The peer's kernel acknowledges, but nobody is behind it any more.
  @Test func silenceIsQuestioned() async throws {
    let script: HTTP2Server.Script = { peer, request in
      peer.head(request.stream)
      _ = peer.channel.setOption(.autoRead, value: false)
    }
    try await HTTP2Scene.with(
      options: {
        $0.http2.pingAfter = .milliseconds(500)
        $0.http2.pingTimeout = .milliseconds(500)
      }, script: script
    ) { scene in
      let sink = RecordingSink(on: scene.harness.eventLoop)
      let connection = try await scene.open(sink: sink)
      let outcome = try await scene.exchange(connection)
      #expect(outcome.failure?.reason == .deadPath, "\(outcome)")
      #expect(outcome.failure?.failureClass == .network)
      #expect(!connection.isOpen)
      #expect(try await scene.harness.eventLoop.submit { sink.reasons }.get() == [.deadPath])
    }
  }

  /// A peer that answers may think for as long as it likes.
  @Test func anAnsweredQuestionIsASignOfLife() async throws {
    let script: HTTP2Server.Script = { peer, request in peer.head(request.stream) }
    try await HTTP2Scene.with(
      options: {
        $0.http2.pingAfter = .milliseconds(500)
        $0.http2.pingTimeout = .seconds(10)
      }, script: script
    ) { scene in
      let connection = try await scene.open()
      let running = try await scene.start(connection)
      let peer = try await scene.peer()
      // Counted by the peer, so this is as long as two questions take.
      while try await scene.server.run({ _ in peer.pings }) < 2 {
        try await scene.harness.kernelTime(.milliseconds(50))
      }
      try await scene.server.run { _ in peer.body(1, ByteBuffer(string: "late")) }
      #expect(try await running.peer.finished().text == "late")
    }
  }
}

/// Peers that do not keep to the protocol.
@Suite(.mustEnd) struct HTTP2FaultTests {
  @Test func aFrameOfTheWrongSize() async throws {
    let failure = try await HTTP2Scene.fault { peer, _ in peer.raw(HTTP2Peer.frame(0x6, stream: 0, [1, 2, 3])) }
    #expect(failure?.label == "http2_framing")
    #expect(failure?.failureClass == .protocolError)
    #expect(failure?.replaySafe == false)
  }

  @Test func dataOnAStreamThatNobodyOpened() async throws {
    let failure = try await HTTP2Scene.fault { peer, _ in peer.raw(HTTP2Peer.frame(0x0, stream: 99, [1, 2, 3])) }
    #expect(failure?.label == "http2_framing")
  }

  @Test func aPushThatNobodyAllowed() async throws {
    let failure = try await HTTP2Scene.fault { peer, _ in
      peer.raw(HTTP2Peer.frame(0x5, flags: 0x4, stream: 1, [0, 0, 0, 2, 0x88]))
    }
    #expect(failure?.label == "http2_framing")
  }

  @Test func tooLargeAHead() async throws {
    let failure = try await HTTP2Scene.fault(options: { $0.limits = HTTPLimits(maxHeadBytes: 4_096) }) {
      peer, request in
      peer.head(request.stream, (0..<8).map { ("x-\($0)", String(repeating: "v", count: 1_000)) })
    }
    #expect(failure?.label == "http2_header_list_too_large", "\(String(describing: failure))")
  }

  @Test func continuationsWithoutEnd() async throws {
    let failure = try await HTTP2Scene.fault { peer, _ in
      // A head that never ends, in empty pieces.
      peer.raw(HTTP2Peer.frame(0x1, stream: 1, [0x88]) + (0..<50).flatMap { _ in HTTP2Peer.frame(0x9, stream: 1, []) })
    }
    #expect(failure?.label == "http2_continuation_flood", "\(String(describing: failure))")
  }

  @Test func controlFramesWithoutEnd() async throws {
    let failure = try await HTTP2Scene.fault { peer, _ in
      for number in 0..<1_200 { peer.write(.ping(HTTP2PingData(withInteger: UInt64(number)), ack: false), .rootStream) }
      peer.flush()
    }
    #expect(failure?.label == "http2_control_frame_flood", "\(String(describing: failure))")
  }

  @Test func emptyFramesWithoutEnd() async throws {
    let failure = try await HTTP2Scene.fault { peer, request in
      peer.head(request.stream)
      for _ in 0..<20 { peer.raw(HTTP2Peer.frame(0x0, stream: 1, [])) }
    }
    #expect(failure?.label == "http2_empty_frame_flood", "\(String(describing: failure))")
  }

  /// What is held for a slow reader is the stream's window and no byte more, whatever the peer does.
  @Test func moreThanTheWindow() async throws {
    let script: HTTP2Server.Script = { peer, request in
      if request.stream == 1 { peer.head(request.stream) } else { peer.answer(request.stream) }
    }
    try await HTTP2Scene.with(script: script) { scene in
      let connection = try await scene.open()
      let running = try await scene.start(connection)
      try await running.peer.headArrived.futureResult.arrival(of: "the head of an answer")
      try await running.setReading(false)
      let peer = try await scene.peer()
      try await scene.server.run { _ in
        for _ in 0..<20 { peer.raw(HTTP2Peer.frame(0x0, stream: 1, [UInt8](repeating: 0, count: 16_384))) }
      }
      let outcome = try await running.peer.finished()
      #expect(outcome.failure?.label == "http2_flow_control", "\(String(describing: outcome.failure))")
      #expect(outcome.body.count == 262_144)
      #expect(try await scene.exchange(connection).text == "ok")
    }
  }
}
