import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOPosix
import NIOSSL

/// A scripted HTTP/2 server on loopback. What it does with a request is the test's to say.
///
/// `@unchecked Sendable`: everything mutable is touched on `eventLoop` only.
final class HTTP2Server: @unchecked Sendable {
  typealias Script = @Sendable (HTTP2Peer, HTTP2TestRequest) -> Void

  let channel: any Channel
  let eventLoop: any EventLoop
  private(set) var peers: [HTTP2Peer] = []
  private var waiting: [(count: Int, promise: EventLoopPromise<Void>)] = []

  private init(_ channel: any Channel) {
    self.channel = channel
    eventLoop = channel.eventLoop
  }

  var port: Int { channel.localAddress?.port ?? 0 }

  static func start(
    tls: NIOSSLContext? = nil, settings: HTTP2Settings = [HTTP2Setting(parameter: .maxConcurrentStreams, value: 100)],
    on loop: (any EventLoop)? = nil, script: @escaping Script
  ) async throws -> HTTP2Server {
    let loop = loop ?? MultiThreadedEventLoopGroup.singleton.next()
    let box = Box()
    let bootstrap = ServerBootstrap(group: loop)
      .serverChannelOption(.backlog, value: 256)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let pipeline = channel.pipeline.syncOperations
          if let tls { try pipeline.addHandler(NIOSSLServerHandler(context: tls)) }
          var connection = NIOHTTP2Handler.ConnectionConfiguration()
          connection.initialSettings = settings
          connection.headerBlockValidation = .disabled
          connection.contentLengthValidation = .disabled
          connection.controlFrameRateLimit.maximumCount = 100_000
          connection.maximumRecentlyResetStreams = 10_000
          var stream = NIOHTTP2Handler.StreamConfiguration()
          stream.streamResetFrameRateLimit.maximumCount = 100_000
          try pipeline.addHandler(
            NIOHTTP2Handler(
              mode: .server, frameDelegate: nil, connectionConfiguration: connection, streamConfiguration: stream))
          let peer = HTTP2Peer(channel, script)
          try pipeline.addHandler(peer)
          box.server?.arrived(peer)
        }
      }
    return try await bootstrap.bind(host: "127.0.0.1", port: 0).map { channel in
      let server = HTTP2Server(channel)
      box.server = server
      return server
    }.get()
  }

  /// Filled before the first connection can arrive. `@unchecked Sendable`: confined to the loop that accepts them.
  private final class Box: @unchecked Sendable {
    weak var server: HTTP2Server?
  }

  private func arrived(_ peer: HTTP2Peer) {
    peers.append(peer)
    peer.server = self
  }

  /// Until at least so many requests have come in, over all connections.
  func requests(_ count: Int) async throws {
    try await eventLoop.flatSubmit {
      let promise = self.eventLoop.makePromise(of: Void.self)
      self.waiting.append((count, promise))
      self.counted()
      return promise.futureResult
    }.arrival(of: "request \(count) of a client")
  }

  fileprivate func counted() {
    let total = peers.reduce(0) { $0 + $1.requestCount }
    waiting.removeAll { entry in
      guard total >= entry.count else { return false }
      entry.promise.succeed()
      return true
    }
  }

  /// Runs on the server's loop.
  func run<T: Sendable>(_ body: @escaping @Sendable (HTTP2Server) throws -> T) async throws -> T {
    try await eventLoop.submit { try body(self) }.get()
  }

  func stop() async throws {
    try await eventLoop.submit {
      self.waiting.forEach { $0.promise.fail(ChannelError.eof) }
      self.waiting = []
      self.peers.forEach { $0.channel.close(promise: nil) }
    }.get()
    try? await channel.close()
  }
}

struct HTTP2TestRequest: Sendable {
  var stream: HTTP2StreamID
  var headers: HPACKHeaders
  var body = ByteBuffer()
}

/// The server's end of one connection. `@unchecked Sendable`: confined to the channel's event loop.
final class HTTP2Peer: ChannelInboundHandler, @unchecked Sendable {
  typealias InboundIn = HTTP2Frame
  typealias OutboundOut = HTTP2Frame

  let channel: any Channel
  weak var server: HTTP2Server?
  private let script: HTTP2Server.Script
  private var context: ChannelHandlerContext?
  private var open: [HTTP2StreamID: HTTP2TestRequest] = [:]
  private(set) var requestCount = 0
  private(set) var resets: [HTTP2ErrorCode] = []
  private(set) var windowUpdates: [Int] = []
  private(set) var pings = 0
  private(set) var settingsAnswers = 0
  private(set) var goAways: [HTTP2ErrorCode] = []
  private(set) var isClosed = false
  /// Give requests' bodies more window as they come; without it the first 64 KiB is all.
  var replenishes = true
  /// Streams that were begun and not yet answered.
  var live: Set<HTTP2StreamID> = []
  private(set) var mostLive = 0
  private(set) var lastStream = HTTP2StreamID.rootStream
  private var whenReset: [EventLoopPromise<HTTP2ErrorCode>] = []
  private let closed: EventLoopPromise<Void>

