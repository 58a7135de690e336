import NIOCore
import NIOPosix
import NIOSSL

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A scripted server on loopback: raw bytes in, raw bytes out, every connection driven by the test.
///
/// `@unchecked Sendable`: everything mutable is touched on `eventLoop` only.
final class RawServer: @unchecked Sendable {
  let channel: any Channel
  private let eventLoop: any EventLoop
  private var accepted: [RawPeer] = []
  private var waiting: [EventLoopPromise<RawPeer>] = []
  private var unwanted: Set<Int> = []
  private(set) var all: [RawPeer] = []

  private init(channel: any Channel) {
    self.channel = channel
    eventLoop = channel.eventLoop
  }

  var port: Int { channel.localAddress?.port ?? 0 }

  /// Listens on an ephemeral port of 127.0.0.1, or on a unix socket.
  static func start(
    unixPath: String? = nil, prepare: (@Sendable (any Channel) throws -> Void)? = nil
  ) async throws -> RawServer {
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    let box = ServerBox()
    let bootstrap = ServerBootstrap(group: loop)
      .childChannelOption(.autoRead, value: true)
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try prepare?(channel)
          let peer = RawPeer(channel: channel)
          try channel.pipeline.syncOperations.addHandler(peer)
          box.server?.arrived(peer)
        }
      }
    let bound = unixPath.map { bootstrap.bind(unixDomainSocketPath: $0) } ?? bootstrap.bind(host: "127.0.0.1", port: 0)
    return try await bound.map { channel in
      let server = RawServer(channel: channel)
      box.server = server
      return server
    }.get()
  }

  /// The next connection in the order of arrival.
  func accept() async throws -> RawPeer {
    try await eventLoop.flatSubmit {
      if !self.accepted.isEmpty { return self.eventLoop.makeSucceededFuture(self.accepted.removeFirst()) }
      let promise = self.eventLoop.makePromise(of: RawPeer.self)
      self.waiting.append(promise)
      return promise.futureResult
    }.arrival(of: "a client's connection")
  }

  /// The next connection, or one that was accepted before.
  func peer(_ index: Int?) async throws -> RawPeer {
    guard let index else { return try await accept() }
    return try await eventLoop.submit { self.all[index] }.get()
  }

  /// Closes the connection whose other end has this port, as soon as it is here. From any thread.
  func close(clientPort: Int) {
    eventLoop.execute {
      self.unwanted.insert(clientPort)
      self.all.forEach(self.closeIfUnwanted)
    }
  }

  private func closeIfUnwanted(_ peer: RawPeer) {
    guard let port = peer.channel.remoteAddress?.port, unwanted.contains(port) else { return }
    peer.channel.close(promise: nil)
  }

  func stop() async throws {
    try await eventLoop.submit {
      self.waiting.forEach { $0.fail(ChannelError.ioOnClosedChannel) }
      self.waiting = []
      self.all.forEach { $0.channel.close(promise: nil) }
    }.get()
    try? await channel.close()
  }

  /// Packets for new connections vanish: the kernel drops them before TCP sees them.
  func dropSilently() async throws { try await PacketFilter.dropAll(on: channel) }

  private func arrived(_ peer: RawPeer) {
    all.append(peer)
    // The connection becomes active after its handlers are in place.
    eventLoop.execute { self.closeIfUnwanted(peer) }
    if waiting.isEmpty {
      accepted.append(peer)
    } else {
      waiting.removeFirst().succeed(peer)
    }
  }
}

/// Filled before the first connection can arrive, on the loop that accepts them.
private final class ServerBox: @unchecked Sendable {
  weak var server: RawServer?
}

/// The server's end of one connection. `@unchecked Sendable`: confined to the channel's event loop.
final class RawPeer: ChannelInboundHandler, @unchecked Sendable {
  typealias InboundIn = ByteBuffer

  let channel: any Channel
  private var received: [UInt8] = []
  private var waiting: [(needle: [UInt8], promise: EventLoopPromise<[UInt8]>)] = []
  private(set) var lastError: (any Error)?
  private let ended: EventLoopPromise<Void>
  private var hasEnded = false

  init(channel: any Channel) {
    self.channel = channel
    ended = channel.eventLoop.makePromise()
  }

  deinit { ended.succeed() }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    received += unwrapInboundIn(data).readableBytesView
    serve()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case ChannelEvent.inputClosed = event { end() }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { lastError = error }

