import NIOCore
import NIOPosix
import SluiceHTTP
import SluicePolicy
import SluiceRuntime
import Testing

/// Exchanges with a scripted server over loopback.
@Suite(.mustEnd) struct ExchangeTests {
  private func withServer(
    _ change: (inout HTTPConnectionOptions) -> Void = { _ in },
    _ body: (Harness, RawServer) async throws -> Void
  ) async throws {
    let harness = try Harness(change)
    let server = try await RawServer.start()
    do {
      try await body(harness, server)
    } catch {
      try await server.stop()
      throw error
    }
    try await server.stop()
  }

  @Test func oneConnectionServesMany() async throws {
    try await withServer { harness, server in
      let connection = try await harness.open(server)
      let peer = try await server.accept()
      for round in 0..<3 {
        let outcome = try await harness.exchange(connection, with: peer, answer: okAnswer)
        #expect(outcome.text == "ok")
        #expect(outcome.reused == (round > 0))
        #expect(outcome.reusable == true)
      }
      #expect(server.all.count == 1)
      #expect(connection.served == 3)
      connection.close(reason: .shutdown)
      try await peer.clientClosed()
    }
  }

  @Test func everyVariantByteByByte() async throws {
    try await withServer { harness, server in
      for variant in Variant.all {
        let connection = try await harness.open(server)
        let peer = try await server.accept()
        let recording = try await harness.start(connection, variant.isHead ? .headOnly : .get)
        try await peer.request()
        try await peer.sendBytewise(variant.text)
        if variant.closes { await peer.close() }
        let outcome = try await recording.finished()
        #expect(outcome.failure == nil, "\(variant.name)")
        #expect(outcome.text == variant.body, "\(variant.name)")
        #expect(outcome.reusable == variant.reusable, "\(variant.name)")
        connection.close(reason: .shutdown)
      }
    }
  }

  @Test func theServerClosesAtEveryByte() async throws {
    try await withServer { harness, server in
      let bytes = Array("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n".utf8)
      for length in 0..<bytes.count {
        let connection = try await harness.open(server)
        let peer = try await server.accept()
        let recording = try await harness.start(connection)
        try await peer.request()
        try await peer.send(ByteBuffer(bytes: bytes[..<length]))
        await peer.close()
        let outcome = try await recording.finished()
        #expect(outcome.failure?.failureClass == .network, "\(length) bytes")
        #expect(outcome.failure?.replaySafe == false)
        #expect(outcome.reusable == nil)
      }
    }
  }

  @Test func reset() async throws {
    try await withServer { harness, server in
      let connection = try await harness.open(server)
      let peer = try await server.accept()
      let recording = try await harness.start(connection)
      try await peer.request()
      try await peer.reset()
      let outcome = try await recording.finished()
      #expect(outcome.failure?.reason == .reset)
      #expect(outcome.failure?.replaySafe == false)
    }
  }

  /// A server that has closed its sending side will never answer, so there is nothing to wait for.
  @Test func halfClosed() async throws {
    try await withServer { harness, server in
      let connection = try await harness.open(server)
      let peer = try await server.accept()
      let recording = try await harness.start(connection)
      try await peer.request()
      try await peer.closeOutput()
      #expect(try await recording.finished().failure?.reason == .closed)
      try await peer.clientClosed()
    }
  }

  @Test func cancelReachesTheServer() async throws {
    try await withServer { harness, server in
      let connection = try await harness.open(server)
      let peer = try await server.accept()
      let recording = try await harness.start(connection)
      try await peer.request()
      try await peer.send("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\npart")
      try await recording.headArrived.futureResult.arrival(of: "the head of an answer")
      try await harness.eventLoop.submit { connection.cancel() }.get()
      try await peer.clientClosed()
      #expect(recording.outcome.failure == nil)
    }
  }

  /// The server refuses a long upload without reading it: its answer counts, not the broken upload.
  @Test(arguments: [413, 431]) func anEarlyAnswerWins(_ status: Int) async throws {
    try await withServer { harness, server in
      let connection = try await harness.open(server)
      let peer = try await server.accept()
      try await peer.pauseReading()
      let recording = try await harness.start(connection, .post(bytes: 16 * 1_024 * 1_024))
      try await peer.send("HTTP/1.1 \(status) No\r\nconnection: close\r\ncontent-length: 8\r\n\r\ntoo long")
      await peer.close()
      let outcome = try await recording.finished()
      #expect(outcome.status == status)
      #expect(outcome.text == "too long")
      #expect(outcome.reusable == false)
      #expect(outcome.failure == nil)
    }
  }

