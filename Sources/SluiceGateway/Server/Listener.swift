import NIOCore
import NIOPosix
import NIOSSL

/// Opens one listener and prepares the connections it accepts.
///
/// SO_REUSEPORT is never set: two gateways on one port would share clients silently.
struct Listener {
  let server: GatewayServer
  let tls: NIOSSLContext?

  func bind(_ address: ListenAddress) async throws -> any Channel {
    switch address {
    case .tcp(let host, let port): return try await bootstrap(isTCP: true).bind(host: host, port: port).get()
    case .unix(let path, let mode): return try await bindUnix(path, mode)
    }
  }

  /// A channel keeps the memory of its largest read for as long as it lives, also while a long answer runs: large
  /// bodies come in more reads rather than leaving large buffers behind.
  private static let allocator = AdaptiveRecvByteBufferAllocator(minimum: 2_048, initial: 2_048, maximum: 16_384)

  private func bindUnix(_ path: String, _ mode: UInt16) async throws -> any Channel {
    if await UnixSocket.answers(path, server.eventLoopGroup) { throw GatewayStartError.socketInUse(path) }
    UnixSocket.remove(path)
    let handle = try UnixSocket.make(path, mode)
    do {
      let channel = try await bootstrap(isTCP: false).withBoundSocket(handle).get()
      UnixSocket.setBacklog(server.settings.backlog, of: handle)
      return channel
    } catch {
      UnixSocket.remove(path)
      throw error
    }
  }

  private func bootstrap(isTCP: Bool) -> ServerBootstrap {
    let settings = server.settings
    let limits = GatewayLimits()
    var bootstrap = ServerBootstrap(group: server.eventLoopGroup)
      .serverChannelOption(.backlog, value: Int32(clamping: settings.backlog))
      .childChannelOption(.maxMessagesPerRead, value: 1)
      .childChannelOption(.autoRead, value: false)
      .childChannelOption(.recvAllocator, value: Self.allocator)
      .childChannelOption(
        .writeBufferWaterMark,
        value: ChannelOptions.Types.WriteBufferWaterMark(low: limits.writeLowWater, high: limits.writeHighWater)
      )
      .childChannelInitializer { [self] channel in prepare(channel, isTCP ? tls : nil) }
    if isTCP {
      bootstrap =
        bootstrap
        .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
        .childChannelOption(.socketOption(.so_keepalive), value: 1)
        .childChannelOption(.socketOption(.so_rcvbuf), value: .init(settings.receiveBufferBytes))
    }
    return bootstrap
  }

  private func prepare(_ channel: any Channel, _ tls: NIOSSLContext?) -> EventLoopFuture<Void> {
    guard let context = server.context(of: channel.eventLoop) else {
      return channel.eventLoop.makeFailedFuture(ChannelError.inappropriateOperationForState)
    }
    guard server.admitConnection() else {
      context.metrics.update(on: context.id) { $0.connectionsRefused &+= 1 }
      return refuse(channel, speaks: tls == nil, context)
    }
    return channel.eventLoop.makeCompletedFuture {
      if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
      try channel.pipeline.syncOperations.addHandler(InboundConnection(loop: context))
    }.flatMapErrorThrowing { error in
      server.releaseConnection()
      throw error
    }
  }

  /// A client beyond the bound: told so where that is possible without a handshake, and closed.
  private func refuse(_ channel: any Channel, speaks: Bool, _ context: LoopContext) -> EventLoopFuture<Void> {
    channel.eventLoop.makeCompletedFuture {
      let answer = speaks ? RefusingHandler.answer(date: context.dateLine()) : nil
      try channel.pipeline.syncOperations.addHandler(RefusingHandler(answer))
    }
  }
}

/// Says 503 to a connection beyond the bound and closes it.
private final class RefusingHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let answer: ByteBuffer?

  /// - Parameter answer: nil: closed without a word.
  init(_ answer: ByteBuffer?) {
    self.answer = answer
  }

  static func answer(date: [UInt8]) -> ByteBuffer {
    var answer = ByteBuffer(staticString: "HTTP/1.1 503 Service Unavailable\r\n")
    answer.writeBytes(date)
    answer.writeStaticString("retry-after: 1\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
    return answer
  }

  func channelActive(context: ChannelHandlerContext) {
    if let answer { context.writeAndFlush(wrapOutboundOut(answer), promise: nil) }
    context.close(promise: nil)
  }
}

/// Reads the gateway's certificate.
enum TLSFiles {
  static func context(_ files: GatewayTLS) throws -> NIOSSLContext {
    do {
      let chain = try NIOSSLCertificate.fromPEMFile(files.certificatePath).map {
        NIOSSLCertificateSource.certificate($0)
      }
      let key = try NIOSSLPrivateKey(file: files.privateKeyPath, format: .pem)
      var configuration = TLSConfiguration.makeServerConfiguration(
        certificateChain: chain, privateKey: .privateKey(key))
      configuration.minimumTLSVersion = .tlsv12
      configuration.applicationProtocols = ["http/1.1"]
      return try NIOSSLContext(configuration: configuration)
    } catch {
      throw GatewayStartError.certificate("\(error)")
    }
  }
}
