import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOPosix
import NIOSSL
import SluiceDialects
import SluiceSimulator

/// What came back on one stream.
struct HTTP2Reply: Sendable {
  var headers = HPACKHeaders()
  var body: [UInt8] = []
  var isComplete = false
  var reset: HTTP2ErrorCode?
  /// The connection ended, or turned the stream back.
  var isLost = false

  var isOver: Bool { isComplete || reset != nil || isLost }
  var status: Int { headers.first(name: ":status").flatMap { Int($0) } ?? 0 }
  var text: String { String(decoding: body, as: UTF8.self) }
  var json: JSONValue { (try? JSONReader.read(body)) ?? .null }
}

/// What a client of HTTP/2 has seen.
struct HTTP2Seen: Sendable {
  var streams: [HTTP2StreamID: HTTP2Reply] = [:]
  var maxStreams: [Int] = []
  var goAway: HTTP2StreamID?
  var isClosed = false
  var hasFault = false
}

/// A client that begins streams as it is told and keeps what comes back. Every wait ends when `Patience` does, with
/// what has arrived until then.
final class HTTP2Client: Sendable {
  private let channel: any Channel
  private let collector: NIOLoopBound<Collector>

  private init(_ channel: any Channel, _ collector: NIOLoopBound<Collector>) {
    self.channel = channel
    self.collector = collector
  }

  static func connect(_ address: SimulatorAddress, window: Int = 1 << 20) async throws -> HTTP2Client {
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    var tls: NIOSSLContext?
    if address.isSecure {
      var configuration = TLSConfiguration.makeClientConfiguration()
      configuration.certificateVerification = .none
      configuration.applicationProtocols = ["h2"]
      tls = try NIOSSLContext(configuration: configuration)
    }
    let bootstrap = ClientBootstrap(group: loop).channelInitializer { [tls] channel in
      channel.eventLoop.makeCompletedFuture {
        let pipeline = channel.pipeline.syncOperations
        if let tls { try pipeline.addHandler(NIOSSLClientHandler(context: tls, serverHostname: nil)) }
        let settings = [HTTP2Setting(parameter: .initialWindowSize, value: window)]
        try pipeline.addHandler(NIOHTTP2Handler(mode: .client, initialSettings: settings))
        try pipeline.addHandler(Collector())
      }
    }
    let channel = try await bootstrap.connect(host: address.host, port: address.port).get()
    let collector = try await loop.submit {
      NIOLoopBound(try channel.pipeline.syncOperations.handler(type: Collector.self), eventLoop: loop)
    }.get()
    return HTTP2Client(channel, collector)
  }

  /// Begins a stream. Without `isComplete` its request goes on.
  func begin(
    _ method: String = "POST", _ path: String = "/v1/chat/completions", _ body: String? = Harness.chatBody(),
    headers: [(String, String)] = [("authorization", "Bearer sk-test-1")], isComplete: Bool = true
  ) async throws -> HTTP2StreamID {
    try await channel.eventLoop.submit { [collector] in
      collector.value.begin(method, path, body, headers, isComplete)
    }.get()
  }

  /// One whole exchange.
  func exchange(
    _ method: String = "POST", _ path: String = "/v1/chat/completions", _ body: String? = Harness.chatBody()
  )
    async throws -> HTTP2Reply
  {
    let id = try await begin(method, path, body)
    return try await reply(id)
  }

  func reply(_ id: HTTP2StreamID, until isDone: @escaping @Sendable (HTTP2Reply) -> Bool = { $0.isOver })
    async throws -> HTTP2Reply
  {
    let seen = try await seen { $0.streams[id].map(isDone) ?? false }
    return seen.streams[id] ?? HTTP2Reply()
  }

  func seen(until isDone: @escaping @Sendable (HTTP2Seen) -> Bool = { _ in true }) async throws -> HTTP2Seen {
    try await channel.eventLoop.flatSubmit { [collector, channel] in
      collector.value.wait(isDone, channel.eventLoop)
    }.get()
  }

