import NIOCore
import NIOPosix

/// Something to talk to: answers each line in capitals, and closes when it reads `quit`.
enum LineServer {
  static func start(on group: any EventLoopGroup) async throws -> any Channel {
    try await ServerBootstrap(group: group)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Capitals()) }
      }
      .bind(host: "127.0.0.1", port: 0).get()
  }

  private final class Capitals: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      let text = String(buffer: unwrapInboundIn(data))
      if text.hasPrefix("quit") { return context.close(promise: nil) }
      context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text.uppercased())), promise: nil)
    }
  }
}
