import NIOCore
import NIOPosix
import NIOSSL
import SluiceHTTP
import SluicePolicy
import SluiceRuntime
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

private func local(_ server: RawServer) -> HTTPOrigin {
  HTTPOrigin(scheme: .http, host: "127.0.0.1", port: server.port)
}

@Suite(.mustEnd) struct ConnectTests {
  @Test func refused() async throws {
    let harness = try Harness()
    let server = try await RawServer.start()
    let origin = local(server)
    try await server.stop()
    let failure = try #require(try await harness.failure(origin))
    #expect(failure.kind == .refused)
    #expect(failure.failureClass == .network)
    #expect(failure.poolError.label == "refused")
    #expect(failure.description.contains(origin.identity))
  }

  @Test func otherOptionsAreForTheNextConnection() async throws {
    let harness = try Harness()
    let server = try await RawServer.start()
    let early = "HTTP/1.1 102 Processing\r\n\r\n" + okAnswer
    let before = try await harness.open(server)
    let beforePeer = try await server.accept()
    var options = harness.transport.options
    options.maxInformational = 0
    harness.transport.use(options)
    #expect(try await harness.exchange(before, with: beforePeer, answer: early).text == "ok")
    let after = try await harness.open(server)
    let afterPeer = try await server.accept()
    let outcome = try await harness.exchange(after, with: afterPeer, answer: early)
    #expect(outcome.failure?.reason == .tooManyInformational)
    try await server.stop()
  }

  @Test func originsThatAreNotKeptAreForgotten() async throws {
    let harness = try Harness()
    let origins = (1...3).map { port in
      HTTPOrigin(scheme: .https, host: "127.0.0.1", port: port, tls: TLSOptions(verify: port < 2))
    }
    for origin in origins { try harness.connector.add(origin) }
    #expect(harness.connector.knownOrigins.count == 3)
    #expect(harness.transport.contextCount == 2)
    harness.connector.keep(only: [origins[2].identity, "unknown"])
    #expect(harness.connector.knownOrigins == [origins[2].identity])
    #expect(harness.transport.contextCount == 1)
  }

  @Test func aNameThatDoesNotResolve() async throws {
    let failure = try await Harness().failure(HTTPOrigin(scheme: .http, host: "a..b", port: 80))
    #expect(failure?.kind == .dns)
  }

  @Test func aNameResolves() async throws {
    let harness = try Harness()
    let server = try await RawServer.start()
    let connection = try await harness.open(HTTPOrigin(scheme: .http, host: "localhost", port: server.port))
    let peer = try await server.accept()
    #expect(try await harness.exchange(connection, with: peer, answer: okAnswer).text == "ok")
    try await server.stop()
  }

  /// The kernel of the other side drops the handshake's packets: nobody refuses, nobody answers.
  @Test func hungConnect() async throws {
    let harness = try Harness()
    let server = try await RawServer.start()
    try await server.dropSilently()
    let failure = try await harness.failure(local(server), within: .milliseconds(300))
    #expect(failure?.kind == .timeout)
    #expect(failure?.failureClass == .timeout)
    #expect(failure?.description.contains("resolving and connecting") == true)
    try await server.stop()
  }

  @Test func unixSocket() async throws {
    let harness = try Harness()
    let path = "/tmp/sluice-test-\(UInt64.random(in: 0 ... .max)).sock"
    let server = try await RawServer.start(unixPath: path)
    let connection = try await harness.open(try HTTPOrigin(url: "unix:\(path)"))
    let peer = try await server.accept()
    #expect(try await harness.exchange(connection, with: peer, answer: okAnswer).text == "ok")
    #expect(try await harness.verify(connection))
    connection.close(reason: .shutdown)
    try await server.stop()
    #expect(try await harness.failure(try HTTPOrigin(url: "unix:\(path).other"))?.kind == .socketPath)
    unlink(path)
  }

  @Test func anUnknownOriginIsAClearError() async throws {
    let harness = try Harness()
    let promise = harness.eventLoop.makePromise(of: PoolConnectError?.self)
    let request = ConnectRequest(
      resource: ResourceID(index: 0, generation: 1), origin: OriginID(rawValue: 0), originIdentity: "http://gone:80",
      eventLoop: harness.eventLoop, loop: LoopID(rawValue: 0), deadline: SystemClock().now() + .hours(1),
      clock: SystemClock(),
      events: ResourceEvents(
        resource: ResourceID(index: 0, generation: 1), sink: RecordingSink(on: harness.eventLoop)))
    harness.connector.connect(request) { result in
      if case .failure(let error) = result { promise.succeed(error) } else { promise.succeed(nil) }
    }
    #expect(try await promise.futureResult.get()?.label == "unknown_origin")
  }

