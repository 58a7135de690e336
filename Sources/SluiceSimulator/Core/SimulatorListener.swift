internal import Logging
internal import NIOCore
internal import NIOPosix
internal import NIOSSL

/// The listening socket: opened at the start, closed at the stop, and in between whenever a fault says so. Confined to
/// the simulator's loop.
///
/// States: opening → open → (closed by a fault → opening → open)* → stopped.
final class SimulatorListener: TimerTarget {
  let core: SimulatorCore
  private var channel: (any Channel)?
  private var isOpening = false
  private var isStopped = false
  private var reopening: SimulatorTimers.Token?
  /// The address to come back to after a fault.
  private var port: Int
  private var failures = 0

  private static let retryNanoseconds: Int64 = 50_000_000
  private static let maxFailures = 200

  init(_ core: SimulatorCore) {
    self.core = core
    port = core.options.port
    core.onFaultsChanged = { [weak self] in self?.follow() }
  }

  func open() -> EventLoopFuture<SocketAddress> {
    isOpening = true
    let core = NIOLoopBound(core, eventLoop: core.loop)
    let bootstrap = ServerBootstrap(group: self.core.loop)
      .serverChannelOption(.backlog, value: 1_024)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .serverChannelOption(.maxMessagesPerRead, value: 64)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelOption(.maxMessagesPerRead, value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try Self.accept(channel, core.value) }
      }
    let bound = bootstrap.bind(host: self.core.options.host, port: port).hop(to: self.core.loop)
    let result = core.value.loop.makePromise(of: SocketAddress.self)
    bound.assumeIsolated().whenComplete { outcome in
      self.isOpening = false
      switch outcome {
      case .failure(let error): result.fail(error)
      case .success(let channel):
        self.opened(channel)
        guard let address = channel.localAddress else {
          result.fail(ChannelError.unknownLocalAddress)
          return
        }
        result.succeed(address)
      }
    }
    return result.futureResult
  }

  private func opened(_ channel: any Channel) {
    guard !isStopped else {
      channel.close(promise: nil)
      return
    }
    failures = 0
    self.channel = channel
    port = channel.localAddress?.port ?? port
    follow()
  }

  /// Closes everything; done when all of it is closed.
  func close() -> EventLoopFuture<Void> {
    isStopped = true
    core.onFaultsChanged = {}
    if let reopening { core.timers.cancel(reopening) }
    var closing = channel.map { [$0.closeFuture] } ?? []
    channel?.close(promise: nil)
    channel = nil
    for connection in core.connections.values {
      closing.append(connection.closeFuture)
      connection.shutDown()
    }
    core.timers.cancelAll()
    return EventLoopFuture.andAllComplete(closing, on: core.loop)
  }

  // MARK: Connections

  private static func accept(_ channel: any Channel, _ core: SimulatorCore) throws {
    let door = ConnectionDoor(core, channel: channel)
    guard core.admit(door) else {
      channel.close(promise: nil)
      return
    }
    switch core.acceptFault() {
    case .refuse: return door.refuse()
    case .hang: door.playDead()
    default: break
    }
    let pipeline = channel.pipeline.syncOperations
    try pipeline.addHandler(ByteCounter(core))
    if let tls = core.tls { try pipeline.addHandler(NIOSSLServerHandler(context: tls)) }
    try pipeline.addHandler(door)
  }

  // MARK: Faults

  /// Opens or closes the socket as the faults say.
  private func follow() {
    guard !isStopped else { return }
    if let reopening { core.timers.cancel(reopening) }
    reopening = nil
    if let until = core.faults.listenerClosedUntil(now: core.now) {
      if channel != nil { core.stats.faultHit(.refuse(.listener)) }
      channel?.close(promise: nil)
      channel = nil
      if until < .max { reopening = core.timers.schedule(at: until, self) }
    } else if channel == nil, !isOpening {
      reopen()
    }
  }

  func timerFired() {
    reopening = nil
    follow()
  }

  private func reopen() {
    open().assumeIsolated().whenFailure { error in
      self.failures += 1
      guard self.failures < Self.maxFailures, !self.isStopped else {
        self.core.logger.error("the simulator could not listen again", metadata: ["error": "\(error)"])
        return
      }
      // Somebody else may hold the port for a moment.
      self.reopening = self.core.timers.schedule(at: self.core.now + Self.retryNanoseconds, self)
    }
  }
}
