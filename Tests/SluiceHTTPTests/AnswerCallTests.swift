import NIOCore
import NIOHTTP2
import SluiceDialects
import SluiceHTTP
import SluicePolicy
import SluiceRuntime
import Testing

/// One small request and its answer, as heartbeats, probes and metadata services need it.
@Suite(.mustEnd) struct AnswerCallTests {
  private struct Seen: Sendable, Equatable {
    var status: Int?
    var body = ""
    var isWhole = false
    var reusable = false
    var failure: AnswerFailure?

    init(_ result: Result<SmallAnswer, AnswerFailure>) {
      switch result {
      case .failure(let failure): self.failure = failure
      case .success(let answer):
        status = answer.status
        body = String(buffer: answer.body)
        isWhole = answer.isWhole
        reusable = answer.reusable
      }
    }
  }

  /// A call under way, and how often it has said that it is over.
  private struct Call: Sendable {
    let call: NIOLoopBound<AnswerCall>
    let promise: EventLoopPromise<Seen>
    let count: Guarded<Int>

    func seen() async throws -> Seen { try await promise.futureResult.get() }

    func cancel() async throws {
      try await call.eventLoop.submit { call.value.cancel() }.get()
      // Nobody fulfils it any more.
      promise.fail(ChannelError.eof)
    }
  }

  private func start(
    _ connection: UpstreamConnection, bound: Int = 100, within limit: TimeAmount = .hours(1)
  ) async throws -> Call {
    let eventLoop = connection.eventLoop
    return try await eventLoop.submit {
      let promise = eventLoop.makePromise(of: Seen.self)
      let count = Guarded(0)
      let call = AnswerCall.start(.get, on: connection, bound: bound, deadline: eventLoop.now + limit) {
        count.withLock { $0 += 1 }
        promise.succeed(Seen($0))
      }
      return Call(call: NIOLoopBound(call, eventLoop: eventLoop), promise: promise, count: count)
    }.get()
  }

  /// One call over HTTP/1.1, answered by `server`.
  private func http1(
    bound: Int = 100, within limit: TimeAmount = .hours(1), _ server: (RawPeer) async throws -> Void
  ) async throws -> (seen: Seen, isOpen: Bool) {
    let harness = try Harness()
    let raw = try await RawServer.start()
    let connection = try await harness.openAny(HTTPOrigin(scheme: .http, host: "127.0.0.1", port: raw.port))
    let peer = try await raw.accept()
    let call = try await start(connection, bound: bound, within: limit)
    try await peer.request()
    try await server(peer)
    let seen = try await call.seen()
    // Whatever else the end brings has happened by then.
    let isOpen = try await harness.eventLoop.submit { connection.isOpen }.get()
    try await raw.stop()
    try await harness.eventLoop.submit {}.get()
    #expect(call.count.value == 1)
    return (seen, isOpen)
  }

  /// One call over HTTP/2, and a second one if the connection is there for it.
  private func http2(
    bound: Int = 100, within limit: TimeAmount = .hours(1), _ script: @escaping HTTP2Server.Script
  ) async throws -> (seen: Seen, next: Seen?) {
    var result: (seen: Seen, next: Seen?)?
    let scripted: HTTP2Server.Script = { $1.stream == 1 ? script($0, $1) : $0.answer($1.stream) }
    try await HTTP2Scene.with(script: scripted) { scene in
      let connection = try await scene.open()
      let call = try await start(connection, bound: bound, within: limit)
      let seen = try await call.seen()
      let isOpen = try await scene.harness.eventLoop.submit { connection.isOpen }.get()
      result = (seen, isOpen ? try await start(connection).seen() : nil)
      #expect(call.count.value == 1)
    }
    return try #require(result)
  }

  private func reason(_ seen: Seen) -> UpstreamFailure.Reason? {
    if case .exchange(let failure) = seen.failure { failure.reason } else { nil }
  }

  // MARK: HTTP/1.1

  @Test func theWholeAnswerComesOnce() async throws {
    let (seen, isOpen) = try await http1 {
      try await $0.send("HTTP/1.1 404 X\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n")
      try await $0.send("2\r\nde\r\n0\r\n\r\n")
    }
    #expect(seen.status == 404 && seen.body == "abcde" && seen.isWhole && seen.reusable && isOpen)
  }

  /// As long as may be is whole; a byte more is not, and is not kept.
  @Test(arguments: [5, 4]) func aBodyBeyondTheBoundIsNotWaitedFor(_ bound: Int) async throws {
    let (seen, isOpen) = try await http1(bound: bound) { peer in
      try await peer.send("HTTP/1.1 200 OK\r\ncontent-length: \(bound == 5 ? 5 : 50)\r\n\r\nabcde")
    }
    #expect(seen.body == "abcde".prefix(bound) && seen.status == 200)
    #expect(seen.isWhole == (bound == 5) && seen.reusable == (bound == 5) && isOpen == (bound == 5))
  }

