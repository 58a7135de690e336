import NIOCore
import NIOEmbedded
import NIOPosix
import SluiceHTTP
import SluicePolicy
import SluiceRuntime
import Testing

/// When a broken exchange may be repeated on a fresh connection.
@Suite(.mustEnd) struct ReplayTests {
  private struct Scene {
    let harness: Harness
    let server: RawServer
    let connection: HTTPConnection
    let peer: RawPeer
  }

  private func scene(
    served: Bool, _ change: (inout HTTPConnectionOptions) -> Void = { _ in }
  ) async throws -> Scene {
    let harness = try Harness(change)
    let server = try await RawServer.start()
    let connection = try await harness.open(server)
    let peer = try await server.accept()
    if served { _ = try await harness.exchange(connection, with: peer, answer: okAnswer) }
    return Scene(harness: harness, server: server, connection: connection, peer: peer)
  }

  /// Starts an exchange, lets the server take the request and then do something.
  private func failure(_ scene: Scene, _ server: (RawPeer) async throws -> Void) async throws -> UpstreamFailure? {
    let recording = try await scene.harness.start(scene.connection)
    try await scene.peer.request()
    try await server(scene.peer)
    let failure = try await recording.finished().failure
    try await scene.server.stop()
    return failure
  }

  @Test func freshConnectionClosed() async throws {
    let failure = try await failure(try await scene(served: false)) { await $0.close() }
    #expect(failure?.replaySafe == false)
    #expect(failure?.reused == false)
  }

  /// Opened ahead of demand and waiting since: as likely to be dead as one that has served.
  @Test func waitingConnectionClosed() async throws {
    let failure = try await failure(try await scene(served: false) { $0.staleAfter = .zero }) { await $0.close() }
    #expect(failure?.replaySafe == true)
    #expect(failure?.reused == false)
  }

  @Test func reusedConnectionClosed() async throws {
    let failure = try await failure(try await scene(served: true)) { await $0.close() }
    #expect(failure?.reason == .closed)
    #expect(failure?.replaySafe == true)
    #expect(failure?.reused == true)
  }

  @Test func reusedConnectionReset() async throws {
    let failure = try await failure(try await scene(served: true)) { try await $0.reset() }
    #expect(failure?.reason == .reset)
    #expect(failure?.replaySafe == true)
  }

  /// The connection breaks after the pool has lent it and before the request is written. Its loop, which nobody else
  /// uses, is held until the kernel knows, so that writing itself finds out.
  private func outcomeOfABrokenWrite(_ server: (RawPeer) async throws -> Void) async throws -> Outcome {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let outcome = try await outcomeOfABrokenWrite(on: group.next(), server)
    try await group.shutdownGracefully()
    return outcome
  }

  private func outcomeOfABrokenWrite(
    on loop: any EventLoop, _ server: (RawPeer) async throws -> Void
  ) async throws -> Outcome {
    let harness = try Harness(on: loop)
    let raw = try await RawServer.start()
    let connection = try await harness.open(raw)
    let peer = try await raw.accept()
    _ = try await harness.exchange(connection, with: peer, answer: okAnswer)
    // A future of the held loop could not be waited for.
    let held = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: Void.self)
    let recording = harness.eventLoop.submit {
      held.succeed()
      while let descriptor = connection.descriptor, SocketFacts.read(descriptor)?.isEstablished == true {}
      let recording = RecordingPeer(on: harness.eventLoop)
      connection.start(.get, peer: recording)
      #expect(recording.outcome.failure == nil, "never from inside start")
      return recording
    }
    try await held.futureResult.get()
    try await server(peer)
    let outcome = try await recording.get().finished()
    try await raw.stop()
    return outcome
  }

  @Test func resetBetweenGrantAndStart() async throws {
    let outcome = try await outcomeOfABrokenWrite { try await $0.reset() }
    #expect(outcome.failure?.failureClass == .network)
    #expect(outcome.failure?.replaySafe == true)
    #expect(outcome.late == 0)
  }

  @Test func closedBetweenGrantAndStart() async throws {
    let outcome = try await outcomeOfABrokenWrite { await $0.close() }
    #expect(outcome.failure?.failureClass == .network)
    #expect(outcome.failure?.replaySafe == true)
    #expect(outcome.late == 0)
  }

  /// The farewell lies unread in the kernel as writing fails: it is not taken for an answer to our request.
  @Test func farewellBetweenGrantAndStart() async throws {
    let outcome = try await outcomeOfABrokenWrite {
      try await $0.send("HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
      try await $0.reset()
    }
    #expect(outcome.status == nil)
    #expect(outcome.failure?.replaySafe == true)
    #expect(outcome.late == 0)
  }

  @Test func aSingleByteForbidsIt() async throws {
    let failure = try await failure(try await scene(served: true)) {
      try await $0.send("H")
      await $0.close()
    }
    #expect(failure?.bytesReceived == 1)
    #expect(failure?.replaySafe == false)
  }

  @Test func anInformationalAnswerForbidsIt() async throws {
    let failure = try await failure(try await scene(served: true)) {
      try await $0.send("HTTP/1.1 100 Continue\r\n\r\n")
      await $0.close()
    }
    #expect(failure?.replaySafe == false)
  }

  @Test func garbageForbidsIt() async throws {
    let failure = try await failure(try await scene(served: true)) { try await $0.send("garbage\r\n") }
    #expect(failure?.failureClass == .protocolError)
    #expect(failure?.replaySafe == false)
  }

  /// Some servers say farewell with 408 when their idle timeout and our request cross.
  @Test func theFarewellOfAnIdleTimeout() async throws {
    let farewell = "HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
    let failure = try await failure(try await scene(served: true)) { try await $0.send(farewell) }
    #expect(failure?.reason == .idleTimeoutAnswer)
    #expect(failure?.replaySafe == true)
  }

  @Test func aTimeoutNeverEndsInAReplay() async throws {
    let scene = try await scene(served: true)
    let recording = try await scene.harness.start(scene.connection)
    try await scene.peer.request()
    // The exchange's own clock ran out: the owner cancels, and hears nothing that it could take for permission.
    try await scene.harness.eventLoop.submit { scene.connection.cancel() }.get()
    try await scene.peer.clientClosed()
    #expect(recording.outcome.failure == nil)
    try await scene.server.stop()
  }
}

