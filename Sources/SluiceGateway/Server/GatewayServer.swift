package import Logging
package import NIOCore
import NIOPosix
import NIOSSL
import SluiceDialects
package import SluicePolicy
package import SluiceRuntime

/// The gateway: listeners, and per event loop everything that a request needs. Clients are spread over the loops in
/// turn and stay where they are.
///
/// `start` → serving → `drain` → stopped. A second `drain` only waits. Configurations may be published at any time; a
/// request keeps the one it began with.
package final class GatewayServer: Sendable {
  package let settings: GatewaySettings
  package let metrics: GatewayMetrics
  private let group: any EventLoopGroup
  private let contexts: [LoopContext]
  private let connectionCount = Guarded(0)
  private let listeners = Guarded<[any Channel]>([])
  /// The unix sockets that this server itself has made.
  private let socketPaths = Guarded<[String]>([])
  private let state = Guarded(State.new)
  private let logger: Logger

  private enum State { case new, serving, draining }

  /// - Parameters:
  ///   - group: its loops, in the order of its iterator, are the ones the pools were made with.
  ///   - configuration: the first one; see `reconfigure`.
  ///   - admin: answers the administration paths; nil: there are none.
  ///   - seed: for request ids, weighted routes and the jitter of retries.
  package init(
    settings: GatewaySettings, group: any EventLoopGroup, configuration: GatewayConfiguration,
    admin: (any AdminHandler)? = nil, metrics: GatewayMetrics? = nil, clock: any MonotonicClock = .system,
    seed: UInt64 = .random(in: .min ... .max), logger: Logger = Logger(label: "sluice.gateway")
  ) {
    let loops = Array(group.makeIterator())
    let metrics = metrics ?? GatewayMetrics(loops: loops, recentRequests: settings.recentRequests)
    let account = BufferAccount(bytes: settings.maxBuffered)
    let count = connectionCount
    let stored = Guarded(StoredResponses())
    self.settings = settings
    self.group = group
    self.metrics = metrics
    self.logger = logger
    contexts = loops.enumerated().map { index, loop in
      LoopContext(
        loop: loop, id: LoopID(index), clock: clock, configuration: configuration, metrics: metrics, account: account,
        admin: admin, connectionCount: count, stored: stored,
        seed: seed &+ UInt64(index) &* 0x9E37_79B9_7F4A_7C15)
    }
  }

  /// Binds all addresses or none.
  ///
  /// - Returns: what was bound, in the order of the settings; with port 0 the system chose one.
  package func start() async throws -> [SocketAddress] {
    let first = state.withLock { state in
      guard case .new = state else { return false }
      state = .serving
      return true
    }
    guard first else { throw GatewayStartError.alreadyStarted }
    let limit = DescriptorLimit.raise(to: settings.wantedDescriptors)
    logger.debug("descriptor limit", metadata: ["limit": "\(limit)"])
    let tls = try settings.tls.map(TLSFiles.context)
    do {
      for address in settings.listen {
        let channel = try await Listener(server: self, tls: tls).bind(address)
        listeners.withLock { $0.append(channel) }
        if case .unix(let path, _) = address { socketPaths.withLock { $0.append(path) } }
      }
    } catch {
      await stopListening()
      throw error
    }
    return listeners.value.compactMap(\.localAddress)
  }

  /// Puts another configuration in force on every loop. Requests under way keep theirs.
  package func reconfigure(_ configuration: GatewayConfiguration) {
    for context in contexts { context.loop.execute { context.publish(configuration) } }
  }

  /// As `reconfigure`, and returns when every loop has it.
  package func publish(_ configuration: GatewayConfiguration) async throws {
    for context in contexts { try await context.loop.submit { context.publish(configuration) }.get() }
  }

  package var isDraining: Bool {
    state.withLock { state in if case .draining = state { true } else { false } }
  }

  /// Client connections at this moment.
  package var connections: Int { connectionCount.value }

  /// Accepts nothing more, lets requests under way finish, and ends what is left after `limit`.
  ///
  /// - Returns: true when nothing had to be cut off.
  @discardableResult
  package func drain(within limit: Interval) async -> Bool {
    state.withLock { $0 = .draining }
    await stopListening()
    guard let first = contexts.first?.loop else { return true }
    let drained = contexts.map { context in
      context.loop.submit { context.drain() }.flatMap { $0 }
    }
    let all = EventLoopFuture.andAllComplete(drained, on: first)
    if await Self.wait(for: all, limit: limit, on: first) { return true }
    for context in contexts { context.loop.execute { context.abort() } }
    // Answers that were ended get the chance to leave.
    if await Self.wait(for: all, limit: .seconds(2), on: first) { return false }
    for context in contexts { context.loop.execute { for connection in context.connections { connection.close() } } }
    _ = await Self.wait(for: all, limit: .seconds(1), on: first)
    return false
  }

  /// Ends everything now.
  package func shutdown() async {
    await drain(within: .zero)
  }

  private func stopListening() async {
    // Before the listeners close: as long as they answer, nobody else puts a socket of his own there.
    for path in socketPaths.replace(with: []) { UnixSocket.remove(path) }
    for channel in listeners.replace(with: []) { try? await channel.close().get() }
  }

  /// False when `limit` passed first.
  private static func wait(for future: EventLoopFuture<Void>, limit: Interval, on loop: any EventLoop) async -> Bool {
    let promise = loop.makePromise(of: Bool.self)
    let timer = loop.scheduleTask(in: .nanoseconds(min(limit, .hours(24)).nanoseconds)) { promise.succeed(false) }
    future.whenComplete { _ in
      timer.cancel()
      promise.succeed(true)
    }
    return (try? await promise.futureResult.get()) ?? false
  }
}

extension GatewayServer {
  var eventLoopGroup: any EventLoopGroup { group }

  /// A place for one more client, unless there are too many.
  func admitConnection() -> Bool {
    let most = settings.maxConnections
    return connectionCount.withLock { count in
      guard count < most else { return false }
      count += 1
      return true
    }
  }

  func releaseConnection() {
    connectionCount.withLock { $0 -= 1 }
  }

  func context(of loop: any EventLoop) -> LoopContext? {
    contexts.first { $0.loop === loop }
  }
}

/// Why the gateway could not start.
package enum GatewayStartError: Error, CustomStringConvertible {
  case alreadyStarted
  /// Another process answers at this unix socket.
  case socketInUse(String)
  case certificate(String)

  package var description: String {
    switch self {
    case .alreadyStarted: "the gateway has been started already"
    case .socketInUse(let path): "another process listens at \(path)"
    case .certificate(let problem): "the gateway's certificate cannot be used: \(problem)"
    }
  }
}
