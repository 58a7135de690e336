import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOPosix
import SluiceDialects
import SluiceHTTP
import SluicePolicy
import SluiceRuntime
import Testing

/// Pools whose resources are HTTP/2 connections.
@Suite(.mustEnd) struct HTTP2PoolTests {
  /// The server that takes away what it had promised: a hundred streams, then ten, and farewells in between.
  /// `@unchecked Sendable`: confined to the server's loop, read when everything is over.
  private final class MovingTarget: @unchecked Sendable {
    static let before = 100
    static let after = 10
    var served = 0
    var allowed = before
    var told: [ObjectIdentifier: Int] = [:]
    var leaving: Set<ObjectIdentifier> = []
    var refused = 0
    var farewells = 0
    var violations: [String] = []
    /// Says whether somebody waits for a slot although one is free.
    var waitsInVain: (() -> Bool)?

    func request(_ peer: HTTP2Peer, _ stream: HTTP2StreamID) {
      let id = ObjectIdentifier(peer)
      if waitsInVain?() == true { violations.append("a wait in vain at request \(served)") }
      if allowed != Self.before, told[id] == nil {
        told[id] = allowed
        peer.allow(streams: allowed)
      }
      if leaving.contains(id) || peer.live.count > Self.before {
        refused += 1
        return peer.reset(stream, .refusedStream)
      }
      // Thinks for a moment, so that many are under way at a time.
      peer.channel.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(3)) { self.answer(peer, stream) }
    }

    private func answer(_ peer: HTTP2Peer, _ stream: HTTP2StreamID) {
      guard peer.live.contains(stream) else { return }
      peer.answer(stream)
      served += 1
      if served == 250 { lower(peer) }
      if served == 150 || served == 400 || served == 700 { farewell(peer, stream) }
    }

    private func lower(_ peer: HTTP2Peer) {
      allowed = Self.after
      for each in peer.server?.peers ?? [] where !each.isClosed {
        told[ObjectIdentifier(each)] = allowed
        each.allow(streams: allowed)
      }
    }