  /// The same from a server that says the connection could go on: the rest of the request is still unsent.
  @Test func anAnswerThatOvertakesItsRequestEndsTheConnection() async throws {
    try await withServer { harness, server in
      let connection = try await harness.open(server)
      let peer = try await server.accept()
      try await peer.pauseReading()
      let recording = try await harness.start(connection, .post(bytes: 16 * 1_024 * 1_024))
      try await peer.send(okAnswer)
      let outcome = try await recording.finished()
      #expect(outcome.text == "ok")
      #expect(outcome.reusable == false)
      #expect(!connection.isOpen)
    }
  }

  @Test func aLongUploadArrivesWhole() async throws {
    try await withServer { harness, server in
      let connection = try await harness.open(server)
      let peer = try await server.accept()
      let recording = try await harness.start(connection, .post(bytes: 4 * 1_024 * 1_024))
      try await peer.request()
      let body = try await peer.receive(until: String(repeating: "x", count: 4 * 1_024 * 1_024))
      #expect(body.utf8.count == 4 * 1_024 * 1_024)
      try await peer.send(okAnswer)
      #expect(try await recording.finished().reusable == true)
    }
  }
}

/// What a slow reader costs in memory.
@Suite(.mustEnd) struct BackPressureTests {
  /// Delivered after the head while reading was withheld, for an answer of `size` bytes that the server ends at once.
  private func deliveredWhilePaused(_ size: Int) async throws -> (paused: Int, outcome: Outcome) {
    let harness = try Harness { $0.receiveBufferBytes = 65_536 }
    let server = try await RawServer.start()
    let connection = try await harness.open(server)
    let peer = try await server.accept()
    let recording = RecordingPeer(on: harness.eventLoop)
    recording.onHead = { connection.setReading(false) }
    _ = try await harness.start(connection, peer: recording)
    try await peer.request()
    let channel = peer.channel
    channel.write(
      ByteBuffer(string: "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: \(size)\r\n\r\n"), promise: nil)
    channel.writeAndFlush(ByteBuffer(repeating: 1, count: size), promise: nil)
    let closed = channel.closeFuture
    closed.whenComplete { _ in }
    channel.close(mode: .output, promise: nil)
    try await recording.headArrived.futureResult.arrival(of: "the head of an answer")
    // Long enough for the kernels to fill every buffer on the way.
    try await harness.kernelTime(.milliseconds(300))
    let paused = try await harness.eventLoop.submit {
      let count = recording.outcome.body.count
      connection.setReading(true)
      return count
    }.get()
    let outcome = try await recording.finished()
    try await server.stop()
    return (paused, outcome)
  }

  @Test func aLongAnswerWaitsInTheKernel() async throws {
    let (paused, outcome) = try await deliveredWhilePaused(8 * 1_024 * 1_024)
    #expect(outcome.body.count == 8 * 1_024 * 1_024)
    #expect(outcome.failure == nil)
    #expect(paused <= 65_536, "more than the read that brought the head")
  }

  /// With the end already in the kernel's buffer everything is handed over whatever the demand; the buffer bounds it.
  @Test func theEndOfAShortAnswerIsBoundedByTheReceiveBuffer() async throws {
    let (paused, outcome) = try await deliveredWhilePaused(100_000)
    #expect(outcome.body.count == 100_000)
    #expect(outcome.failure == nil)
    #expect(paused <= 2 * 65_536 + 65_536)
  }
}

/// Between exchanges.
@Suite(.mustEnd) struct IdleTests {
  private func idle(
    _ change: (inout HTTPConnectionOptions) -> Void = { _ in }
  ) async throws -> (Harness, RawServer, HTTPConnection, RawPeer, RecordingSink) {
    let harness = try Harness(change)
    let server = try await RawServer.start()
    let sink = RecordingSink(on: harness.eventLoop)
    let connection = try await harness.open(server, sink: sink)
    let peer = try await server.accept()
    return (harness, server, connection, peer, sink)
  }

