import NIOCore
import SluiceHTTP
import SluicePolicy
import SluiceRuntime
import Testing

/// Heartbeats on a connection that a pool would keep warm.
@Suite(.mustEnd) struct HeartbeatTests {
  private struct Scene {
    var harness: Harness
    var server: RawServer
    var connection: UpstreamConnection
    var peer: RawPeer
    var probe: HTTPProbe
    var sink: RecordingSink
  }

  /// `elsewhere`: the free call goes to another server, as STS is for Bedrock.
  private func scene(elsewhere: RawServer? = nil) async throws -> Scene {
    let harness = try Harness()
    let server = try await RawServer.start()
    let sink = RecordingSink(on: harness.eventLoop)
    let origin = HTTPOrigin(scheme: .http, host: "127.0.0.1", port: server.port)
    let connection = try await harness.openAny(origin, sink: sink)
    let peer = try await server.accept()
    let port = elsewhere?.port ?? server.port
    let probe = HTTPProbe(connector: harness.connector) { identity in
      guard identity == "known" else { return nil }
      return HTTPProbeTarget(
        origin: HTTPOrigin(scheme: .http, host: "127.0.0.1", port: port), isOnOrigin: elsewhere == nil
      ) {
        UpstreamRequest.get.head
      } verdict: { status, _ in
        status == 200 ? nil : .credential
      }
    }
    return Scene(harness: harness, server: server, connection: connection, peer: peer, probe: probe, sink: sink)
  }

  private func beat(
    _ scene: Scene, _ scope: HeartbeatScope = .call, identity: String = "known", within limit: Interval = .hours(1)
  ) -> EventLoopFuture<HeartbeatReport> {
    let promise = scene.harness.eventLoop.makePromise(of: HeartbeatReport.self)
    scene.harness.eventLoop.execute {
      scene.probe.heartbeat(
        HeartbeatRequest(
          endpoint: EndpointID(rawValue: 1), identity: identity, scope: scope, deadline: SystemClock().now() + limit),
        on: scene.connection
      ) { promise.succeed($0) }
    }
    return promise.futureResult
  }

  private func isOpen(_ scene: Scene) async throws -> Bool {
    try await scene.harness.eventLoop.submit { scene.connection.isOpen }.get()
  }

  @Test func theCallTravelsOnTheConnectionItKeeps() async throws {
    let scene = try await scene()
    for _ in 0..<2 {
      let report = beat(scene)
      try await scene.peer.request()
      try await scene.peer.send(okAnswer)
      let ended = try await report.get()
      guard case .success = ended.answer else {
        Issue.record("\(ended)")
        return
      }
      #expect(ended.carried && ended.fate == .reusable)
    }
    #expect(try await isOpen(scene))
    try await scene.server.stop()
  }

  @Test func aRejectedCredentialLeavesThePathAlone() async throws {
    let scene = try await scene()
    let report = beat(scene)
    try await scene.peer.request()
    try await scene.peer.send("HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n")
    let ended = try await report.get()
    #expect(ended == HeartbeatReport(.failed(.credential), carried: true))
    #expect(try await isOpen(scene))
    try await scene.server.stop()
  }

  @Test func aServerThatIsGoneIsADeadPath() async throws {
    let scene = try await scene()
    let report = beat(scene)
    try await scene.peer.request()
    await scene.peer.close()
    #expect(try await report.get() == HeartbeatReport(.failed(.network), carried: false, fate: .close(.broken)))
    try await scene.server.stop()
  }

  /// Whoever answers is there, however badly: what is wrong is the answer, not the path. The pool hears of the closed
  /// connection before it hears of the heartbeat, and is told so too.
  @Test(arguments: [
    ("garbage\r\n\r\n", FailureClass.protocolError, CloseReason.protocolError),
    ("HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n", .protocolError, .protocolError),
    ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", .protocolError, .protocolError),
    ("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc", .network, .broken),
  ])
  func anAnswerThatCannotBeReadIsNoDeadPath(_ answer: String, failure: FailureClass, reason: CloseReason) async throws {
    let scene = try await scene()
    let report = beat(scene)
    try await scene.peer.request()
    try await scene.peer.send(answer)
    if reason == .broken { await scene.peer.close() }
    #expect(try await report.get() == HeartbeatReport(.failed(failure), carried: true, fate: .close(reason)))
    _ = try await scene.sink.closed()
    #expect(try await scene.harness.eventLoop.submit { scene.sink.reasons }.get() == [reason])
    try await scene.server.stop()
  }

  /// Whatever forgot the flow tells nobody: found out by what is not acknowledged, long before the deadline.
  @Test func aForgottenFlowIsADeadPath() async throws {
    let scene = try await scene()
    try await scene.peer.dropSilently()
    let report = try await beat(scene).get()
    #expect(report == HeartbeatReport(.failed(.network), carried: false, fate: .close(.broken)))
    try await scene.server.stop()
  }

  @Test func withoutAnAnswerInTimeTheConnectionGoes() async throws {
    let scene = try await scene()
    let report = try await beat(scene, within: .milliseconds(200)).get()
    #expect(report == HeartbeatReport(.failed(.timeout), carried: false, fate: .close(.verification)))
    try await scene.peer.clientClosed()
    try await scene.server.stop()
  }

  /// Where nothing is asked of the endpoint the kernel asks the peer's: no byte of HTTP is sent.
  @Test func thePathAloneIsFelt() async throws {
    let scene = try await scene()
    // Beyond what is believed without asking.
    try await scene.harness.kernelTime(.milliseconds(1_800))
    #expect(try await beat(scene, .path).get() == .alive)
    #expect(try await beat(scene, .call, identity: "without a free call").get() == .alive)
    try await scene.server.stop()
  }

  /// Heard of two seconds ago, which any call would be content with.
  @Test func aForgottenFlowIsFelt() async throws {
    let scene = try await scene()
    try await scene.peer.dropSilently()
    try await scene.harness.kernelTime(.milliseconds(1_800))
    #expect(try await beat(scene, .path, within: .seconds(2)).get() == .dead)
    try await scene.server.stop()
  }

  @Test func aCallElsewhereIsMadeWhenAProofIsDue() async throws {
    let other = try await RawServer.start()
    let scene = try await scene(elsewhere: other)
    try await scene.harness.kernelTime(.milliseconds(1_800))
    #expect(try await beat(scene, .call).get() == .alive, "no proof is due")
    try await scene.harness.kernelTime(.milliseconds(1_800))
    let report = beat(scene, .proof)
    let sts = try await other.accept()
    try await sts.request()
    try await sts.send("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n")
    #expect(try await report.get() == HeartbeatReport(.failed(.credential), carried: false))
    #expect(try await isOpen(scene))
    try await scene.server.stop()
    try await other.stop()
  }
}