  @Test func connectsOnTheLoopItIsAskedFor() async throws {
    let harness = try Harness()
    let server = try await RawServer.start()
    try harness.connector.add(local(server))
    let other = MultiThreadedEventLoopGroup.singleton.next()
    let promise = other.makePromise(of: Connected<UpstreamConnection>.self)
    let sink = RecordingSink(on: other)
    let request = ConnectRequest(
      resource: ResourceID(index: 0, generation: 1), origin: OriginID(rawValue: 0),
      originIdentity: local(server).identity, eventLoop: other, loop: LoopID(rawValue: 1),
      deadline: SystemClock().now() + .hours(1), clock: SystemClock(),
      events: ResourceEvents(resource: ResourceID(index: 0, generation: 1), sink: sink))
    harness.connector.connect(request) { promise.completeWith($0.mapError { $0 as any Error }) }
    let connected = try await promise.futureResult.get()
    #expect(connected.capacity == 1)
    #expect(connected.resource.eventLoop === other)
    connected.resource.close(reason: .shutdown)
    #expect(try await sink.closed() == nil)
    try await server.stop()
  }
}

private enum TLSRecord {
  /// How each TLS connection begins: a record of type 22 in the version that old servers expect (RFC 8446 §5.1).
  static let handshake = "\u{16}\u{3}\u{1}"
}

@Suite(.mustEnd) struct TLSTests {
  private static let trusting = TLSOptions(authorityPEM: TestCertificates.authority)

  private func server(certificate: String, key: String) async throws -> RawServer {
    let context = try Self.context(certificate: certificate, key: key)
    return try await RawServer.start { channel in
      try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
    }
  }