  @Test func aCloseBeforeTheHead() async throws {
    let (seen, isOpen) = try await http1 { await $0.close() }
    #expect(reason(seen) == .closed && seen.failure?.failureClass == .network && !isOpen)
  }

  @Test func aCloseInTheBody() async throws {
    let (seen, isOpen) = try await http1 {
      try await $0.send("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc")
      await $0.close()
    }
    #expect(reason(seen) == .closed && seen.status == nil && !isOpen, "half an answer is none")
  }

  @Test func informationalHeadsAreNoAnswer() async throws {
    let (seen, isOpen) = try await http1 {
      try await $0.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n")
      try await $0.send("HTTP/1.1 204 No Content\r\n\r\n")
    }
    #expect(seen.status == 204 && seen.isWhole && isOpen)
  }

  @Test func theDeadlineHoldsForTheWholeAnswer() async throws {
    let (seen, isOpen) = try await http1(within: .milliseconds(200)) {
      try await $0.send("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc")
      try await $0.clientClosed()
    }
    #expect(seen.failure == .timeout && seen.failure?.failureClass == .timeout && !isOpen)
  }

  @Test func anAnswerAfterTheCancelIsNotHeard() async throws {
    let harness = try Harness()
    let raw = try await RawServer.start()
    let connection = try await harness.openAny(HTTPOrigin(scheme: .http, host: "127.0.0.1", port: raw.port))
    let peer = try await raw.accept()
    let call = try await start(connection)
    try await peer.request()
    try await call.cancel()
    try? await peer.send(okAnswer)
    try await peer.clientClosed()
    try await harness.eventLoop.submit { #expect(!connection.isOpen) }.get()
    #expect(call.count.value == 0)
    try await raw.stop()
  }

  // MARK: HTTP/2

  @Test func theWholeAnswerComesOnceOnAStream() async throws {
    let (seen, next) = try await http2 { peer, request in
      peer.head(request.stream, status: "103", [("link", "x")])
      peer.head(request.stream, status: "404")
      peer.body(request.stream, ByteBuffer(string: "abc"), end: false)
      peer.body(request.stream, ByteBuffer(string: "de"))
    }
    #expect(seen.status == 404 && seen.body == "abcde" && seen.isWhole && seen.reusable && next?.status == 200)
  }

  /// The stream is given up, not only ignored: the peer could go on for ever.
  @Test func aBodyBeyondTheBoundEndsItsStreamOnly() async throws {
    try await HTTP2Scene.with(script: { peer, request in
      guard request.stream == 1 else { return peer.answer(request.stream) }
      peer.head(request.stream)
      peer.body(request.stream, ByteBuffer(string: "abcde"), end: false)
    }) { scene in
      let connection = try await scene.open()
      let seen = try await start(connection, bound: 4).seen()
      #expect(seen.body == "abcd" && !seen.isWhole && !seen.reusable)
      #expect(try await scene.peer().nextReset() == .cancel)
      #expect(try await start(connection).seen().body == "ok")
    }
  }

  @Test func aCloseBeforeTheHeadOfAStream() async throws {
    let (seen, next) = try await http2 { peer, _ in peer.channel.close(promise: nil) }
    #expect(reason(seen) == .closed && next == nil)
  }

  @Test func aStreamThatEndsInItsBody() async throws {
    let (seen, next) = try await http2 { peer, request in
      peer.head(request.stream)
      peer.body(request.stream, ByteBuffer(string: "abc"), end: false)
      peer.reset(request.stream, .internalError)
    }
    #expect(reason(seen) == .streamReset(HTTP2Code(rawValue: 2)) && seen.status == nil && next?.status == 200)
  }

  @Test func theDeadlineEndsTheStreamOnly() async throws {
    let (seen, next) = try await http2(within: .milliseconds(200)) { peer, request in peer.head(request.stream) }
    #expect(seen.failure == .timeout && next?.status == 200)
  }

  @Test func anAnswerAfterTheCancelOfAStreamIsNotHeard() async throws {
    try await HTTP2Scene.with(script: { peer, request in if request.stream != 1 { peer.answer(request.stream) } }) {
      scene in
      let connection = try await scene.open()
      let call = try await start(connection)
      try await scene.server.requests(1)
      try await call.cancel()
      #expect(try await scene.peer().nextReset() == .cancel)
      try await scene.server.run { $0.peers[0].answer(1) }
      #expect(try await start(connection).seen().status == 200)
      #expect(call.count.value == 0)
    }
  }
}
