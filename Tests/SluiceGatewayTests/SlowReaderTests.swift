import NIOCore
import SluiceDialects
import SluiceGateway
import SluicePolicy
import SluiceRuntime
import Testing

/// Clients that ask, and do not read what they are answered.
@Suite("Slow readers", .mustEnd)
struct SlowReaderTests {
  @Test("Answers that the gateway gives itself are not piled up for a client that reads none of them")
  func ownAnswersAreBounded() async throws {
    let gateway = try await TestGateway.start([])
    let client = try await gateway.connect(autoRead: false, receiveBuffer: 16_384)
    let requests = String(repeating: Requests.get("/nowhere"), count: 400_000)
    let written: EventLoopFuture<Void> = client.channel.writeAndFlush(ByteBuffer(string: requests))
    #expect(try await gateway.unsentWhenSettled(client) > 4 << 20)
    client.close()
    await #expect(throws: (any Error).self) { try await written.get() }
    await gateway.stop()
  }

  @Test("It goes on as soon as the client reads, and nothing is left out")
  func goesOn() async throws {
    let gateway = try await TestGateway.start([])
    let client = try await gateway.connect(autoRead: false, receiveBuffer: 16_384)
    let count = 16_000
    client.post(String(repeating: Requests.get("/nowhere"), count: count))
    client.post(Requests.get("/nowhere", headers: "connection: close\r\n"))
    _ = try await gateway.unsentWhenSettled(client)
    try await client.channel.setOption(.autoRead, value: true).get()
    let bytes = Array(await client.readToEnd().utf8)
    // Each answer begins with `HTTP/`, which stands nowhere else in it.
    let answers = bytes.indices.count { bytes[$0] == 0x2F && $0 >= 4 && bytes[$0 - 1] == 0x50 && bytes[$0 - 4] == 0x48 }
    #expect(answers == count + 1)
    await gateway.stop()
  }

  /// A gateway, and a client of it that has been sent more than the system takes, of which it has read nothing.
  private struct Scene {
    static let size = 12 << 20
    static let idle = Interval.milliseconds(50)

    let clock = HeldClock()
    let upstream: RawUpstream
    let gateway: TestGateway
    let client: RawSocket

    init(closes: Bool) async throws {
      upstream = try await RawUpstream.start(on: TestGateway.group)
      var limits = GatewayLimits.unhurried
      limits.idleTimeout = Self.idle
      // The whole answer is held, and so is written in one piece that is far more than the client takes.
      limits.maxHeldAnswer = 2 * Self.size
      gateway = try await TestGateway.start([.init(ports: [upstream.port])], limits: limits, clock: clock)
      client = try await gateway.connect(autoRead: false, receiveBuffer: 16_384)
      try await client.send(Requests.chat(headers: closes ? "connection: close\r\n" : ""))
      let provider = try await upstream.connection()
      _ = await provider.readRequest()
      try await provider.answer(String(repeating: "x", count: Self.size))
      _ = try await gateway.metrics { $0.total.requests == 1 }
    }

    func end() async throws {
      client.close()
      await gateway.stop()
      try await upstream.stop()
    }
  }

  @Test(
    "A client that is still reading its answer when the idle clock runs out gets all of it", arguments: [true, false])
  func keepsItsTail(closes: Bool) async throws {
    let scene = try await Scene(closes: closes)
    // Its clock began to run no earlier: when it is gone, the other's clock has been looked at as well.
    let idle = try await scene.gateway.connect()
    try await idle.send(Requests.get("/nowhere"))
    _ = await idle.readAnswer()
    scene.clock.advance(by: Scene.idle)
    await idle.waitForEnd()
    _ = try await scene.gateway.unsentWhenSettled(scene.client)
    try await scene.client.channel.setOption(.autoRead, value: true).get()
    let head = await scene.client.read(until: "\r\n\r\n")
    #expect(head.hasPrefix("HTTP/1.1 200"))
    #expect(await scene.client.read(count: Scene.size).utf8.count == Scene.size)
    try await scene.end()
  }

  @Test("A client that takes nothing more is given up", arguments: [true, false])
  func givenUp(closes: Bool) async throws {
    let scene = try await Scene(closes: closes)
    for _ in 1...400 where try await scene.gateway.metrics().connectionsOpen > 0 {
      scene.clock.advance(by: Scene.idle)
      // Other clients would be counted: only the gateway's own loops are passed through.
      for _ in 1...20 { _ = try await scene.gateway.server.metrics.snapshot() }
    }
    #expect(try await scene.gateway.metrics { $0.connectionsOpen == 0 }.connectionsOpen == 0)
    try await scene.end()
  }
}
