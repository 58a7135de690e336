import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOPosix

/// A provider that speaks HTTP/2 without TLS; the test says what it does with each frame's request.
/// `@unchecked Sendable`: confined to its event loop.
final class HTTP2Upstream: @unchecked Sendable {
  let channel: any Channel
  let eventLoop: any EventLoop
  private var connections: [Connection] = []

  private init(_ channel: any Channel) {
    self.channel = channel
    eventLoop = channel.eventLoop
  }

  var port: Int { channel.localAddress?.port ?? 0 }

  static func start(
    streams: Int = 100, script: @escaping @Sendable (Connection, HTTP2StreamID) -> Void
  ) async throws -> HTTP2Upstream {
    let box = Box()
    let settings = [HTTP2Setting(parameter: .maxConcurrentStreams, value: streams)]
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton.next())
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let connection = Connection(channel, index: box.upstream?.connections.count ?? 0, script)
          try channel.pipeline.syncOperations.addHandlers([
            NIOHTTP2Handler(mode: .server, initialSettings: settings), connection,
          ])
          box.upstream?.connections.append(connection)
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    let upstream = HTTP2Upstream(channel)
    box.upstream = upstream
    return upstream
  }

  /// Filled before the first connection can arrive. `@unchecked Sendable`: confined to the loop that accepts them.
  private final class Box: @unchecked Sendable { weak var upstream: HTTP2Upstream? }

  func run<T: Sendable>(_ body: @escaping @Sendable ([Connection]) -> T) async throws -> T {
    try await eventLoop.submit { body(self.connections) }.get()
  }

  func stop() async throws {
    try await eventLoop.submit { self.connections.forEach { $0.channel.close(promise: nil) } }.get()
    try? await channel.close()
  }

  /// `@unchecked Sendable`: confined to its event loop.
  final class Connection: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    let channel: any Channel
    /// Place in the order of arrival.
    let index: Int
    private let script: @Sendable (Connection, HTTP2StreamID) -> Void
    private var context: ChannelHandlerContext?
    private(set) var requests = 0
    private(set) var authorities: [String] = []
    private(set) var resets: [HTTP2ErrorCode] = []

    init(_ channel: any Channel, index: Int, _ script: @escaping @Sendable (Connection, HTTP2StreamID) -> Void) {
      self.channel = channel
      self.index = index
      self.script = script
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      let frame = unwrapInboundIn(data)
      switch frame.payload {
      case .headers(let content):
        authorities += content.headers[":authority"]
        if content.endStream { received(frame.streamID) }
      case .data(let content): if content.endStream { received(frame.streamID) }
      case .rstStream(let code): resets.append(code)
      default: break
      }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {}

    private func received(_ stream: HTTP2StreamID) {
      requests += 1
      script(self, stream)
    }

    func head(_ stream: HTTP2StreamID, type: String) {
      let headers = HPACKHeaders([(":status", "200"), ("content-type", type)])
      write(.headers(.init(headers: headers)), stream)
    }

    func body(_ stream: HTTP2StreamID, _ text: String, end: Bool = false) {
      write(.data(.init(data: .byteBuffer(ByteBuffer(string: text)), endStream: end)), stream)
    }

    func write(_ payload: HTTP2Frame.FramePayload, _ stream: HTTP2StreamID) {
      context?.writeAndFlush(wrapOutboundOut(HTTP2Frame(streamID: stream, payload: payload)), promise: nil)
    }
  }
}