    /// Half of what is under way will not be looked at. The client closes once it has the rest: a server that closed
    /// first would reset the connection over requests that it has not read, and answers on their way with it.
    private func farewell(_ peer: HTTP2Peer, _ stream: HTTP2StreamID) {
      guard leaving.insert(ObjectIdentifier(peer)).inserted else { return }
      farewells += 1
      let behind = peer.live.sorted().suffix(peer.live.count / 2)
      let last = behind.first.map { HTTP2StreamID(Int($0) - 2) } ?? peer.lastStream
      for dropped in behind { peer.live.remove(dropped) }
      peer.goAway(after: last)
    }
  }

  @Test func aThousandCallsWhileTheServerTakesBackWhatItPromised() async throws {
    let target = MovingTarget()
    let settings = [HTTP2Setting(parameter: .maxConcurrentStreams, value: MovingTarget.before)]
    try await HTTP2Scene.with(settings: settings, script: { target.request($0, $1.stream) }) { scene in
      let pool = try scene.pool {
        $0.connections.max = 4
        $0.queue.capacity = 2_000
      }
      try await scene.server.run { _ in
        target.waitsInVain = {
          let snapshot = pool.snapshot()
          return snapshot.numbers.waiting > 0 && snapshot.slots.idle > 0
        }
      }
      let client = SimpleHTTPClient(pool: pool, origin: scene.origin)
      let failures = await withTaskGroup(of: String?.self) { group in
        for number in 0..<1_000 {
          group.addTask {
            do {
              let request = HTTPClientRequest(method: "POST", path: "/\(number)", body: ByteBuffer(string: "hello"))
              let answer = try await client.send(request)
              return String(buffer: try await answer.body.collect(upTo: 100)) == "ok" ? nil : "another answer"
            } catch {
              return "\(error)"
            }
          }
        }
        var failures: [String] = []
        for await failure in group { if let failure { failures.append(failure) } }
        return failures
      }
      #expect(failures.isEmpty, "\(failures.count): \(failures.prefix(3))")
      #expect(try await scene.server.run { _ in target.violations } == [])
      #expect(try await scene.server.run { _ in target.farewells } == 3)
      #expect(try await scene.server.run { _ in target.allowed } == MovingTarget.after)
      let snapshot = pool.snapshot()
      #expect(snapshot.numbers.leased == 0 && snapshot.numbers.waiting == 0)
      #expect(snapshot.counters.rejected.total == 0)
      #expect(snapshot.endpoints.allSatisfy { $0.failures == 0 }, "nobody is to blame")
      _ = await pool.drain(within: .seconds(5))
    }
  }

  /// Refusals go out again, but not for ever.
  @Test func aServerThatRefusesEverythingIsGivenUp() async throws {
    try await HTTP2Scene.with(script: { $0.reset($1.stream, .refusedStream) }) { scene in
      let pool = try scene.pool()
      let client = SimpleHTTPClient(pool: pool, origin: scene.origin)
      let error = await #expect(throws: HTTPClientError.self) {
        _ = try await client.send(HTTPClientRequest(path: "/"))
      }
      guard case .upstream(let failure)? = error else { return }
      #expect(failure.isRefused)
      #expect(try await scene.server.run { $0.peers.reduce(0) { $0 + $1.requestCount } } <= 10)
      _ = await pool.drain(within: .zero)
    }
  }

  @Test func aCancelledCallCostsItsStreamOnly() async throws {
    let script: HTTP2Server.Script = { peer, request in
      if request.headers.first(name: ":path") == "/slow" { return peer.head(request.stream) }
      peer.answer(request.stream)
    }
    try await HTTP2Scene.with(script: script) { scene in
      let pool = try scene.pool()
      let client = SimpleHTTPClient(pool: pool, origin: scene.origin)
      for _ in 0..<3 {
        let call = Task { try await client.send(HTTPClientRequest(path: "/slow")).body.collect(upTo: 10) }
        let before = try await scene.server.run { $0.peers.reduce(0) { $0 + $1.requestCount } }
        try await scene.server.requests(before + 1)
        call.cancel()
        _ = try? await call.value
        let answer = try await client.send(HTTPClientRequest(path: "/fast"))
        #expect(String(buffer: try await answer.body.collect(upTo: 10)) == "ok")
      }
      #expect(try await scene.server.run { $0.peers.count } == 1)
      #expect(pool.snapshot().counters.connectsStarted == 1)
      _ = await pool.drain(within: .zero)
    }
  }

  @Test func theNextConnectionOpensAheadOfExhaustion() async throws {
    try await HTTP2Scene.with(
      settings: [HTTP2Setting(parameter: .maxConcurrentStreams, value: 10)], script: { $0.head($1.stream) }
    ) { scene in
      let pool = try scene.pool { $0.connections.max = 2 }
      var held: [HTTPClientResponse] = []
      let client = SimpleHTTPClient(pool: pool, origin: scene.origin)
      for _ in 0..<8 { held.append(try await client.send(HTTPClientRequest(path: "/"))) }
      #expect(pool.snapshot().counters.connectsStarted == 2)
      #expect(pool.snapshot().counters.queued == 1, "only the very first call had to wait for a connection")
      held.removeAll()
      _ = await pool.drain(within: .zero)
    }
  }

  @Test func probesSpeakIt() async throws {
    try await HTTP2Scene.with(script: { $0.answer($1.stream) }) { scene in
      let head = ByteBuffer(string: "GET /v1/models HTTP/1.1\r\nhost: test\r\n\r\n")
      let probe = HTTPProbe(connector: scene.harness.connector) { [origin = scene.origin] _ in
        HTTPProbeTarget(origin: origin, head: head) { $0 == 200 ? nil : .server }
      }
      let promise = scene.harness.eventLoop.makePromise(of: ProbeResult.self)
      probe.probe(EndpointID(rawValue: 0), identity: "one", deadline: SystemClock().now() + .seconds(10)) {
        promise.succeed($0)
      }
      guard case .success = try await promise.futureResult.arrival(of: "a resource") else {
        Issue.record("the probe failed")
        return
      }
      // Its connection was its own.
      try await scene.peer().clientClosed()
    }
  }
}