  func cancel(_ id: HTTP2StreamID) async throws { try await write(.rstStream(.cancel), id) }

  func grant(_ bytes: Int, _ id: HTTP2StreamID) async throws {
    try await write(.windowUpdate(windowSizeIncrement: bytes), id)
  }

  private func write(_ payload: HTTP2Frame.FramePayload, _ id: HTTP2StreamID) async throws {
    try await channel.writeAndFlush(HTTP2Frame(streamID: id, payload: payload)).get()
  }

  func close() async { try? await channel.close().get() }

  private final class Collector: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    private var seen = HTTP2Seen()
    private var context: ChannelHandlerContext?
    private var next: Int32 = 1
    private var waiting: (isDone: (HTTP2Seen) -> Bool, promise: EventLoopPromise<HTTP2Seen>)?

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func begin(
      _ method: String, _ path: String, _ body: String?, _ more: [(String, String)], _ isComplete: Bool
    ) -> HTTP2StreamID {
      let id = HTTP2StreamID(next)
      next += 2
      seen.streams[id] = HTTP2Reply()
      var headers = HPACKHeaders([
        (":method", method), (":scheme", "http"), (":authority", "simulator"), (":path", path),
      ])
      for (name, value) in more { headers.add(name: name, value: value) }
      let isAll = isComplete && body == nil
      write(.headers(.init(headers: headers, endStream: isAll)), id)
      if let body { write(.data(.init(data: .byteBuffer(ByteBuffer(string: body)), endStream: isComplete)), id) }
      context?.flush()
      return id
    }

    private func write(_ payload: HTTP2Frame.FramePayload, _ id: HTTP2StreamID) {
      context?.write(wrapOutboundOut(HTTP2Frame(streamID: id, payload: payload)), promise: nil)
    }

    func wait(_ isDone: @escaping (HTTP2Seen) -> Bool, _ loop: any EventLoop) -> EventLoopFuture<HTTP2Seen> {
      if isDone(seen) { return loop.makeSucceededFuture(seen) }
      let promise = loop.makePromise(of: HTTP2Seen.self)
      waiting = (isDone, promise)
      let limit = loop.assumeIsolated().scheduleTask(in: .seconds(Patience.seconds)) { self.giveUp() }
      promise.futureResult.whenComplete { _ in limit.cancel() }
      return promise.futureResult
    }

    private func giveUp() {
      waiting?.promise.succeed(seen)
      waiting = nil
    }

    private func look() {
      guard let waiting, waiting.isDone(seen) else { return }
      self.waiting = nil
      waiting.promise.succeed(seen)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      let frame = unwrapInboundIn(data)
      let id = frame.streamID
      switch frame.payload {
      case .headers(let content):
        seen.streams[id]?.headers = content.headers
        if content.endStream { seen.streams[id]?.isComplete = true }
      case .data(let content):
        if case .byteBuffer(let bytes) = content.data {
          seen.streams[id]?.body.append(contentsOf: bytes.readableBytesView)
          // Only the streams hold anything up.
          if bytes.readableBytes > 0 {
            write(.windowUpdate(windowSizeIncrement: bytes.readableBytes), .rootStream)
            context.flush()
          }
        }
        if content.endStream { seen.streams[id]?.isComplete = true }
      case .rstStream(let code): seen.streams[id]?.reset = code
      case .settings(.settings(let settings)):
        seen.maxStreams += settings.filter { $0.parameter == .maxConcurrentStreams }.map(\.value)
      case .goAway(let last, _, _):
        seen.goAway = last
        for id in seen.streams.keys where id > last { seen.streams[id]?.isLost = true }
      default: break
      }
      look()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
      if error is NIOHTTP2Errors.StreamError || error is NIOHTTP2Errors.NoSuchStream { return }
      seen.hasFault = true
      context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
      seen.isClosed = true
      for id in seen.streams.keys where seen.streams[id]?.isOver == false { seen.streams[id]?.isLost = true }
      look()
    }
  }
}
