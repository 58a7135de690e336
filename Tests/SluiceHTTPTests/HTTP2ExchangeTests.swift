import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOPosix
import SluiceDialects
import SluiceHTTP
import SluicePolicy
import SluiceRuntime
import Testing

/// One HTTP/2 connection against a server of its own kind.
@Suite(.mustEnd) struct HTTP2ExchangeTests {
  @Test func manyExchangesShareAConnection() async throws {
    try await HTTP2Scene.with { scene in
      let connection = try await scene.open()
      #expect(connection.isShared)
      #expect(connection.capacity == 100)
      var running: [Running] = []
      for _ in 0..<50 { running.append(try await scene.start(connection)) }
      for one in running {
        let outcome = try await one.peer.finished()
        #expect(outcome.status == 200)
        #expect(outcome.text == "ok")
        #expect(outcome.reusable == true)
        #expect(outcome.late == 0)
      }
      #expect(try await scene.server.run { $0.peers.count } == 1)
    }
  }

  @Test func headsAreTranslatedBothWays() async throws {
    let seen = Guarded<[HTTP2TestRequest]>([])
    let script: HTTP2Server.Script = { peer, request in
      seen.withLock { $0.append(request) }
      peer.head(
        request.stream, status: "201",
        [("content-type", "text/event-stream; x=y"), ("x-request-id", "7"), ("cookie", "a")])
      peer.body(request.stream, ByteBuffer(string: "data: x\n\n"))
    }
    try await HTTP2Scene.with(script: script) { scene in
      let connection = try await scene.open()
      let head = """
        POST /v1/chat?a=b HTTP/1.1\r
        Host: api.test:81\r
        Authorization: Bearer secret\r
        X-Mixed-Case: Value\r
        Connection: keep-alive\r
        Keep-Alive: timeout=5\r
        TE: trailers\r
        Cookie: a=b; c=d\r
        content-length: 7\r
        \r

        """
      // The body's beginning lies behind the head, as the gateway writes it.
      let request = UpstreamRequest(
        head: ByteBuffer(string: head + "bod"), body: ByteBuffer(string: "y"), moreBody: [ByteBuffer(string: "-of")])
      let outcome = try await scene.exchange(connection, request)
      #expect(outcome.status == 201)
      #expect(outcome.head.hasPrefix("HTTP/1.1 201 "))
      #expect(outcome.head.contains("\r\nx-request-id: 7\r\ncookie: a\r\n\r\n"))
      #expect(outcome.text == "data: x\n\n")
      let request2 = try #require(seen.value.first)
      #expect(String(buffer: request2.body) == "body-of")
      let fields = request2.headers.map { "\($0.name): \($0.value)" }
      #expect(
        fields == [
          ":method: POST", ":scheme: http", ":authority: api.test:81", ":path: /v1/chat?a=b",
          "authorization: Bearer secret", "x-mixed-case: Value", "cookie: a=b; c=d", "content-length: 7",
        ])
    }
  }

  @Test func aHeadWithoutABodyAndInformationalOnes() async throws {
    let script: HTTP2Server.Script = { peer, request in
      peer.head(request.stream, status: "103", [("link", "x")])
      peer.head(request.stream, status: "200", [("x-a", "b")], end: true)
    }
    try await HTTP2Scene.with(script: script) { scene in
      let connection = try await scene.open()
      for request in [UpstreamRequest.get, .headOnly] {
        let outcome = try await scene.exchange(connection, request)
        #expect(outcome.status == 200)
        #expect(outcome.body.isEmpty)
        #expect(outcome.reusable == true)
      }
    }
  }

  @Test func informationalHeadsAreCounted() async throws {
    let script: HTTP2Server.Script = { peer, request in
      for _ in 0..<20 { peer.head(request.stream, status: "103") }
    }
    try await HTTP2Scene.with(script: script) { scene in
      let connection = try await scene.open()
      let outcome = try await scene.exchange(connection)
      #expect(outcome.failure?.reason == .tooManyInformational)
      #expect(try await scene.peer().nextReset() == .protocolError)
      #expect(connection.isOpen)
    }
  }

  @Test func aLineEndInAValueIsNoNewField() async throws {
    let script: HTTP2Server.Script = { peer, request in
      peer.head(request.stream, [("x-evil", "a\r\nset-cookie: b")], end: true)
    }
    try await HTTP2Scene.with(script: script) { scene in
      let connection = try await scene.open()
      let outcome = try await scene.exchange(connection)
      #expect(outcome.status == nil)
      #expect(outcome.failure?.failureClass == .protocolError, "\(String(describing: outcome.failure))")
      #expect(outcome.failure?.replaySafe == false)
    }
  }

  @Test(arguments: [
    [("connection", "close")], [("Upper-Case", "x")], [("content-length", "5")],
    (0..<200).map { ("x-\($0)", "y") },
  ])
  func aBadMessageEndsItsStreamOnly(_ fields: [(String, String)]) async throws {
    let script: HTTP2Server.Script = { peer, request in
      if request.stream != 1 { return peer.answer(request.stream) }
      peer.head(request.stream, fields)
      peer.body(request.stream, ByteBuffer(string: "not five bytes"))
    }
    try await HTTP2Scene.with(script: script) { scene in
      let connection = try await scene.open()
      let first = try await scene.exchange(connection)
      #expect(first.failure?.failureClass == .protocolError, "\(first)")
      #expect(try await scene.exchange(connection).text == "ok")
    }
  }

  @Test func aResetHasItsOwnName() async throws {
    let script: HTTP2Server.Script = { peer, request in
      switch request.stream {
      case 1: peer.reset(request.stream, .internalError)
      case 3: peer.reset(request.stream, .refusedStream)
      case 5:
        peer.head(request.stream)
        peer.body(request.stream, ByteBuffer(string: "part"), end: false)
        peer.reset(request.stream, .refusedStream)
      case 7: peer.reset(request.stream, .enhanceYourCalm)
      default: peer.answer(request.stream)
      }
    }
    try await HTTP2Scene.with(script: script) { scene in
      let connection = try await scene.open()
      let broken = try await scene.exchange(connection)
      #expect(broken.failure?.label == "stream_reset_internal_error")
      #expect(broken.failure?.failureClass == .server)
      #expect(broken.failure?.replaySafe == false)
      let refused = try await scene.exchange(connection)
      #expect(refused.failure?.isRefused == true)
      #expect(refused.failure?.replaySafe == true)
      // Once it has answered, it cannot have refused.
      let late = try await scene.exchange(connection)
      #expect(late.text == "part")
      #expect(late.failure?.label == "stream_reset_refused_stream")
      #expect(late.failure?.replaySafe == false)
      #expect(try await scene.exchange(connection).failure?.failureClass == .overloaded)
      #expect(try await scene.exchange(connection).text == "ok")
      #expect(connection.isOpen)
    }
  }

  @Test func cancellingLeavesTheConnection() async throws {
    let script: HTTP2Server.Script = { peer, request in
      if request.headers.first(name: ":path") == "/v1/models" { return peer.head(request.stream) }
      peer.answer(request.stream)
    }
    try await HTTP2Scene.with(script: script) { scene in
      let connection = try await scene.open()
      let running = try await scene.start(connection)
      try await running.peer.headArrived.futureResult.arrival(of: "the head of an answer")
      try await running.cancel()
      try await running.cancel()
      let peer = try await scene.peer()
      #expect(try await peer.nextReset() == .cancel)
      #expect(try await scene.exchange(connection, .post(bytes: 10)).text == "ok")
      #expect(try await scene.server.run { $0.peers.count } == 1)
      #expect(try await running.outcome().late == 0)
      #expect(!running.peer.isFinished)
    }
  }

  @Test func framesForManyCancelledStreamsAreNoFault() async throws {
    let script: HTTP2Server.Script = { peer, request in
      if request.headers.first(name: ":method") == "POST" { return peer.answer(request.stream) }
      // Never reads the reset in time: writes into streams that are gone.
      peer.head(request.stream)
      peer.body(request.stream, ByteBuffer(repeating: 1, count: 30_000), end: false)
    }
    try await HTTP2Scene.with(script: script) { scene in
      let connection = try await scene.open()
      for _ in 0..<3 {
        var running: [Running] = []
        for _ in 0..<90 { running.append(try await scene.start(connection)) }
        for one in running { try await one.cancel() }
      }
      #expect(try await scene.exchange(connection, .post(bytes: 1)).text == "ok")
      #expect(connection.isOpen)
    }
  }

  @Test func requestBodiesKeepToThePeersWindow() async throws {
    let script: HTTP2Server.Script = { peer, request in
      peer.answer(request.stream, "\(request.body.readableBytes)")
    }
    let settings = [
      HTTP2Setting(parameter: .maxConcurrentStreams, value: 10),
      HTTP2Setting(parameter: .initialWindowSize, value: 10_000),
    ]
    try await HTTP2Scene.with(settings: settings, script: script) { scene in
      let connection = try await scene.open()
      async let large = scene.exchange(connection, .post(bytes: 3_000_000))
      async let small = scene.exchange(connection, .post(bytes: 3_000))
      #expect(try await small.text == "3000")
      #expect(try await large.text == "3000000")
    }
  }

  @Test func anAnswerBeforeTheRequestsEndResetsTheRest() async throws {
    try await HTTP2Scene.with(settings: [HTTP2Setting(parameter: .initialWindowSize, value: 100)]) { scene in
      let connection = try await scene.open()
      let peer = try await scene.peer()
      try await scene.server.eventLoop.submit { peer.replenishes = false }.get()
      let running = try await scene.start(connection, .post(bytes: 1_000))
      // It answers although it has only the first hundred bytes.
      while try await scene.server.run({ _ in peer.lastStream != 1 }) {}
      try await scene.server.run { _ in peer.answer(1, "early") }
      let outcome = try await running.peer.finished()
      #expect(outcome.text == "early")
      #expect(outcome.reusable == true)
      #expect(try await peer.nextReset() == .cancel)
      #expect(connection.isOpen)
    }
  }
}

