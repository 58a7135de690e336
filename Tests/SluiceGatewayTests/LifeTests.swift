import NIOCore
import NIOPosix
import SluiceDialects
import SluiceGateway
import SluiceHTTP
import SluicePolicy
import SluiceRuntime
import Testing

@Suite("Life of the server", .mustEnd)
struct LifeTests {
  @Test("A drain lets open streams finish, refuses newcomers and closes idle connections")
  func drain() async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let gateway = try await TestGateway.start([.init(ports: [upstream.port])])
    let idle = try await gateway.connect()
    try await idle.send(Requests.get("/nowhere"))
    _ = await idle.readAnswer()
    var streams: [(client: RawSocket, provider: RawSocket)] = []
    for _ in 1...8 {
      let client = try await gateway.connect()
      try await client.send(Requests.chat(stream: true))
      let provider = try await upstream.connection()
      _ = await provider.readRequest()
      try await provider.send(RawSocket.streamHead)
      try await provider.sendChunk(Requests.chunk("early"))
      _ = await client.read(until: "\r\n\r\n")
      streams.append((client, provider))
    }
    async let drained = gateway.server.drain(within: .hours(1))
    #expect(await idle.readToEnd() == "")
    await #expect(throws: (any Error).self) { _ = try await gateway.connect() }
    for (_, provider) in streams {
      try await provider.sendChunk(Requests.chunk("late", finish: true) + Requests.done)
      try await provider.endChunks()
    }
    for (client, _) in streams {
      let body = await client.readChunks()
      #expect(body.hasSuffix(Requests.done))
      await client.waitForEnd()
    }
    #expect(await drained)
    await gateway.stop()
    try await upstream.stop()
  }

  @Test("What does not finish in time ends with an error event, not with a cut")
  func forcedDrain() async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let gateway = try await TestGateway.start([.init(ports: [upstream.port])])
    let client = try await gateway.connect()
    try await client.send(Requests.chat(stream: true))
    let provider = try await upstream.connection()
    _ = await provider.readRequest()
    try await provider.send(RawSocket.streamHead)
    try await provider.sendChunk(Requests.chunk("early"))
    _ = await client.read(until: "\r\n\r\n")
    let waiting = try await gateway.connect()
    try await waiting.send(Requests.chat())
    let second = try await upstream.connection()
    _ = await second.readRequest()
    #expect(await gateway.server.drain(within: .milliseconds(20)) == false)
    let body = await client.readChunks()
    #expect(body.contains("shutting_down"))
    #expect(!body.contains("<cut>"))
    #expect(await waiting.readAnswer().status == 503)
    await provider.waitForEnd()
    await gateway.stop()
    try await upstream.stop()
  }

  @Test("A reload while streaming: the stream goes on, new requests go the new way")
  func reconfigure() async throws {
    let old = try await RawUpstream.start(on: TestGateway.group)
    let new = try await RawUpstream.start(on: TestGateway.group)
    let before = TestGateway.Pool(ports: [old.port])
    let gateway = try await TestGateway.start([before])
    let client = try await gateway.connect()
    try await client.send(Requests.chat(stream: true))
    let provider = try await old.connection()
    _ = await provider.readRequest()
    try await provider.send(RawSocket.streamHead)
    try await provider.sendChunk(Requests.chunk("early"))
    _ = await client.read(until: "\r\n\r\n")

    let after = TestGateway.Pool(ports: [new.port], keys: ["other"])
    let pool = try TestGateway.make(
      after, loops: Array(TestGateway.group.makeIterator()), gateway.connector, driver: gateway.pools[0])
    try await gateway.server.publish(try TestGateway.configuration([pool], [after]))

    let second = try await gateway.connect()
    try await second.send(Requests.chat())
    let fresh = try await new.connection()
    #expect(await fresh.readRequest().header("authorization") == "Bearer sk-other")
    try await fresh.answer(Requests.answer)
    #expect(await second.readAnswer().header("x-sluice-endpoint") == "other")

    try await provider.sendChunk(Requests.chunk("a", finish: true) + Requests.done)
    try await provider.endChunks()
    #expect(await client.readChunks().hasSuffix(Requests.done))
    await gateway.stop()
    try await old.stop()
    try await new.stop()
  }

  @Test("A unix socket serves, for its owner only, and is gone after the end")
  func unixSocket() async throws {
    let path = "/tmp/sluice-test-\(UInt32.random(in: 0 ... .max)).sock"
    let settings = GatewaySettings(listen: [try ListenAddress("unix:\(path)")])
    let gateway = try await TestGateway.start([], settings: settings)
    #expect(FileMode.of(path) == 0o600)
    let client = try await gateway.connect()
    try await client.send("GET /v1/models HTTP/1.1\r\nhost: whatever\r\n\r\n")
    #expect(await client.readAnswer().status == 200)
    // A second gateway must not take the socket over.
    await #expect(throws: GatewayStartError.self) { _ = try await TestGateway.start([], settings: settings) }
    // Nor away.
    #expect(FileMode.of(path) == 0o600)
    let later = try await gateway.connect()
    try await later.send("GET /v1/models HTTP/1.1\r\nhost: whatever\r\n\r\n")
    #expect(await later.readAnswer().status == 200)
    later.close()
    client.close()
    await gateway.stop()
    #expect(FileMode.of(path) == nil)
  }

  @Test("Over TLS, requests and streams pass as without")
  func tls() async throws {
    let base = "/tmp/sluice-test-\(UInt32.random(in: 0 ... .max))"
    #expect(TestCertificate.write(TestCertificate.certificate, to: base + ".cert"))
    #expect(TestCertificate.write(TestCertificate.key, to: base + ".key"))
    defer {
      TestCertificate.remove(base + ".cert")
      TestCertificate.remove(base + ".key")
    }
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let gateway = try await TestGateway.start(
      [.init(ports: [upstream.port])],
      settings: GatewaySettings(
        listen: [.tcp(host: "127.0.0.1", port: 0)],
        tls: GatewayTLS(certificatePath: base + ".cert", privateKeyPath: base + ".key")))
    let client = try await RawSocket.connectTLS(to: gateway.address, on: TestGateway.group)
    try await client.send(Requests.chat(stream: true))
    let provider = try await upstream.connection()
    _ = await provider.readRequest()
    try await provider.send(RawSocket.streamHead)
    try await provider.sendChunk(Requests.chunk("a", finish: true) + Requests.done)
    try await provider.endChunks()
    #expect(await client.readAnswer().body.hasSuffix(Requests.done))
    try await client.send(Requests.get("/nowhere", headers: "connection: close\r\n"))
    #expect(await client.readAnswer().status == 404)
    await client.waitForEnd()
    // Plain text on a TLS port ends without an answer.
    let plain = try await gateway.connect()
    try await plain.send(Requests.get("/nowhere"))
    #expect(await !plain.readToEnd().contains("HTTP/1.1"))
    await gateway.stop()
    try await upstream.stop()
  }

  @Test("A connection at home on another loop is used across, stream and back-pressure included")
  func relay() async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let gateway = try await TestGateway.start([.init(ports: [upstream.port], maxConnections: 1)], ownLoops: 2)
    // Clients take turns over the loops; the one upstream connection stays where it was opened.
    var provider: RawSocket?
    var clients: [RawSocket] = []
    for _ in 1...4 {
      let client = try await gateway.connect()
      clients.append(client)
      try await client.send(Requests.chat(stream: true))
      let socket = if let provider { provider } else { try await upstream.connection() }
      provider = socket
      _ = await socket.readRequest()
      try await socket.send(RawSocket.streamHead)
      for number in 0..<50 {
        try await socket.sendChunk(Requests.chunk(String(repeating: "\(number % 10)", count: 20_000)))
      }
      try await socket.sendChunk(Requests.chunk("", finish: true) + Requests.done)
      try await socket.endChunks()
      let body = await client.readAnswer().body
      #expect(body.hasSuffix(Requests.done))
      #expect(body.utf8.count > 1_000_000)
    }
    #expect(try await gateway.metrics { $0.total.requests == 4 }.relayed == 2)
    await gateway.stop()
    try await upstream.stop()
  }

  @Test("GET /v1/models merges what providers list with what the configuration names, in the client's shape")
  func models() async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let gateway = try await TestGateway.start(
      [.init(ports: [upstream.port])],
      routes: [RouteDefinition(model: "fast", targets: [RouteTarget(pool: "openai", upstreamModel: "gpt-4o-mini")])])
    let client = try await gateway.connect()
    try await client.send(Requests.get("/v1/models"))
    let provider = try await upstream.connection()
    #expect(await provider.readRequest().line == "GET /v1/models HTTP/1.1")
    let listing = #"{"object":"list","data":[{"id":"gpt-4o","object":"model","created":1,"owned_by":"x"}]}"#
    try await provider.answer(listing)
    let answer = await client.readAnswer()
    #expect(answer.body.contains(#""gpt-4o""#))
    #expect(answer.body.contains(#""fast""#))
    #expect(answer.body.contains(#""object":"list""#))
    // The second time nobody is asked.
    try await client.send(Requests.get("/v1/models/gpt-4o"))
    #expect(await client.readAnswer().body.contains(#""id":"gpt-4o""#))
    // For the other protocol's list they are.
    try await client.send(Requests.get("/v1/models", headers: "anthropic-version: 2023-06-01\r\n"))
    _ = await provider.readRequest()
    try await provider.answer(listing)
    #expect(await client.readAnswer().body.contains(#""has_more":false"#))
    await gateway.stop()
    try await upstream.stop()
  }

  @Test("Administration: exact paths, and a token for everything but a page without data")
  func administration() async throws {
    let gateway = try await TestGateway.start([], admin: TestAdmin(), adminToken: KeyDigest(of: "secret"))
    let client = try await gateway.connect()
    for (path, headers, status) in [
      ("/health", "", 401), ("/health", "authorization: Bearer wrong\r\n", 401),
      ("/health", "authorization: Bearer secret\r\n", 200), ("/health/x", "authorization: Bearer secret\r\n", 404),
      ("/dashboard", "", 200), ("/dashboard", "origin: http://elsewhere.example\r\n", 403),
      ("/dashboard", "origin: http://elsewhere.example\r\nauthorization: Bearer secret\r\n", 200),
    ] {
      try await client.send(Requests.get(path, headers: headers))
      #expect(await client.readAnswer().status == status, "\(path) \(headers)")
    }
    try await client.send(Requests.get("/events?a=b", headers: "authorization: Bearer secret\r\n"))
    #expect(await client.readAnswer().body == "a=b")
    await gateway.stop()
  }
}

