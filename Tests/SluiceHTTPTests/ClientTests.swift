import NIOCore
import NIOPosix
import SluiceDialects
import SluiceHTTP
import SluicePolicy
import SluiceRuntime
import Testing

/// The client for tasks, over a pool with one scripted server behind it.
@Suite(.mustEnd) struct ClientTests {
  private struct Scene {
    let server: RawServer
    let client: SimpleHTTPClient
    let pool: PoolDriver<UpstreamConnection>

    func send(
      _ request: HTTPClientRequest, timeouts: HTTPClientTimeouts = .unhurried
    ) async throws -> HTTPClientResponse {
      try await client.send(request, timeouts: timeouts)
    }
  }

  private func withScene(_ body: (Scene) async throws -> Void) async throws {
    let harness = try Harness()
    let server = try await RawServer.start()
    let origin = HTTPOrigin(scheme: .http, host: "127.0.0.1", port: server.port, basePath: "/base")
    try harness.connector.add(origin)
    var settings = PoolSettings(
      name: "test", origins: [OriginSettings(identity: origin.identity, name: "local")],
      endpoints: [EndpointSettings(identity: "one", name: "one", origin: 0)])
    settings.connections.connectTimeout = .hours(1)
    settings.connections.verifyAfter = .hours(1)
    settings.connections.idleTimeout = .hours(1)
    let pool = try PoolDriver(settings: settings, loops: [harness.eventLoop], seed: 1, connector: harness.connector)
    let scene = Scene(server: server, client: SimpleHTTPClient(pool: pool, origin: origin), pool: pool)
    do {
      try await body(scene)
    } catch {
      _ = await pool.drain(within: .zero)
      try await server.stop()
      throw error
    }
    _ = await pool.drain(within: .zero)
    try await server.stop()
  }

  @Test func aWholeAnswer() async throws {
    try await withScene { scene in
      for round in 0..<2 {
        async let response = scene.send(
          HTTPClientRequest(
            method: "POST", path: "/v1/x?y=1", headers: [("x-test", "a b")], body: ByteBuffer(string: "body")))
        let peer = try await scene.server.peer(round == 0 ? nil : 0)
        let head = try await peer.request()
        #expect(head.hasPrefix("POST /base/v1/x?y=1 HTTP/1.1\r\nhost: 127.0.0.1:"))
        #expect(head.contains("\r\nx-test: a b\r\ncontent-length: 4\r\n"))
        _ = try await peer.receive(until: "body")
        try await peer.send(
          "HTTP/1.1 201 Created\r\nX-Request-Id: 7\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"
        )
        let answer = try await response
        #expect(answer.status == 201)
        #expect(answer.header("x-request-id") == "7")
        #expect(answer.reused == (round > 0))
        #expect(String(buffer: try await answer.body.collect(upTo: 5)) == "hello")
      }
      #expect(scene.pool.snapshot().numbers.leased == 0)
    }
  }

  @Test func aBodyHasItsBound() async throws {
    try await withScene { scene in
      async let response = scene.send(HTTPClientRequest(path: "/"))
      let peer = try await scene.server.accept()
      try await peer.request()
      try await peer.send("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsix...")
      let answer = try await response
      await #expect(throws: HTTPClientError.bodyTooLarge(limit: 5)) { try await answer.body.collect(upTo: 5) }
    }
  }

  @Test func aBrokenBodyThrows() async throws {
    try await withScene { scene in
      async let response = scene.send(HTTPClientRequest(path: "/"))
      let peer = try await scene.server.accept()
      try await peer.request()
      try await peer.send("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsix")
      let answer = try await response
      await peer.close()
      let error = await #expect(throws: HTTPClientError.self) { try await answer.body.collect(upTo: 100) }
      #expect(error?.failureClass == .network)
    }
  }

  /// A long answer that is read slowly stays in the kernels, then arrives whole.
  @Test func aSlowReaderHoldsTheServerBack() async throws {
    try await withScene { scene in
      let size = 8 * 1_024 * 1_024
      async let response = scene.send(HTTPClientRequest(path: "/"))
      let peer = try await scene.server.accept()
      try await peer.request()
      peer.channel.write(ByteBuffer(string: "HTTP/1.1 200 OK\r\ncontent-length: \(size)\r\n\r\n"), promise: nil)
      let sent = peer.channel.eventLoop.makePromise(of: Void.self)
      let flag = Guarded(false)
      sent.futureResult.whenSuccess { flag.replace(with: true) }
      peer.channel.writeAndFlush(ByteBuffer(repeating: 7, count: size), promise: sent)
      let answer = try await response
      // A turn of both loops for every read that could still come.
      for _ in 0..<200 { try await peer.channel.eventLoop.submit {}.get() }
      #expect(flag.value == false)
      var count = 0
      for try await piece in answer.body { count += piece.readableBytes }
      #expect(count == size)
    }
  }

  /// Sends a request whose answer stays incomplete, and lets go of it.
  private func peerOfAnAbandonedAnswer(_ scene: Scene) async throws -> RawPeer {
    async let response = scene.send(HTTPClientRequest(path: "/"))
    let peer = try await scene.server.accept()
    try await peer.request()
    try await peer.send("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsix")
    #expect(try await response.status == 200)
    return peer
  }