  static func context(
    certificate: String = TestCertificates.localhost, key: String = TestCertificates.localhostKey
  ) throws -> NIOSSLContext {
    var configuration = TLSConfiguration.makeServerConfiguration(
      certificateChain: try NIOSSLCertificate.fromPEMBytes(Array(certificate.utf8)).map { .certificate($0) },
      privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(key.utf8), format: .pem)))
    configuration.applicationProtocols = ["http/1.1"]
    return try NIOSSLContext(configuration: configuration)
  }

  private func origin(_ server: RawServer, host: String = "127.0.0.1", _ tls: TLSOptions = Self.trusting) -> HTTPOrigin
  {
    HTTPOrigin(scheme: .https, host: host, port: server.port, tls: tls)
  }

  @Test(arguments: ["127.0.0.1", "localhost"]) func verified(_ host: String) async throws {
    let harness = try Harness()
    let server = try await server(certificate: TestCertificates.localhost, key: TestCertificates.localhostKey)
    let connection = try await harness.open(origin(server, host: host))
    let peer = try await server.accept()
    for round in 0..<2 {
      let outcome = try await harness.exchange(connection, with: peer, answer: okAnswer)
      #expect(outcome.text == "ok")
      #expect(outcome.reused == (round > 0))
    }
    #expect(try await harness.verify(connection))
    connection.close(reason: .shutdown)
    try await server.stop()
  }

  @Test func wrongAuthority() async throws {
    let server = try await server(certificate: TestCertificates.localhost, key: TestCertificates.localhostKey)
    let failure = try await Harness().failure(origin(server, TLSOptions()))
    #expect(failure?.kind == .tlsCertificate)
    #expect(failure?.failureClass == .network)
    try await server.stop()
  }

  @Test(arguments: ["127.0.0.1", "localhost"]) func wrongName(_ host: String) async throws {
    let server = try await server(certificate: TestCertificates.other, key: TestCertificates.otherKey)
    #expect(try await Harness().failure(origin(server, host: host))?.kind == .tlsCertificate)
    try await server.stop()
  }

  @Test func expectedNameByConfiguration() async throws {
    let harness = try Harness()
    let server = try await server(certificate: TestCertificates.other, key: TestCertificates.otherKey)
    var tls = Self.trusting
    tls.serverName = "other.example"
    let connection = try await harness.open(origin(server, tls))
    connection.close(reason: .shutdown)
    try await server.stop()
  }

  @Test func unverifiedWhenToldSo() async throws {
    let harness = try Harness()
    let server = try await server(certificate: TestCertificates.other, key: TestCertificates.otherKey)
    let connection = try await harness.open(origin(server, TLSOptions(verify: false)))
    connection.close(reason: .shutdown)
    try await server.stop()
  }

  @Test func plainServer() async throws {
    let server = try await RawServer.start()
    let harness = try Harness()
    async let failure = harness.failure(origin(server))
    try await server.accept().send("HTTP/1.1 400 Bad Request\r\n\r\n")
    #expect(try await failure?.kind == .tlsHandshake)
    try await server.stop()
  }

  @Test func serverClosesInTheHandshake() async throws {
    let server = try await RawServer.start()
    let harness = try Harness()
    async let failure = harness.failure(origin(server))
    try await server.accept().close()
    #expect(try await failure?.kind == .tlsHandshake)
    try await server.stop()
  }

  /// Accepted, and then nothing: the one deadline covers this too, and the socket does not stay behind.
  @Test func hungHandshake() async throws {
    let harness = try Harness()
    let server = try await RawServer.start()
    let failure = try await harness.failure(origin(server), during: .tls)
    #expect(failure?.kind == .timeout)
    #expect(failure?.description.contains("TLS") == true)
    // Before it there may be those of attempts that did not get to TLS.
    var peer = try await server.accept()
    while (try? await peer.receive(until: TLSRecord.handshake)) == nil { peer = try await server.accept() }
    try await peer.clientClosed()
    try await server.stop()
  }

  /// A peer that takes its time for the handshake is no failure as long as the one deadline holds.
  @Test func slowHandshake() async throws {
    let harness = try Harness()
    // From the first byte on: what was read before TLS is there would be lost to it.
    let server = try await RawServer.start { try $0.syncOptions?.setOption(.autoRead, value: false) }
    async let opening = harness.open(origin(server))
    let peer = try await server.accept()
    try await harness.kernelTime(.milliseconds(150))
    try await peer.secure(try Self.context())
    try await peer.channel.setOption(.autoRead, value: true).get()
    let connection = try await opening
    #expect(try await harness.exchange(connection, with: peer, answer: okAnswer).text == "ok")
    try await server.stop()
  }

  /// A cancelled exchange ends at once, without waiting for the peer to say farewell.
  @Test func cancel() async throws {
    let harness = try Harness()
    let server = try await server(certificate: TestCertificates.localhost, key: TestCertificates.localhostKey)
    let connection = try await harness.open(origin(server))
    let peer = try await server.accept()
    _ = try await harness.start(connection)
    try await peer.request()
    try await harness.eventLoop.submit { connection.cancel() }.get()
    try await peer.clientClosed()
    let error = try await peer.channel.eventLoop.submit { peer.lastError as? NIOSSLError }.get()
    #expect(error == .uncleanShutdown)
    try await server.stop()
  }

  /// An idle connection is ended by the rules of TLS.
  @Test func farewell() async throws {
    let harness = try Harness()
    let server = try await server(certificate: TestCertificates.localhost, key: TestCertificates.localhostKey)
    let connection = try await harness.open(origin(server))
    let peer = try await server.accept()
    connection.close(reason: .idle)
    try await peer.clientClosed()
    #expect(try await peer.channel.eventLoop.submit { peer.lastError == nil }.get())
    try await server.stop()
  }

  @Test func missingAuthorityFile() throws {
    let harness = try Harness()
    let origin = HTTPOrigin(
      scheme: .https, host: "localhost", tls: TLSOptions(authorityFile: "/nonexistent/ca.pem"))
    let error = #expect(throws: HTTPOriginError.self) { try harness.connector.add(origin) }
    #expect(error?.description.contains("/nonexistent/ca.pem") == true)
  }

  /// Without the closing message of TLS an end may be an attacker's: only lengths can be trusted.
  @Test func anEndWithoutItsClosingMessage() async throws {
    let harness = try Harness()
    let server = try await server(certificate: TestCertificates.localhost, key: TestCertificates.localhostKey)
    let connection = try await harness.open(origin(server))
    let peer = try await server.accept()
    let recording = try await harness.start(connection)
    try await peer.request()
    try await peer.send("HTTP/1.1 200 OK\r\n\r\npart of it")
    try await recording.headArrived.futureResult.arrival(of: "the head of an answer")
    try await peer.closeWithoutTLS()
    #expect(try await recording.finished().failure?.reason == .truncated)
    try await server.stop()
  }
}

