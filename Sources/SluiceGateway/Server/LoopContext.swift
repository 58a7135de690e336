import NIOCore
import SluiceDialects
import SluicePolicy
import SluiceRuntime

/// What all connections of one event loop share: the configuration in force, counters, scratch memory, the share of
/// the memory for bodies, and the list of who is connected.
///
/// `@unchecked Sendable` because everything that changes is touched on `loop` only.
final class LoopContext: @unchecked Sendable {
  let loop: any EventLoop
  let id: LoopID
  let clock: any MonotonicClock
  let metrics: GatewayMetrics
  let admin: (any AdminHandler)?
  /// Client connections are counted over all loops.
  let connectionCount: Guarded<Int>
  /// Shared by all loops; asked only by requests about stored responses.
  let stored: Guarded<StoredResponses>

  private(set) var configuration: GatewayConfiguration
  /// How request bodies are read in this configuration.
  private(set) var scanLimits: RequestScanner.Limits
  private(set) var models = ModelCache()
  /// Survive reloads, as the pools' slots do.
  var answerClocks = AnswerClocks()
  var modelRefusals = ModelRefusals()
  /// By the pool's slot in the metrics, which survives reloads.
  private var budgets: [RetryBudget?] = []
  private var directories: [Surface: ModelDirectory] = [:]
  private var random: SplitMix64
  var purse: BufferPurse
  private var date = AnswerDate()
  /// For heads that are put together; taken and given back empty.
  private var scratch: [UInt8] = []

  private(set) var connections: [InboundConnection] = []
  private(set) var isDraining = false
  private var emptied: EventLoopPromise<Void>?
  /// Exchanges that were lent an endpoint of a configuration which is still on its way here.
  private var awaitingConfiguration: [Exchange] = []

  init(
    loop: any EventLoop, id: LoopID, clock: any MonotonicClock, configuration: GatewayConfiguration,
    metrics: GatewayMetrics, account: BufferAccount, admin: (any AdminHandler)?, connectionCount: Guarded<Int>,
    stored: Guarded<StoredResponses>, seed: UInt64
  ) {
    self.loop = loop
    self.id = id
    self.clock = clock
    self.configuration = configuration
    scanLimits = Self.scanLimits(configuration)
    self.metrics = metrics
    self.admin = admin
    self.connectionCount = connectionCount
    self.stored = stored
    purse = BufferPurse(account: account)
    random = SplitMix64(seed: seed)
  }

  func nextRandom() -> UInt64 { random.next() }

  /// The `date` line of an answer that is made now.
  func dateLine() -> [UInt8] { date.line(at: WallClock.now()) }

  func takeScratch() -> [UInt8] {
    var taken: [UInt8] = []
    swap(&taken, &scratch)
    return taken
  }

  func giveBack(_ bytes: inout [UInt8]) {
    bytes.removeAll(keepingCapacity: bytes.capacity <= 65_536)
    swap(&bytes, &scratch)
  }

  func publish(_ new: GatewayConfiguration) {
    loop.assertInEventLoop()
    configuration = new
    scanLimits = Self.scanLimits(new)
    models = ModelCache()
    for (surface, former) in directories {
      directories[surface] = ModelDirectory(loop: self, configuration: new, surface: surface, former: former)
    }
    // Shares may have changed; the floor of a fresh budget covers the moment.
    budgets = []
    let waiting = awaitingConfiguration
    awaitingConfiguration = []
    for exchange in waiting { exchange.configurationArrived() }
  }

  /// The beginning of prompts is hashed only where a pool wants it.
  private static func scanLimits(_ configuration: GatewayConfiguration) -> RequestScanner.Limits {
    RequestScanner.Limits(hashesPrefix: configuration.pools.contains { $0.affinity == .promptPrefix })
  }

  func awaitConfiguration(_ exchange: Exchange) { awaitingConfiguration.append(exchange) }

  func resolve(_ model: String, _ operation: Operation) -> ModelResolution {
    let resolution = models.resolve(model, operation, configuration, metrics: metrics)
    guard case .refused(let error) = resolution, error.code == .unknownModel else { return resolution }
    return listed(model, operation) ?? resolution
  }

  /// A name that no route and no catalogue knows, but that a provider listed when it was asked.
  private func listed(_ model: String, _ operation: Operation) -> ModelResolution? {
    let found = directories.values.map { $0.pools(listing: model).filter { $0.serves(operation) } }
    guard let pools = found.first(where: { !$0.isEmpty }) else { return nil }
    return .route(models.remember(model, operation, pools, configuration, metrics: metrics))
  }
}

// Model lists.
extension LoopContext {
  func directory(_ surface: Surface) -> ModelDirectory {
    if let known = directories[surface] { return known }
    let directory = ModelDirectory(loop: self, configuration: configuration, surface: surface)
    directories[surface] = directory
    return directory
  }
}

// Retries.
extension LoopContext {
  func requestStarted(_ target: ResolvedTarget, _ now: Instant) {
    prepareBudget(target, now)
    budgets[target.slot]?.requestStarted()
  }

  func withdrawRetry(_ target: ResolvedTarget, _ now: Instant) -> Bool {
    prepareBudget(target, now)
    return budgets[target.slot]?.withdraw(now: now) ?? false
  }

  private func prepareBudget(_ target: ResolvedTarget, _ now: Instant) {
    while budgets.count <= target.slot { budgets.append(nil) }
    if budgets[target.slot] == nil { budgets[target.slot] = RetryBudget(share: target.pool.retryShare, now: now) }
  }
}

// Who is connected.
extension LoopContext {
  func add(_ connection: InboundConnection) {
    connection.index = connections.count
    connections.append(connection)
    metrics.update(on: id) {
      $0.connectionsOpened &+= 1
      $0.connectionsOpen += 1
    }
  }

  func remove(_ connection: InboundConnection) {
    let index = connection.index
    guard index >= 0 else { return }
    connection.index = -1
    let last = connections.removeLast()
    if last !== connection {
      connections[index] = last
      last.index = index
    }
    metrics.update(on: id) { $0.connectionsOpen -= 1 }
    if isDraining, connections.isEmpty { emptied?.succeed() }
  }

  /// No further requests: idle connections close now, the others after the answer they are in.
  func drain() -> EventLoopFuture<Void> {
    loop.assertInEventLoop()
    if let emptied { return emptied.futureResult }
    isDraining = true
    let promise = loop.makePromise(of: Void.self)
    emptied = promise
    for connection in connections { connection.drain() }
    if connections.isEmpty { promise.succeed() }
    return promise.futureResult
  }

  /// Ends what is left: answers that have not begun get an error, streams their error event.
  func abort() {
    loop.assertInEventLoop()
    for connection in connections { connection.abort() }
  }
}