  @Test func lettingGoClosesTheConnection() async throws {
    try await withScene { scene in
      let peer = try await peerOfAnAbandonedAnswer(scene)
      try await peer.clientClosed()
    }
  }

  @Test func cancellationReachesTheServer() async throws {
    try await withScene { scene in
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { _ = try await scene.send(HTTPClientRequest(path: "/")) }
        let peer = try await scene.server.accept()
        try await peer.request()
        group.cancelAll()
        try await peer.clientClosed()
        do {
          try await group.next()
          Issue.record("an answer")
        } catch {
          #expect(error is CancellationError)
        }
      }
    }
  }

  @Test func eachClockHasItsName() async throws {
    try await withScene { scene in
      var head = HTTPClientTimeouts.unhurried
      head.head = .milliseconds(50)
      async let response = scene.send(HTTPClientRequest(path: "/"), timeouts: head)
      let peer = try await scene.server.accept()
      try await peer.clientClosed()
      do {
        _ = try await response
        Issue.record("an answer")
      } catch {
        #expect(error as? HTTPClientError == .timeout(.head))
      }

      var between = HTTPClientTimeouts.unhurried
      between.between = .milliseconds(50)
      async let second = scene.send(HTTPClientRequest(path: "/"), timeouts: between)
      let other = try await scene.server.accept()
      try await other.request()
      try await other.send("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsix")
      let answer = try await second
      await #expect(throws: HTTPClientError.timeout(.between)) { try await answer.body.collect(upTo: 100) }
    }
  }

  /// The server closes the reused connection as the second request arrives: repeated once, on a fresh one.
  @Test func theReplayRule() async throws {
    try await withScene { scene in
      async let first = scene.send(HTTPClientRequest(path: "/"))
      let peer = try await scene.server.accept()
      try await peer.request()
      try await peer.send(okAnswer)
      _ = try await first.body.collect(upTo: 10)
      async let second = scene.send(HTTPClientRequest(path: "/"))
      try await peer.request()
      await peer.close()
      let fresh = try await scene.server.accept()
      try await fresh.request()
      try await fresh.send(okAnswer)
      let answer = try await second
      #expect(answer.reused == false)
      #expect(String(buffer: try await answer.body.collect(upTo: 10)) == "ok")
    }
  }

  @Test(arguments: [
    HTTPClientRequest(method: "GET /x HTTP/1.1\r\nx:", path: "/"),
    HTTPClientRequest(path: "v1"),
    HTTPClientRequest(path: "/a b"),
    HTTPClientRequest(path: "/a\r\nx: y"),
    HTTPClientRequest(path: "/", headers: [("x", "a\r\nb: c")]),
    HTTPClientRequest(path: "/", headers: [("x y", "a")]),
  ])
  func nothingCanBeSmuggledIn(_ request: HTTPClientRequest) {
    #expect(throws: HTTPClientError.self) { try request.serialised(host: "host", basePath: "") }
  }
}

@Suite(.mustEnd) struct ProbeTests {
  private func probe(
    within limit: Interval = .hours(1), _ server: (RawServer) async throws -> Void
  ) async throws -> ProbeResult {
    let harness = try Harness()
    let raw = try await RawServer.start()
    let origin = HTTPOrigin(scheme: .http, host: "127.0.0.1", port: raw.port)
    let probe = HTTPProbe(connector: harness.connector) { identity in
      guard identity == "known" else { return nil }
      return HTTPProbeTarget(origin: origin, head: UpstreamRequest.get.head) { $0 == 200 ? nil : .credential }
    }
    let promise = harness.eventLoop.makePromise(of: ProbeResult.self)
    harness.eventLoop.execute {
      probe.probe(EndpointID(rawValue: 1), identity: "known", deadline: SystemClock().now() + limit) {
        promise.succeed($0)
      }
    }
    try await server(raw)
    let result = try await promise.futureResult.get()
    try await raw.stop()
    return result
  }

  private func answering(_ text: String) async throws -> ProbeResult {
    try await probe { server in
      let peer = try await server.accept()
      try await peer.request()
      try await peer.send(text)
      try await peer.clientClosed()
    }
  }

  @Test func success() async throws {
    guard case .success(let latency) = try await answering(okAnswer) else {
      Issue.record("no success")
      return
    }
    #expect(latency > .zero)
  }

  @Test func theStatusDecides() async throws {
    let answer = "HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n"
    #expect(try await answering(answer) == .failed(.credential))
  }

  @Test func garbage() async throws {
    #expect(try await answering("garbage\r\n") == .failed(.protocolError))
  }

  @Test func closed() async throws {
    let result = try await probe { server in
      let peer = try await server.accept()
      try await peer.request()
      await peer.close()
    }
    #expect(result == .failed(.network))
  }

  @Test func noAnswer() async throws {
    let result = try await probe(within: .milliseconds(200)) { server in
      try await server.accept().clientClosed()
    }
    #expect(result == .failed(.timeout))
  }

  @Test func anEndpointWithoutAFreeCall() async throws {
    let harness = try Harness()
    let probe = HTTPProbe(connector: harness.connector) { _ in nil }
    let promise = harness.eventLoop.makePromise(of: ProbeResult.self)
    probe.probe(EndpointID(rawValue: 1), identity: "x", deadline: .distantFuture) { promise.succeed($0) }
    #expect(try await promise.futureResult.get() == .unavailable)
  }
}
