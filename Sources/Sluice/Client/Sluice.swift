public import Logging
import NIOCore
import NIOPosix
import SluiceConfiguration
import SluiceDialects
import SluicePolicy
import SluiceRuntime

/// Pooled, balanced and health-checked access to language-model providers.
///
/// ```swift
/// let sluice = try await Sluice(configuration: .discovered())
/// let answer = try await sluice.chat(model: "gpt-4o-mini", [.user("Hello")])
/// for try await delta in sluice.stream(model: "claude-sonnet-4-5", [.user("Hello")]) {
///   print(delta.text, terminator: "")
/// }
/// await sluice.shutdown()
/// ```
///
/// Models are resolved by the configuration's routes, then by the model catalogue; `pool/model` names a pool outright. Each
/// provider is spoken to in its own protocol. Each try borrows a connection,
/// carries the credential of the endpoint it was granted, and tells the pool how it went. It runs event loops of its own
/// until ``shutdown()``; it is also a `Service` for swift-service-lifecycle.
public final class Sluice: Sendable {
  /// Running, then closing (nothing new, what runs may finish), then closed.
  enum Life: Sendable { case running, closing, closed }

  let assembly: PoolAssembly
  let router: ModelRouter
  let pools: [String: ClientPool]
  let drainLimit: Interval
  let logger: Logger
  let group: MultiThreadedEventLoopGroup
  let room: AWSCredentialRoom
  let life = Guarded(Life.running)

  /// Reads the configuration and starts its pools; nothing is sent before the first call.
  ///
  /// - Parameters:
  ///   - configuration: where the configuration comes from.
  ///   - logger: nothing above debug in normal operation.
  /// - Throws: ``SluiceError`` with ``SluiceError/Code/configuration``; its message names every problem and its place.
  public init(configuration: Configuration, logger: Logger = Logger(label: "sluice")) async throws {
    let loaded: SluiceConfiguration
    do {
      loaded = try await configuration.load(on: MultiThreadedEventLoopGroup.singleton.next(), logger: logger)
    } catch {
      throw SluiceError(configuration: error)
    }
    let group = MultiThreadedEventLoopGroup(numberOfThreads: loaded.server.threads ?? System.coreCount)
    do {
      let loops = Array(group.makeIterator()) as [any EventLoop]
      let catalogue = try loaded.modelCatalogue()
      let assembly = PoolAssembly(loops: loops, logger: logger)
      let limit = loaded.server.drainTimeout
      let room = AWSCredentialRoom(loops: loops, environment: configuration.environment, logger: logger)
      let blueprints = try loaded.pools.map { try PoolBlueprint($0, admission: loaded.admission, room: room) }
      let running = try assembly.apply(blueprints, drainLimit: limit)
      router = try ModelRouter(loaded, running, catalogue)
      pools = Dictionary(
        running.map { ($0.blueprint.settings.name, ClientPool($0, catalogue)) },
        uniquingKeysWith: { first, _ in first })
      drainLimit = limit
      self.assembly = assembly
      self.logger = logger
      self.group = group
      self.room = room
    } catch {
      try? await group.shutdownGracefully()
      throw SluiceError(configuration: error)
    }
  }

  deinit {
    guard life.value == .running else { return }
    room.keep(only: [])
    for pool in pools.values { pool.driver.close() }
    group.shutdownGracefully { _ in }
  }
}