  init(_ channel: any Channel, _ script: @escaping HTTP2Server.Script) {
    self.channel = channel
    self.script = script
    closed = channel.eventLoop.makePromise()
  }

  deinit { closed.succeed() }

  func clientClosed() async throws { try await closed.futureResult.arrival(of: "the client's close") }

  /// The code of the next RST_STREAM, or of the first one that came.
  func nextReset() async throws -> HTTP2ErrorCode {
    try await channel.eventLoop.flatSubmit {
      let promise = self.channel.eventLoop.makePromise(of: HTTP2ErrorCode.self)
      if let first = self.resets.first { promise.succeed(first) } else { self.whenReset.append(promise) }
      return promise.futureResult
    }.arrival(of: "RST_STREAM of a client")
  }

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }
  func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let frame = unwrapInboundIn(data)
    switch frame.payload {
    case .headers(let content):
      var request = HTTP2TestRequest(stream: frame.streamID, headers: content.headers)
      request.headers.remove(name: "never")
      live.insert(frame.streamID)
      mostLive = max(mostLive, live.count)
      lastStream = max(lastStream, frame.streamID)
      if content.endStream { received(request) } else { open[frame.streamID] = request }
    case .data(let content):
      if case .byteBuffer(var bytes) = content.data {
        if replenishes, bytes.readableBytes > 0 {
          write(.windowUpdate(windowSizeIncrement: bytes.readableBytes), .rootStream)
          if !content.endStream { write(.windowUpdate(windowSizeIncrement: bytes.readableBytes), frame.streamID) }
          flush()
        }
        open[frame.streamID]?.body.writeBuffer(&bytes)
      }
      if content.endStream, let request = open.removeValue(forKey: frame.streamID) { received(request) }
    case .rstStream(let code):
      resets.append(code)
      live.remove(frame.streamID)
      open[frame.streamID] = nil
      whenReset.forEach { $0.succeed(code) }
      whenReset = []
    case .windowUpdate(let size): if frame.streamID != .rootStream { windowUpdates.append(size) }
    case .ping(_, let isAnswer): if !isAnswer { pings += 1 }
    case .settings(.ack): settingsAnswers += 1
    case .goAway(_, let code, _): goAways.append(code)
    default: break
    }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {}
  func errorCaught(context: ChannelHandlerContext, error: any Error) {}

  func channelInactive(context: ChannelHandlerContext) {
    isClosed = true
    closed.succeed()
    whenReset.forEach { $0.fail(ChannelError.eof) }
    whenReset = []
    context.fireChannelInactive()
  }

  private func received(_ request: HTTP2TestRequest) {
    requestCount += 1
    script(self, request)
    server?.counted()
  }

  // What a script does.

  func write(_ payload: HTTP2Frame.FramePayload, _ stream: HTTP2StreamID) {
    context?.write(wrapOutboundOut(HTTP2Frame(streamID: stream, payload: payload)), promise: nil)
  }

  func flush() { context?.flush() }

  func head(
    _ stream: HTTP2StreamID, status: String = "200", _ more: [(String, String)] = [], end: Bool = false
  ) {
    var headers = HPACKHeaders([(":status", status)])
    for (name, value) in more { headers.add(name: name, value: value) }
    if end { live.remove(stream) }
    write(.headers(.init(headers: headers, endStream: end)), stream)
    flush()
  }

  func body(_ stream: HTTP2StreamID, _ bytes: ByteBuffer, end: Bool = true) {
    if end { live.remove(stream) }
    write(.data(.init(data: .byteBuffer(bytes), endStream: end)), stream)
    flush()
  }

  func answer(_ stream: HTTP2StreamID, _ text: String = "ok") {
    head(stream, [("content-type", "text/plain"), ("content-length", "\(text.utf8.count)")])
    body(stream, ByteBuffer(string: text))
  }

  func reset(_ stream: HTTP2StreamID, _ code: HTTP2ErrorCode) {
    live.remove(stream)
    write(.rstStream(code), stream)
    flush()
  }

  func allow(streams: Int) {
    write(.settings(.settings([HTTP2Setting(parameter: .maxConcurrentStreams, value: streams)])), .rootStream)
    flush()
  }

  func goAway(after last: HTTP2StreamID, _ code: HTTP2ErrorCode = .noError) {
    write(.goAway(lastStreamID: last, errorCode: code, opaqueData: nil), .rootStream)
    flush()
  }

  /// A frame's nine bytes and its payload.
  static func frame(_ type: UInt8, flags: UInt8 = 0, stream: UInt8, _ payload: [UInt8]) -> [UInt8] {
    let count = payload.count
    return [UInt8(count >> 16), UInt8(count >> 8 & 0xFF), UInt8(count & 0xFF), type, flags, 0, 0, 0, stream] + payload
  }

  /// Bytes that no codec has looked at.
  func raw(_ bytes: [UInt8]) {
    let codec = try? channel.pipeline.syncOperations.context(handlerType: NIOHTTP2Handler.self)
    codec?.writeAndFlush(NIOAny(ByteBuffer(bytes: bytes)), promise: nil)
  }
}