@Suite(.mustEnd) struct ProxyTests {
  private func origin(_ proxy: RawServer, credentials: String? = nil) -> HTTPOrigin {
    HTTPOrigin(
      scheme: .http, host: "api.example", port: 8_080,
      proxy: HTTPProxy(host: "127.0.0.1", port: proxy.port, credentials: credentials))
  }

  /// The failure of a connect through a proxy that gives this answer.
  private func failure(_ answer: String) async throws -> ConnectFailure? {
    let harness = try Harness()
    let proxy = try await RawServer.start()
    async let failure = harness.failure(origin(proxy))
    let peer = try await proxy.accept()
    try await peer.request()
    try await peer.send(answer)
    let found = try await failure
    try await peer.clientClosed()
    try await proxy.stop()
    return found
  }

  @Test func tunnel() async throws {
    let harness = try Harness()
    let proxy = try await RawServer.start()
    async let opening = harness.open(origin(proxy, credentials: "user:secret"))
    let peer = try await proxy.accept()
    let asked = try await peer.request()
    #expect(asked.hasPrefix("CONNECT api.example:8080 HTTP/1.1\r\nhost: api.example:8080\r\n"))
    #expect(asked.contains("proxy-authorization: Basic dXNlcjpzZWNyZXQ=\r\n"))
    try await peer.sendBytewise("HTTP/1.1 200 Connection established\r\ncontent-length: 0\r\n\r\n")
    let connection = try await opening
    #expect(try await harness.exchange(connection, with: peer, answer: okAnswer).text == "ok")
    try await proxy.stop()
  }

  /// The certificate is the origin's, not the proxy's.
  @Test func tunnelForTLS() async throws {
    let harness = try Harness()
    let proxy = try await RawServer.start()
    let origin = HTTPOrigin(
      scheme: .https, host: "localhost", port: 443, tls: TLSOptions(authorityPEM: TestCertificates.authority),
      proxy: HTTPProxy(host: "127.0.0.1", port: proxy.port))
    async let opening = harness.open(origin)
    let peer = try await proxy.accept()
    #expect(try await peer.request().hasPrefix("CONNECT localhost:443 "))
    let channel = peer.channel
    let context = try TLSTests.context()
    // In one turn of the loop: the client's handshake follows the answer immediately.
    try await channel.eventLoop.submit {
      channel.writeAndFlush(ByteBuffer(string: "HTTP/1.1 200 OK\r\n\r\n"), promise: nil)
      try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context), position: .before(peer))
    }.get()
    let connection = try await opening
    #expect(try await harness.exchange(connection, with: peer, answer: okAnswer).text == "ok")
    try await proxy.stop()
  }

  @Test func otherCredentialsWanted() async throws {
    let failure = try await failure("HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")
    #expect(failure?.kind == .proxyRefused)
    #expect(failure?.description.contains("407") == true)
  }

  @Test(arguments: [
    ("garbage\r\n\r\n", ConnectFailure.Kind.proxyProtocol),
    ("HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", .proxyProtocol),
    ("HTTP/1.1 502 Bad Gateway\r\n\r\n", .proxyRefused),
  ])
  func refuses(_ answer: String, kind: ConnectFailure.Kind) async throws {
    #expect(try await failure(answer)?.kind == kind)
  }

  @Test func anAnswerHasABound() async throws {
    let long = "HTTP/1.1 200 OK\r\nx: " + String(repeating: "y", count: 20_000)
    #expect(try await failure(long)?.kind == .proxyProtocol)
  }

  @Test func closesWithoutAnAnswer() async throws {
    let harness = try Harness()
    let proxy = try await RawServer.start()
    async let failure = harness.failure(origin(proxy))
    try await proxy.accept().close()
    #expect(try await failure?.kind == .proxyRefused)
    try await proxy.stop()
  }

  @Test func neverAnswers() async throws {
    let harness = try Harness()
    let proxy = try await RawServer.start()
    let failure = try await harness.failure(origin(proxy), during: .proxy)
    #expect(failure?.kind == .timeout)
    #expect(failure?.description.contains("waiting for the proxy") == true)
    try await proxy.stop()
  }
}
