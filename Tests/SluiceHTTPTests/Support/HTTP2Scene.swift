import NIOCore
import NIOHTTP2
import NIOPosix
import NIOSSL
import SluiceHTTP
import SluicePolicy
import SluiceRuntime
import Testing

/// A server of HTTP/2 without TLS and what a test needs to talk to it.
struct HTTP2Scene: Sendable {
  let harness: Harness
  let server: HTTP2Server
  let origin: HTTPOrigin

  static func with(
    settings: HTTP2Settings = [HTTP2Setting(parameter: .maxConcurrentStreams, value: 100)],
    options: (inout HTTPConnectionOptions) -> Void = { _ in },
    script: @escaping HTTP2Server.Script = { $0.answer($1.stream) },
    _ body: (HTTP2Scene) async throws -> Void
  ) async throws {
    let server = try await HTTP2Server.start(settings: settings, script: script)
    do {
      let harness = try Harness(options)
      var origin = HTTPOrigin(scheme: .http, host: "127.0.0.1", port: server.port)
      origin.version = .http2
      try harness.connector.add(origin)
      try await body(HTTP2Scene(harness: harness, server: server, origin: origin))
    } catch {
      try await server.stop()
      throw error
    }
    try await server.stop()
  }

  /// How the one exchange of a connection ended whose peer breaks the rules, and the connection with it.
  static func fault(
    options: (inout HTTPConnectionOptions) -> Void = { _ in }, _ script: @escaping HTTP2Server.Script
  ) async throws -> UpstreamFailure? {
    var failure: UpstreamFailure?
    try await with(options: options, script: script) { scene in
      let sink = RecordingSink(on: scene.harness.eventLoop)
      let connection = try await scene.open(sink: sink)
      failure = try await scene.exchange(connection).failure
      _ = try await sink.closed()
      #expect(!connection.isOpen)
    }
    return failure
  }

  func open(sink: RecordingSink? = nil) async throws -> UpstreamConnection {
    try await harness.openAny(origin, sink: sink)
  }

  /// Starts an exchange; the handle cancels it and pauses it, on the harness's loop.
  func start(
    _ connection: UpstreamConnection, _ request: UpstreamRequest = .get, peer: RecordingPeer? = nil
  ) async throws -> Running {
    try await harness.eventLoop.submit {
      let peer = peer ?? RecordingPeer(on: harness.eventLoop)
      return Running(peer: peer, handle: connection.start(request, peer: peer), eventLoop: harness.eventLoop)
    }.get()
  }

  func exchange(_ connection: UpstreamConnection, _ request: UpstreamRequest = .get) async throws -> Outcome {
    try await start(connection, request).peer.finished()
  }

  func pool(_ change: (inout PoolSettings) -> Void = { _ in }) throws -> PoolDriver<UpstreamConnection> {
    var settings = PoolSettings(
      name: "test", origins: [OriginSettings(identity: origin.identity, name: "local")],
      endpoints: [EndpointSettings(identity: "one", name: "one", origin: 0)])
    change(&settings)
    return try PoolDriver(settings: settings, loops: [harness.eventLoop], seed: 1, connector: harness.connector)
  }

  /// The server's end of a connection.
  func peer(_ index: Int = 0) async throws -> HTTP2Peer { try await server.run { $0.peers[index] } }
}

/// `@unchecked Sendable`: the handle is used on the loop only.
struct Running: @unchecked Sendable {
  let peer: RecordingPeer
  let handle: any UpstreamExchange
  let eventLoop: any EventLoop

  func cancel() async throws { try await eventLoop.submit { handle.cancel() }.get() }
  func setReading(_ on: Bool) async throws { try await eventLoop.submit { handle.setReading(on) }.get() }
  /// What has come so far.
  func outcome() async throws -> Outcome { try await eventLoop.submit { peer.outcome }.get() }
}
