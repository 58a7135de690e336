internal import NIOCore
internal import NIOHTTP1

/// What serves a connection once it is known which HTTP it speaks.
protocol ConnectionGuest: ChannelHandler {
  /// Ends what is under way and closes, when the simulator stops.
  func shutDown()
}

/// Every connection's first handler. It counts the connection, meets the faults that come before any request, and looks
/// at the first bytes: HTTP/2 begins with its preface (RFC 9113 §3.4), everything else is for HTTP/1.1 to judge.
///
/// States: undecided (holding at most a preface) → passing on; or deaf from the beginning.
final class ConnectionDoor: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer

  private let core: SimulatorCore
  private let channel: any Channel
  private(set) var guest: (any ConnectionGuest)?
  private var held: ByteBuffer?
  private var isDeaf = false

  private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

  init(_ core: SimulatorCore, channel: any Channel) {
    self.core = core
    self.channel = channel
  }

  var closeFuture: EventLoopFuture<Void> { channel.closeFuture }

  func shutDown() {
    if let guest { guest.shutDown() } else { channel.close(promise: nil) }
  }

  /// Closes by RST.
  func refuse() {
    SocketEnd.setReset(channel)
    core.forget(self)
    channel.close(promise: nil)
  }

  /// Nothing that arrives is ever read: a hang from the first byte.
  func playDead() {
    isDeaf = true
    try? channel.syncOptions?.setOption(.autoRead, value: false)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if guest != nil { return context.fireChannelRead(data) }
    // Reading is off, but what had come is read when the connection ends.
    if isDeaf { return }
    var bytes = unwrapInboundIn(data)
    held.setOrWriteBuffer(&bytes)
    guard let seen = held else { return }
    let isPreface = seen.readableBytesView.starts(with: Self.preface.prefix(seen.readableBytes))
    if isPreface, seen.readableBytes < Self.preface.count { return }
    held = nil
    do {
      try admit(isPreface ? HTTP2Session(core, channel: channel) : ConnectionHandler(core, channel: channel))
    } catch { return context.close(promise: nil) }
    context.fireChannelRead(wrapInboundOut(seen))
  }

  private func admit(_ guest: any ConnectionGuest) throws {
    let pipeline = channel.pipeline.syncOperations
    if guest is HTTP2Session {
      core.stats.connectionSpeaksHTTP2()
      try pipeline.addHandler(HTTP2Session.makeCodec(core))
    } else {
      try pipeline.addHandler(ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes)))
    }
    self.guest = guest
    try pipeline.addHandler(guest)
  }

  func channelInactive(context: ChannelHandlerContext) {
    core.forget(self)
    context.fireChannelInactive()
  }
}
