import NIOCore
import NIOHTTP2
import NIOPosix
import NIOSSL
import SluicePolicy
import SluiceRuntime

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// One try to open a connection.
///
/// States: connecting (names, addresses, TCP) → proxy (if there is one) → tls (if wanted) → settings (of HTTP/2) →
/// finished. The deadline ends any of them. Invariants: `done` is called once; a channel that appears after the end is closed and never seen again.
/// Confined to its event loop, which `@unchecked Sendable` relies on.
final class ConnectAttempt: @unchecked Sendable {
  private let origin: HTTPOrigin
  private let transport: HTTPTransport
  private let eventLoop: any EventLoop
  private let clock: any MonotonicClock
  private let events: ResourceEvents?
  private var done: ((Result<UpstreamConnection, ConnectFailure>) -> Void)?
  private var step = ConnectFailure.Step.connecting
  private var channel: (any Channel)?
  private var timer: Scheduled<Void>?

  init(
    origin: HTTPOrigin, transport: HTTPTransport, eventLoop: any EventLoop, clock: any MonotonicClock,
    events: ResourceEvents?, done: @escaping (Result<UpstreamConnection, ConnectFailure>) -> Void
  ) {
    self.origin = origin
    self.transport = transport
    self.eventLoop = eventLoop
    self.clock = clock
    self.events = events
    self.done = done
  }

  func start(deadline: NIODeadline) {
    do throws(HTTPOriginError) {
      // Only origins that were never added to the connector are read here.
      try transport.prepare(origin)
    } catch {
      return finish(.failure(ConnectFailure(.other, error.description)))
    }
    timer = eventLoop.assumeIsolated().scheduleTask(deadline: deadline) {
      self.finish(.failure(.timeout(self.origin, during: self.step)))
    }
    let left = max(.milliseconds(1), deadline - eventLoop.now)
    connect(bootstrap(timeout: left)).assumeIsolated().whenComplete { result in
      switch result {
      case .success(let channel): self.connected(channel)
      case .failure(let error): self.finish(.failure(ConnectFailure(error, connecting: self.origin)))
      }
    }
  }

  private func connect(_ bootstrap: ClientBootstrap) -> EventLoopFuture<any Channel> {
    if let path = origin.unixPath { return bootstrap.connect(unixDomainSocketPath: path) }
    let host = origin.proxy?.host ?? origin.host
    let port = origin.proxy?.port ?? origin.port
    if let address = try? SocketAddress(ipAddress: host, port: port) { return bootstrap.connect(to: address) }
    return bootstrap.connect(host: host, port: port)
  }

  private func connected(_ channel: any Channel) {
    guard done != nil else { return channel.close(promise: nil) }
    self.channel = channel
    let opening = OpeningHandler()
    opening.onInactive = { [weak self, unowned opening] in self?.lost(opening.lastError) }
    do {
      try channel.pipeline.syncOperations.addHandler(opening)
      guard let proxy = origin.proxy else { return secure(channel, opening) }
      step = .proxy
      opening.askProxy(proxy, for: origin, context: try channel.pipeline.syncOperations.context(handler: opening)) {
        switch $0 {
        case .success: self.secure(channel, opening)
        case .failure(let failure): self.finish(.failure(failure))
        }
      }
    } catch {
      finish(.failure(ConnectFailure(error, connecting: origin)))
    }
  }

  /// The channel closed before it was ready.
  private func lost(_ error: (any Error)?) {
    switch step {
    case .tls: finish(.failure(.tls(error, origin: origin)))
    case .settings: finish(.failure(.http2(.closed, origin: origin)))
    case .proxy, .connecting:
      finish(.failure(ConnectFailure(.reset, "\(origin.identity): closed the connection at once")))
    }
  }
}

extension ConnectAttempt {
  private func secure(_ channel: any Channel, _ opening: OpeningHandler) {
    guard let tls = origin.tls else { return ready(channel, opening) }
    step = .tls
    do {
      guard let context = transport.context(tls, origin.version) else { throw ChannelError.operationUnsupported }
      let handler = try NIOSSLClientHandler(context: context, serverHostname: Self.serverName(tls, origin))
      try channel.pipeline.syncOperations.addHandler(handler, position: .before(opening))
    } catch {
      return finish(.failure(.tls(error, origin: origin)))
    }
    channel.read()
    // Writes wait for the handshake, so an empty one tells of its end.
    channel.writeAndFlush(ByteBuffer()).assumeIsolated().whenComplete { result in
      switch result {
      case .success: self.ready(channel, opening)
      case .failure(let error): self.finish(.failure(.tls(opening.lastError ?? error, origin: self.origin)))
      }
    }
  }

  /// Addresses are checked against the certificate without being named in the handshake (RFC 6066 §3).
  private static func serverName(_ tls: TLSOptions, _ origin: HTTPOrigin) -> String? {
    let name = tls.serverName ?? origin.host
    return (try? SocketAddress(ipAddress: name, port: 0)) == nil ? name : nil
  }