/// A peer that vanished without a word. The kernel's retransmission timer is the clock here.
@Suite(.mustEnd) struct DeadPathTests {
  @Test func aSilentlyDroppedConnectionIsFoundInTwoSeconds() async throws {
    let harness = try Harness()
    let server = try await RawServer.start()
    let sink = RecordingSink(on: harness.eventLoop)
    let connection = try await harness.open(server, sink: sink)
    let peer = try await server.accept()
    _ = try await harness.exchange(connection, with: peer, answer: okAnswer)
    try await peer.dropSilently()
    let recording = try await harness.start(connection)
    let outcome = try await recording.finished()
    #expect(outcome.failure?.reason == .deadPath)
    #expect(try await harness.eventLoop.submit { sink.reasons }.get() == [.deadPath])
    #expect(outcome.failure?.replaySafe == true)
    // Counted in ticks of half a second, so that a busy machine cannot fail it.
    let ticks = try await harness.eventLoop.submit { connection.monitor.tick - connection.startedTick }.get()
    #expect(ticks <= 4)
    try await server.stop()
  }

  /// The server's window is full and stays so: its kernel still acknowledges our probes, so somebody is there.
  @Test func aStuckUploadIsNotADeadPath() async throws {
    let harness = try Harness()
    let server = try await RawServer.start()
    let connection = try await harness.open(server)
    let peer = try await server.accept()
    try await peer.pauseReading()
    let recording = try await harness.start(connection, .post(bytes: 32 * 1_024 * 1_024))
    try await harness.monitorTicks(5, connection)
    #expect(try await harness.eventLoop.submit { recording.isFinished }.get() == false)
    #expect(connection.isOpen)
    connection.close(reason: .shutdown)
    try await server.stop()
  }

  /// The request was acknowledged; the upstream just thinks for longer than any tick.
  @Test func aThinkingUpstreamIsNotADeadPath() async throws {
    let harness = try Harness()
    let server = try await RawServer.start()
    let connection = try await harness.open(server)
    let peer = try await server.accept()
    let recording = try await harness.start(connection)
    try await peer.request()
    try await harness.monitorTicks(3, connection)
    #expect(try await harness.eventLoop.submit { connection.isPathProven }.get())
    try await peer.send(okAnswer)
    #expect(try await recording.finished().text == "ok")
    try await server.stop()
  }

  /// In virtual time, on an embedded channel.
  @Test func theMonitorRestsWhenNobodyWaits() throws {
    let channel = EmbeddedChannel()
    let loop = channel.embeddedEventLoop
    let monitor = DeadPathMonitor(eventLoop: loop)
    let connection = HTTPConnection(
      eventLoop: loop, options: .unhurried, events: nil, clock: SystemClock(), monitor: monitor, isTLS: false)
    try channel.pipeline.syncOperations.addHandler(connection)
    try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    loop.advanceTime(by: .hours(1))
    #expect(monitor.tick == 0, "no exchange has begun")
    connection.start(.get, peer: RecordingPeer(on: loop))
    loop.advanceTime(by: .milliseconds(1_600))
    #expect(monitor.tick == 3)
    try channel.writeInbound(ByteBuffer(string: okAnswer))
    loop.advanceTime(by: .hours(1))
    #expect(monitor.tick == 4, "the one that finds nobody is the last")
    connection.start(.get, peer: RecordingPeer(on: loop))
    loop.advanceTime(by: .milliseconds(1_100))
    #expect(monitor.tick == 6)
    _ = try? channel.finish(acceptAlreadyClosed: true)
  }
}
