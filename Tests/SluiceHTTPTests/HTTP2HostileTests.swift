import NIOCore
import NIOHPACK
import NIOHTTP2
import SluiceDialects
import SluiceHTTP
import SluicePolicy
import Testing

/// Peers that want to exhaust us: each ends in an error of the connection, with a name, and within its bound.
@Suite(.mustEnd) struct HTTP2HostileTests {
  /// Streams that are refused as fast as they are opened are the peer's right; resets that nobody asked for are not.
  @Test func resetsWithoutEnd() async throws {
    let script: HTTP2Server.Script = { peer, request in
      guard request.stream > 1 else { return }
      for _ in 0..<60 { peer.raw(HTTP2Peer.frame(0x3, stream: UInt8(Int(request.stream)), [0, 0, 0, 8])) }
    }
    try await HTTP2Scene.with(options: { $0.http2.maxResets = 40 }, script: script) { scene in
      let sink = RecordingSink(on: scene.harness.eventLoop)
      let connection = try await scene.open(sink: sink)
      let bystander = try await scene.start(connection)
      _ = try await scene.exchange(connection)
      let failure = try await bystander.peer.finished().failure
      #expect(failure?.label == "http2_reset_flood", "\(String(describing: failure))")
      _ = try await sink.closed()
      #expect(!connection.isOpen)
    }
  }

  /// Four kilobytes said once and then referred to by a byte each: sixteen megabytes if anybody wrote them out.
  @Test func aHeadThatUnpacksToMegabytes() async throws {
    let failure = try await HTTP2Scene.fault { peer, _ in
      let large =
        [0x40, 0x01, UInt8(ascii: "x"), 0x7F, 0xA1, 0x1E] + [UInt8](repeating: UInt8(ascii: "v"), count: 4_000)
      peer.raw(HTTP2Peer.frame(0x1, flags: 0x4, stream: 1, [0x88] + large + [UInt8](repeating: 0xBE, count: 4_000)))
    }
    // The codec stops writing at the bound, and calls it a fault of the compression.
    #expect(failure?.label == "http2_framing", "\(String(describing: failure))")
  }

  @Test func aFrameThatIsLargerThanAllowed() async throws {
    let failure = try await HTTP2Scene.fault { peer, _ in
      peer.raw(HTTP2Peer.frame(0x0, stream: 1, [UInt8](repeating: 0, count: 16_385)))
    }
    #expect(failure?.label == "http2_framing", "\(String(describing: failure))")
  }

  /// That of a stream which has sent all it had to send is of no interest to anybody.
  @Test func aWindowThatOverflows() async throws {
    let failure = try await HTTP2Scene.fault { peer, _ in
      for _ in 0..<2 { peer.raw(HTTP2Peer.frame(0x8, stream: 0, [0x7F, 0xFF, 0xFF, 0xFF])) }
    }
    #expect(failure?.label == "http2_flow_control", "\(String(describing: failure))")
  }

  /// A window of more than 2³¹ − 1, a frame size of nothing, and push switched on by the wrong side.
  @Test(
    arguments: [
      [0, 4, 0xFF, 0xFF, 0xFF, 0xFF], [0, 5, 0, 0, 0, 0], [0, 2, 0, 0, 0, 9],
    ] as [[UInt8]])
  func settingsThatMakeNoSense(_ setting: [UInt8]) async throws {
    let failure = try await HTTP2Scene.fault { peer, _ in peer.raw(HTTP2Peer.frame(0x4, stream: 0, setting)) }
    #expect(failure?.failureClass == .protocolError, "\(String(describing: failure))")
  }

  // MARK: What we owe to a peer that behaves

  /// The first ones and each change are answered: until then the peer has to go by the old ones.
  @Test func settingsAreAcknowledged() async throws {
    try await HTTP2Scene.with { scene in
      let connection = try await scene.open()
      let peer = try await scene.peer()
      _ = try await scene.exchange(connection)
      #expect(try await scene.server.run { _ in peer.settingsAnswers } == 1)
      try await scene.server.run { _ in peer.allow(streams: 3) }
      // The answer goes out when the settings are read, and an exchange begun after that comes behind it.
      while try await scene.harness.eventLoop.submit({ connection.capacity }).get() != 3 {
        try await scene.harness.kernelTime(.milliseconds(5))
      }
      _ = try await scene.exchange(connection)
      #expect(try await scene.server.run { _ in peer.settingsAnswers } == 2)
    }
  }

  /// Many answers are together larger than the connection's window; it is given back as they arrive.
  @Test func theConnectionsWindowIsGivenBack() async throws {
    let script: HTTP2Server.Script = { peer, request in
      peer.head(request.stream)
      peer.body(request.stream, ByteBuffer(repeating: 7, count: 60_000))
    }
    try await HTTP2Scene.with(options: { $0.http2.connectionWindow = 131_072 }, script: script) { scene in
      let connection = try await scene.open()
      for _ in 0..<8 { #expect(try await scene.exchange(connection).body.count == 60_000) }
    }
  }

  /// A connection that nobody uses is not kept awake by questions, while one in use is asked again and again.
  @Test func onlyWhatIsInUseIsQuestioned() async throws {
    let script: HTTP2Server.Script = { peer, request in
      if request.headers.first(name: ":method") == "POST" {
        peer.head(request.stream)
      } else {
        peer.answer(request.stream)
      }
    }
    try await HTTP2Scene.with(
      options: {
        $0.http2.pingAfter = .milliseconds(500)
        $0.http2.pingTimeout = .seconds(10)
      }, script: script
    ) { scene in
      let idle = try await scene.open()
      #expect(try await scene.exchange(idle).text == "ok")
      let busy = try await scene.open()
      let running = try await scene.start(busy, .post(bytes: 1))
      let (idlePeer, busyPeer) = try await (scene.peer(0), scene.peer(1))
      while try await scene.server.run({ _ in busyPeer.pings }) < 3 {
        try await scene.harness.kernelTime(.milliseconds(50))
      }
      #expect(try await scene.server.run { _ in idlePeer.pings } == 0)
      #expect(idle.isOpen)
      try await running.cancel()
    }
  }
}