  private func ready(_ channel: any Channel, _ opening: OpeningHandler) {
    guard done != nil, channel.isActive else { return lost(opening.lastError) }
    do {
      if origin.tls == nil ? origin.version == .http2 : opening.negotiated == "h2" {
        try speakHTTP2(channel, opening)
      } else if origin.version == .http2 {
        finish(.failure(.noHTTP2(origin)))
      } else {
        try speakHTTP1(channel, opening)
      }
    } catch {
      finish(.failure(ConnectFailure(error, connecting: origin)))
    }
  }

  private func speakHTTP1(_ channel: any Channel, _ opening: OpeningHandler) throws {
    opening.onInactive = nil
    let connection = HTTPConnection(
      eventLoop: eventLoop, options: transport.options, events: events, clock: clock,
      monitor: transport.monitor(for: eventLoop), isTLS: origin.tls != nil)
    try channel.pipeline.syncOperations.addHandler(connection, position: .after(opening))
    channel.pipeline.syncOperations.removeHandler(opening, promise: nil)
    connection.socketContext = try? channel.pipeline.syncOperations.context(handlerType: NIOSSLClientHandler.self)
    finish(.success(UpstreamConnection(.http1(connection))))
  }

  /// Ready with the peer's first SETTINGS: before them nobody knows how many streams it takes.
  private func speakHTTP2(_ channel: any Channel, _ opening: OpeningHandler) throws {
    step = .settings
    opening.onInactive = nil
    let options = transport.options
    let connection = HTTP2Connection(
      eventLoop: eventLoop, options: options, events: events, clock: clock, monitor: transport.monitor(for: eventLoop),
      isTLS: origin.tls != nil)
    connection.onOpened = { [unowned connection] (problem: UpstreamFailure.Reason?) in
      if let problem {
        self.finish(.failure(.http2(problem, origin: self.origin)))
      } else {
        self.finish(.success(UpstreamConnection(.http2(connection))))
      }
    }
    let pipeline = channel.pipeline.syncOperations
    // Many streams write at once here, and nobody asks whether everything has left.
    try channel.syncOptions?.setOption(.writeBufferWaterMark, value: .init(low: 32_768, high: 131_072))
    try pipeline.addHandler(HTTP2Codec.make(options), position: .after(opening))
    try pipeline.addHandler(connection, position: .last)
    connection.socketContext = try? pipeline.context(handlerType: NIOSSLClientHandler.self)
    opening.pass(try pipeline.context(handler: opening))
    pipeline.removeHandler(opening, promise: nil)
  }

  private func finish(_ result: Result<UpstreamConnection, ConnectFailure>) {
    guard let done else { return }
    self.done = nil
    timer?.cancel()
    timer = nil
    if case .failure = result { channel?.close(mode: .all, promise: nil) }
    channel = nil
    done(result)
  }
}

extension ConnectAttempt {
  /// One read per event (a second one mostly finds nothing), reads on demand, and "writable" only when all is written.
  private func bootstrap(timeout: TimeAmount) -> ClientBootstrap {
    let bootstrap = ClientBootstrap(group: eventLoop)
      .connectTimeout(timeout)
      .channelOption(.autoRead, value: false)
      .channelOption(.maxMessagesPerRead, value: 1)
      .channelOption(.recvAllocator, value: Self.allocator)
      .channelOption(.writeBufferWaterMark, value: .init(low: 1, high: 1))
      .channelOption(.socketOption(.so_rcvbuf), value: transport.options.receiveBufferBytes)
    return origin.unixPath == nil ? tcpOptions(bootstrap) : bootstrap
  }

  /// Follows what is read, but not down to the single small event of a stream: a burst after it would take a turn of
  /// the event loop per piece. Half the minimum and half the maximum were measured: streams cost twice as much, since
  /// reads then end inside of chunks, which have to be framed anew.
  private static let allocator = AdaptiveRecvByteBufferAllocator(minimum: 4_096, initial: 4_096, maximum: 65_536)

  private func tcpOptions(_ bootstrap: ClientBootstrap) -> ClientBootstrap {
    let options = transport.options
    let plain =
      bootstrap
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .channelOption(.socketOption(.so_keepalive), value: 1)
    #if os(Linux)
    return
      plain
      .channelOption(.tcp(TCP_KEEPIDLE), value: Self.seconds(options.keepAliveIdle))
      .channelOption(.tcp(TCP_KEEPINTVL), value: Self.seconds(options.keepAliveInterval))
      .channelOption(.tcp(TCP_KEEPCNT), value: max(1, options.keepAliveCount))
      .channelOption(.tcp(TCP_USER_TIMEOUT), value: Int(options.userTimeout.nanoseconds / 1_000_000))
    #else
    return plain
    #endif
  }

  private static func seconds(_ interval: Interval) -> Int {
    Int(max(1, interval.nanoseconds / 1_000_000_000))
  }
}

extension ChannelOption where Self == ChannelOptions.Types.SocketOption {
  fileprivate static func tcp(_ name: CInt) -> ChannelOptions.Types.SocketOption {
    ChannelOptions.Types.SocketOption(level: NIOBSDSocket.OptionLevel.tcp, name: NIOBSDSocket.Option(rawValue: name))
  }
}