/// Reading that is withheld.
@Suite(.mustEnd) struct HTTP2BackPressureTests {
  @Test func aSlowReaderHoldsUpNobodyElse() async throws {
    let total = 2_000_000
    let script: HTTP2Server.Script = { peer, request in
      if request.headers.first(name: ":method") == "POST" { return peer.answer(request.stream) }
      peer.head(request.stream, [("content-length", "\(total)")])
      peer.body(request.stream, ByteBuffer(repeating: 7, count: total))
    }
    try await HTTP2Scene.with(options: { $0.http2.streamWindow = 100_000 }, script: script) { scene in
      let connection = try await scene.open()
      let peer = RecordingPeer(on: scene.harness.eventLoop)
      let slow = try await scene.start(connection, .get, peer: peer)
      try await slow.setReading(false)
      // Others go on, well beyond the connection's first window.
      for _ in 0..<20 { #expect(try await scene.exchange(connection, .post(bytes: 10)).text == "ok") }
      let before = try await slow.outcome().body.count
      #expect(before <= 100_000, "\(before)")
      #expect(try await scene.peer().windowUpdatesNow().isEmpty || before > 0)
      try await slow.setReading(true)
      let outcome = try await slow.peer.finished()
      #expect(outcome.body.count == total)
      #expect(outcome.failure == nil)
      #expect(try await !scene.peer().windowUpdatesNow().isEmpty)
    }
  }

  /// The end comes behind what is held, and so does a failure.
  @Test(arguments: [true, false]) func whatIsHeldComesFirst(_ endsWell: Bool) async throws {
    let script: HTTP2Server.Script = { peer, request in
      if request.headers.first(name: ":method") == "POST" { return peer.answer(request.stream) }
      peer.head(request.stream)
      peer.body(request.stream, ByteBuffer(string: "one"), end: false)
    }
    try await HTTP2Scene.with(script: script) { scene in
      let connection = try await scene.open()
      let recording = RecordingPeer(on: scene.harness.eventLoop)
      let begun = scene.harness.eventLoop.makePromise(of: Void.self)
      recording.onBody = { _ in begun.succeed() }
      let running = try await scene.start(connection, .get, peer: recording)
      try await begun.futureResult.arrival(of: "the beginning of an answer")
      try await running.setReading(false)
      let peer = try await scene.peer()
      try await scene.server.run { _ in
        peer.body(1, ByteBuffer(string: "two"), end: endsWell)
        if !endsWell { peer.reset(1, .internalError) }
      }
      if endsWell {
        // Its answer comes behind those frames.
        #expect(try await scene.exchange(connection, .post(bytes: 1)).text == "ok")
        #expect(try await running.outcome().text == "one")
        try await running.setReading(true)
      }
      let outcome = try await running.peer.finished()
      #expect(outcome.text == "onetwo")
      #expect((outcome.failure == nil) == endsWell)
      #expect(outcome.late == 0)
    }
  }
}

extension HTTP2Peer {
  func windowUpdatesNow() async throws -> [Int] { try await channel.eventLoop.submit { self.windowUpdates }.get() }
}