  func channelInactive(context: ChannelHandlerContext) { end() }

  private func end() {
    guard !hasEnded else { return }
    hasEnded = true
    ended.succeed()
    waiting.forEach { $0.promise.fail(ChannelError.eof) }
    waiting = []
  }

  private func serve() {
    while let first = waiting.first, let end = Self.end(of: first.needle, in: received) {
      waiting.removeFirst()
      first.promise.succeed(Array(received[..<end]))
      received.removeFirst(end)
    }
  }

  private static func end(of needle: [UInt8], in bytes: [UInt8]) -> Int? {
    guard bytes.count >= needle.count else { return nil }
    for start in 0...(bytes.count - needle.count) where bytes[start..<start + needle.count].elementsEqual(needle) {
      return start + needle.count
    }
    return nil
  }

  /// Everything up to and with `needle`, which is taken out.
  func receive(until needle: String) async throws -> String {
    let bytes = try await channel.eventLoop.flatSubmit {
      let promise = self.channel.eventLoop.makePromise(of: [UInt8].self)
      if self.hasEnded, Self.end(of: Array(needle.utf8), in: self.received) == nil {
        promise.fail(ChannelError.eof)
      } else {
        self.waiting.append((Array(needle.utf8), promise))
        self.serve()
      }
      return promise.futureResult
    }.arrival(of: "what a client sends up to \(needle.debugDescription)")
    return String(decoding: bytes, as: UTF8.self)
  }

  /// A request head, without its empty line's end being checked for a body.
  @discardableResult
  func request() async throws -> String { try await receive(until: "\r\n\r\n") }

  func send(_ text: String) async throws {
    try await channel.writeAndFlush(ByteBuffer(string: text))
  }

  func send(_ buffer: ByteBuffer) async throws { try await channel.writeAndFlush(buffer) }

  /// Each byte in a packet of its own, as far as the kernel allows.
  func sendBytewise(_ text: String) async throws {
    for byte in text.utf8 { try await channel.writeAndFlush(ByteBuffer(bytes: [byte])) }
  }

  func close() async { try? await channel.close() }

  /// FIN, while still reading.
  func closeOutput() async throws { try await channel.close(mode: .output) }

  /// RST instead of FIN.
  func reset() async throws {
    if let provider = channel as? any SocketOptionProvider {
      try await provider.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
    }
    try? await channel.close()
  }

  /// The end of TCP without the closing message of TLS before it.
  func closeWithoutTLS() async throws {
    let channel = channel
    try await channel.eventLoop.submit {
      // From below the TLS handler, straight to the socket.
      try channel.pipeline.syncOperations.context(handlerType: NIOSSLServerHandler.self).close(promise: nil)
    }.get()
  }

  /// Answers a TLS handshake from now on.
  func secure(_ context: NIOSSLContext) async throws {
    let channel = channel
    try await channel.eventLoop.submit {
      try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context), position: .before(self))
    }.get()
  }

  /// Stops taking bytes out of the kernel.
  func pauseReading() async throws { try await channel.setOption(.autoRead, value: false).get() }

  /// From now on the kernel drops every packet of this connection: nobody answers, not even TCP.
  func dropSilently() async throws { try await PacketFilter.dropAll(on: channel) }

  /// Until the client has closed its side.
  func clientClosed() async throws { try await ended.futureResult.arrival(of: "the client's close") }
}

/// A classic BPF program on a socket that accepts zero bytes of every packet, which makes the kernel drop them.
enum PacketFilter {
  private struct Instruction {
    var code: UInt16
    var jumpTrue: UInt8 = 0
    var jumpFalse: UInt8 = 0
    var constant: UInt32 = 0
  }

  private struct Program {
    var count: UInt16
    var instructions: UnsafeMutablePointer<Instruction>
  }

  private static let attachFilter: CInt = 26

  static func dropAll(on channel: any Channel) async throws {
    try await channel.eventLoop.submit {
      try channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { descriptor in
        var instruction = Instruction(code: 0x06)  // BPF_RET | BPF_K, 0
        let status = withUnsafeMutablePointer(to: &instruction) { pointer in
          var program = Program(count: 1, instructions: pointer)
          return setsockopt(
            descriptor, SOL_SOCKET, attachFilter, &program, socklen_t(MemoryLayout<Program>.size))
        }
        guard status == 0 else { throw IOError(errnoCode: errno, reason: "SO_ATTACH_FILTER") }
      }
    }.get()
  }
}