extension LifeTests {
  @Test("An administration side that never answers is given up, and its late word is not listened to")
  func lateAdministration() async throws {
    var limits = GatewayLimits.unhurried
    limits.adminTimeout = .milliseconds(50)
    let admin = TestAdmin()
    let gateway = try await TestGateway.start(
      [], limits: limits, admin: admin, adminToken: KeyDigest(of: "secret"), clock: .system)
    let client = try await gateway.connect()
    try await client.send(Requests.get("/never", headers: "authorization: Bearer secret\r\n"))
    let answer = await client.readAnswer()
    #expect(answer.status == 504)
    #expect(answer.header("date") != nil)
    for promise in admin.unanswered.value { promise.succeed(.text("late")) }
    try await client.send(Requests.get("/health", headers: "authorization: Bearer secret\r\n"))
    #expect(await client.readAnswer().body == "fine")
    await gateway.stop()
  }

  @Test("With TLS configured, unix sockets are served without it")
  func tlsIsForTCPOnly() async throws {
    let base = "/tmp/sluice-test-\(UInt32.random(in: 0 ... .max))"
    #expect(TestCertificate.write(TestCertificate.certificate, to: base + ".cert"))
    #expect(TestCertificate.write(TestCertificate.key, to: base + ".key"))
    defer {
      TestCertificate.remove(base + ".cert")
      TestCertificate.remove(base + ".key")
    }
    let path = "/tmp/sluice-test-\(UInt64.random(in: 0 ... .max)).sock"
    let settings = GatewaySettings(
      listen: [.unix(path: path)],
      tls: GatewayTLS(certificatePath: base + ".cert", privateKeyPath: base + ".key"))
    let gateway = try await TestGateway.start([], settings: settings)
    let client = try await gateway.connect()
    try await client.send(Requests.get("/v1/nothing"))
    #expect(await client.readAnswer().status == 404)
    await gateway.stop()
  }
}

private final class TestAdmin: AdminHandler {
  let unanswered = Guarded<[EventLoopPromise<AdminResponse>]>([])

  func match(method: String, path: String) -> AdminMatch {
    if path == "/dashboard" { return .page }
    return ["/health", "/events", "/never"].contains(path) ? .found : .unknown
  }

  func handle(_ request: AdminRequest, on loop: any EventLoop) -> EventLoopFuture<AdminResponse> {
    if request.path == "/never" {
      let promise = loop.makePromise(of: AdminResponse.self)
      unanswered.withLock { $0.append(promise) }
      return promise.futureResult
    }
    return loop.makeSucceededFuture(.text(request.path == "/events" ? request.query ?? "" : "fine"))
  }
}
