import NIOCore
import SluicePolicy
import SluiceRuntime

/// The resource: a connection to a server that answers each line with a line.
///
/// All a pool wants of it is to close when told, to say once that it is closed, and to tell whether it still works.
final class LineConnection: PoolableResource {
  private let channel: any Channel

  init(channel: any Channel, events: ResourceEvents) {
    self.channel = channel
    // The one place that reports the end, whoever closed it; NIO completes this future once.
    channel.closeFuture.whenComplete { _ in events.closed(idleFor: nil) }
  }

  func close(reason: CloseReason) {
    channel.close(promise: nil)
  }

  func verify(deadline: Instant, _ done: @escaping @Sendable (Bool) -> Void) {
    done(channel.isActive)
  }

  /// Sends a line and returns the answer.
  func ask(_ line: String) async throws -> String {
    let answer = channel.eventLoop.makePromise(of: String.self)
    channel.writeAndFlush(LineExchange(line: line, answer: answer)).cascadeFailure(to: answer)
    return try await answer.futureResult.get()
  }
}

struct LineExchange: Sendable {
  let line: String
  let answer: EventLoopPromise<String>
}

/// Writes questions and gives answers to whom they belong, in their order.
final class LineHandler: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = LineExchange
  typealias OutboundOut = ByteBuffer

  static let longestLine = 4096

  private var waiting: [EventLoopPromise<String>] = []
  private var received = ByteBuffer()

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    let exchange = unwrapOutboundIn(data)
    waiting.append(exchange.answer)
    context.write(wrapOutboundOut(ByteBuffer(string: exchange.line + "\n")), promise: promise)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = unwrapInboundIn(data)
    received.writeBuffer(&bytes)
    while let end = received.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) {
      let line = received.readString(length: end - received.readerIndex) ?? ""
      received.moveReaderIndex(forwardBy: 1)
      // An answer that nobody asked for: this peer cannot be trusted any more.
      guard !waiting.isEmpty else { return context.close(promise: nil) }
      waiting.removeFirst().succeed(line)
    }
    if received.readableBytes > Self.longestLine { context.close(promise: nil) }
  }

  func channelInactive(context: ChannelHandlerContext) {
    for promise in waiting { promise.fail(ChannelError.eof) }
    waiting = []
    context.fireChannelInactive()
  }
}
