import NIOCore
import NIOPosix
import SluiceRuntime

/// A metadata service on loopback as a test plays it: real HTTP, one answer per connection, every request noted.
final class MetadataStage: Sendable {
  struct Request: Hashable, Sendable {
    var line: String
    var head: String
  }

  /// Nil: the connection stays open and silent.
  typealias Script = @Sendable (_ line: String, _ count: Int) -> (status: Int, body: String)?

  private let channel: any Channel
  private let seen: Guarded<[Request]>

  private init(_ channel: any Channel, _ seen: Guarded<[Request]>) {
    self.channel = channel
    self.seen = seen
  }

  static func start(_ script: @escaping Script) async throws -> MetadataStage {
    let seen = Guarded<[Request]>([])
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(StageHandler(script, seen))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    return MetadataStage(channel, seen)
  }

  var url: String { "http://127.0.0.1:\(channel.localAddress?.port ?? 0)" }
  var requests: [Request] { seen.value }
  func stop() async { try? await channel.close().get() }
}

/// Confined to its channel's loop.
private final class StageHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let script: MetadataStage.Script
  private let seen: Guarded<[MetadataStage.Request]>
  private var text = ""

  init(_ script: @escaping MetadataStage.Script, _ seen: Guarded<[MetadataStage.Request]>) {
    self.script = script
    self.seen = seen
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    text += String(buffer: unwrapInboundIn(data))
    guard text.contains("\r\n\r\n") else { return }
    let line = text.split(separator: "\r\n").first.map(String.init) ?? ""
    let request = MetadataStage.Request(line: line, head: text)
    text = ""
    let count = seen.withLock { seen -> Int in
      seen.append(request)
      return seen.count { $0.line == line }
    }
    guard let answer = script(line, count) else { return }
    let bytes = ByteBuffer(
      string: "HTTP/1.1 \(answer.status) X\r\ncontent-length: \(answer.body.utf8.count)\r\n\r\n\(answer.body)")
    context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
  }
}
