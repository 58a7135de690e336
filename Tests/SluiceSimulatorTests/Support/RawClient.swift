import SluiceDialects
import NIOCore
import NIOPosix
import SluiceSimulator

/// Everything a client has received on one connection.
struct Transcript: Sendable {
  var bytes: [UInt8] = []
  /// The other side sends no more.
  var hasEnded = false
  /// The connection was reset.
  var isReset = false
  var isClosed = false

  var endsWithLastChunk: Bool { bytes.suffix(7).elementsEqual("\r\n0\r\n\r\n".utf8) }

  var text: String { String(decoding: bytes, as: UTF8.self) }
}

/// How long tests wait for what must come: long enough for a machine that does much else meanwhile.
enum Patience {
  static let seconds: Int64 = 180
  static var end: ContinuousClock.Instant { .now + .seconds(seconds) }
}

/// A client that sees bytes: it sends what it is given and parses nothing. Every wait ends when `Patience` does, with
/// what has arrived until then, so that a test fails instead of hanging.
final class RawClient: Sendable {
  private let channel: any Channel
  private let collector: NIOLoopBound<Collector>

  private init(_ channel: any Channel, _ collector: NIOLoopBound<Collector>) {
    self.channel = channel
    self.collector = collector
  }

  static func connect(_ address: SimulatorAddress, receiveBuffer: Int? = nil) async throws -> RawClient {
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    var bootstrap = ClientBootstrap(group: loop).connectTimeout(.seconds(Patience.seconds)).channelOption(
      .allowRemoteHalfClosure, value: true
    )
    .channelInitializer { channel in
      // Before the connection exists: some connections end at once.
      channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Collector()) }
    }
    if let receiveBuffer {
      bootstrap = bootstrap.channelOption(.socketOption(.so_rcvbuf), value: .init(receiveBuffer))
    }
    let channel = try await bootstrap.connect(host: address.host, port: address.port).get()
    let collector = try await loop.submit {
      NIOLoopBound(try channel.pipeline.syncOperations.handler(type: Collector.self), eventLoop: loop)
    }.get()
    return RawClient(channel, collector)
  }

  func send(_ text: String) async throws {
    try await channel.writeAndFlush(ByteBuffer(string: text)).get()
  }

  func send(_ bytes: [UInt8]) async throws {
    try await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get()
  }

  /// Waits until the transcript is as wanted.
  func read(until isDone: @escaping @Sendable (Transcript) -> Bool) async throws -> Transcript {
    try await channel.eventLoop.flatSubmit { [collector, channel] in
      collector.value.wait(isDone, channel.eventLoop)
    }.get()
  }

  func readToEnd() async throws -> Transcript {
    try await read { $0.hasEnded }
  }

  /// Takes away what has been received, so that the next answer starts afresh.
  func reset() async throws {
    try await channel.eventLoop.submit { [collector] in collector.value.transcript.bytes = [] }.get()
  }

  func setReading(_ isOn: Bool) async throws {
    try await channel.setOption(.autoRead, value: isOn).get()
    if isOn { channel.read() }
  }

  func close() async {
    try? await channel.close().get()
  }

  private final class Collector: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    var transcript = Transcript()
    private var waiting: (isDone: (Transcript) -> Bool, promise: EventLoopPromise<Transcript>)?

    func wait(
      _ isDone: @escaping (Transcript) -> Bool, _ loop: any EventLoop
    ) -> EventLoopFuture<Transcript> {
      if isDone(transcript) { return loop.makeSucceededFuture(transcript) }
      let promise = loop.makePromise(of: Transcript.self)
      waiting = (isDone, promise)
      let limit = loop.assumeIsolated().scheduleTask(in: .seconds(Patience.seconds)) { self.giveUp() }
      promise.futureResult.whenComplete { _ in limit.cancel() }
      return promise.futureResult
    }

    private func giveUp() {
      waiting?.promise.succeed(transcript)
      waiting = nil
    }

    private func look() {
      guard let waiting, waiting.isDone(transcript) else { return }
      self.waiting = nil
      waiting.promise.succeed(transcript)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      transcript.bytes.append(contentsOf: unwrapInboundIn(data).readableBytesView)
      look()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
      if case .inputClosed? = event as? ChannelEvent {
        transcript.hasEnded = true
        look()
      }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
      if let error = error as? IOError, error.errnoCode == 104 || error.errnoCode == 54 { transcript.isReset = true }
      context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
      transcript.isClosed = true
      transcript.hasEnded = true
      look()
    }
  }
}