  @Test func anEndIsNoticedAtOnce() async throws {
    let began = SystemClock().now()
    let (harness, server, connection, peer, sink) = try await idle()
    _ = try await harness.exchange(connection, with: peer, answer: okAnswer)
    await peer.close()
    let idleFor = try await sink.closed()
    #expect(idleFor != nil)
    #expect((idleFor ?? .max) < SystemClock().now() - began)
    #expect(!connection.isOpen)
    connection.close(reason: .idle)
    #expect(try await harness.eventLoop.submit { sink.closedCount }.get() == 1)
    try await server.stop()
  }

  @Test func aResetIsNoticedAtOnce() async throws {
    let (_, server, connection, peer, sink) = try await idle()
    try await peer.reset()
    #expect(try await sink.closed() != nil)
    #expect(!connection.isOpen)
    try await server.stop()
  }

  @Test(arguments: ["HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n", "x"])
  func unaskedBytesEndIt(_ bytes: String) async throws {
    let (_, server, connection, peer, sink) = try await idle()
    try await peer.send(bytes)
    #expect(try await sink.closed() != nil)
    #expect(!connection.isOpen)
    try await peer.clientClosed()
    try await server.stop()
  }

  @Test func ourOwnCloseTeachesNothing() async throws {
    let (_, server, connection, _, sink) = try await idle()
    connection.close(reason: .age)
    #expect(try await sink.closed() == nil)
    try await server.stop()
  }

  @Test func anAnnouncedLimitIsPassedOnWhenItChanges() async throws {
    let (harness, server, connection, peer, sink) = try await idle()
    for seconds in [5, 5, 7, 90_000] {
      let answer = "HTTP/1.1 200 OK\r\nkeep-alive: timeout=\(seconds)\r\ncontent-length: 2\r\n\r\nok"
      #expect(try await harness.exchange(connection, with: peer, answer: answer).reusable == true)
    }
    #expect(try await harness.eventLoop.submit { sink.limits }.get() == [.seconds(5), .seconds(7)])
    let last = "HTTP/1.1 200 OK\r\nkeep-alive: timeout=0\r\ncontent-length: 2\r\n\r\nok"
    #expect(try await harness.exchange(connection, with: peer, answer: last).reusable == false)
    try await server.stop()
  }

  @Test func verifyBelievesALivingPeer() async throws {
    let (harness, server, connection, _, _) = try await idle()
    #expect(try await harness.verify(connection))
    connection.close(reason: .shutdown)
    #expect(try await harness.verify(connection) == false)
    try await server.stop()
  }

  /// Nothing was heard for over a second, so the kernel is made to ask, and the peer's kernel answers.
  @Test func verifyAsksAQuietPeer() async throws {
    let (harness, server, connection, _, _) = try await idle { $0.trustHeardWithin = .seconds(1) }
    try await harness.kernelTime(.milliseconds(1_200))
    #expect(try await harness.verify(connection))
    #expect(connection.isOpen)
    try await server.stop()
  }

  /// The kernel's own probe is due in the same tick: its timer, armed long before, may be late by much.
  @Test func verifyAsksWhenTheKernelIsAboutToAsk() async throws {
    let (harness, server, connection, _, _) = try await idle {
      $0.trustHeardWithin = .seconds(1)
      $0.keepAliveIdle = .seconds(5)
    }
    while try await harness.quietMilliseconds(connection) < 5_000 { try await harness.kernelTime(.milliseconds(1)) }
    #expect(try await harness.verify(connection))
    try await server.stop()
  }

  /// The peer's kernel has answered long ago when the loop finds the time to look.
  @Test func aBusyLoopDoesNotMakeALivingPeerLookGone() async throws {
    // Nobody else's loop may be held.
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let harness = try Harness(on: group.next()) { $0.trustHeardWithin = .seconds(1) }
    let server = try await RawServer.start()
    let opening = NIODeadline.now()
    let connection = try await harness.open(server)
    try await harness.kernelTime(.milliseconds(1_200))
    #expect(try await harness.verify(connection, quietSince: opening))
    connection.close(reason: .shutdown)
    try await server.accept().clientClosed()
    try await server.stop()
    try await group.shutdownGracefully()
  }

  @Test func verifyFindsASilentlyDroppedPeer() async throws {
    let (harness, server, connection, peer, _) = try await idle { $0.trustHeardWithin = .seconds(1) }
    try await peer.dropSilently()
    try await harness.kernelTime(.milliseconds(1_200))
    #expect(try await harness.verify(connection) == false)
    try await server.stop()
  }
}
