import Logging
import NIOCore
import NIOPosix
import Sluice
import SluiceAdmin
import SluiceConfiguration
import SluiceDialects
import SluiceGateway
import SluiceHTTP
import SluicePolicy
import SluiceRuntime

/// The running gateway: event loops, pools, server, and the configuration in force. Tells administration about all of it
/// and applies reloads as one step.
final class GatewayHost: Sendable {
  let version = SluiceVersion.current
  let startedAt: Instant
  let metrics: GatewayMetrics
  let server: GatewayServer
  let assembly: PoolAssembly
  private let room: AWSCredentialRoom
  private let group: MultiThreadedEventLoopGroup
  private let loader: ConfigurationLoader
  private let logger: Logger
  private let state: Guarded<State>
  private let reloads: BoundedMailbox<EventLoopPromise<ReloadReport>?>

  private struct State: Sendable {
    var loaded: LoadedConfiguration
    var pools: [AssembledPool]
    var generation: UInt64 = 1
    var lastReload: ReloadReport?
  }

  /// Opens nothing yet. `routes` maps administration's paths; see `AdminRoutes`.
  init(_ loaded: LoadedConfiguration, loader: ConfigurationLoader, logger: Logger) throws {
    let configuration = loaded.configuration
    let threads = configuration.server.threads ?? System.coreCount
    group = MultiThreadedEventLoopGroup(numberOfThreads: threads)
    let loops = Array(group.makeIterator()) as [any EventLoop]
    self.loader = loader
    self.logger = logger
    startedAt = SystemClock().now()
    assembly = PoolAssembly(loops: loops, logger: logger)
    room = AWSCredentialRoom(loops: loops, environment: loader.environment, logger: logger)
    let blueprints = try Self.blueprints(configuration, room)
    let pools = try assembly.apply(blueprints, drainLimit: configuration.server.drainTimeout)
    let settings = GatewayTranslation.settings(configuration)
    let catalogue = try configuration.modelCatalogue()
    metrics = GatewayMetrics(loops: loops, recentRequests: settings.recentRequests)
    state = Guarded(State(loaded: loaded, pools: pools))
    reloads = BoundedMailbox(capacity: 16)
    let admin = AdminSeam()
    server = GatewayServer(
      settings: settings, group: group,
      configuration: GatewayTranslation.configuration(
        configuration, pools: pools, routes: try GatewayTranslation.routes(configuration, blueprints, catalogue),
        catalogue: catalogue,
        insecure: loader.insecure),
      admin: admin, metrics: metrics, logger: logger)
    admin.routes.withLock { $0 = AdminRoutes(source: HostSource(self)) }
  }

  private static func blueprints(
    _ configuration: SluiceConfiguration, _ room: AWSCredentialRoom
  ) throws -> [PoolBlueprint] {
    if let pool = configuration.pools.first(where: \.fallbackDirect) { throw DirectFallbackRefused(pool: pool.name) }
    return try configuration.pools.map { try PoolBlueprint($0, admission: configuration.admission, room: room) }
  }

  /// Credentials that no pool uses any more are not renewed.
  private func keepCredentials(of pools: [AssembledPool]) {
    room.keep(only: Set(pools.flatMap { $0.blueprint.credentialPlans.compactMap(\.self) }))
  }

  var loaded: LoadedConfiguration { state.value.loaded }

  /// Where it listens, as URLs to print.
  func start() async throws -> [String] {
    let scheme = loaded.configuration.server.tls == nil ? "http" : "https"
    return try await server.start().map { address in
      if let path = address.pathname, address.port == nil { return "unix:\(path)" }
      let host = address.ipAddress ?? "127.0.0.1"
      return "\(scheme)://\(host.contains(":") ? "[\(host)]" : host):\(address.port ?? 0)"
    }
  }

  /// Finishes what is in flight within the drain time. True when nothing had to be cut.
  func drain() async -> Bool {
    await server.drain(within: loaded.configuration.server.drainTimeout)
  }

  /// Ends everything. Nothing may be reloaded any more: whatever still waited for an event loop would wait for ever.
  func end() async {
    room.keep(only: [])
    for pool in assembly.directory.managedPools() { _ = await pool.drain(within: .seconds(1)) }
    try? await group.shutdownGracefully()
  }

  // MARK: - Reloading

  /// Asks for a reload without waiting for it.
  func requestReload() { _ = reloads.send(nil) }

  func requestReload(answering promise: EventLoopPromise<ReloadReport>) {
    if !reloads.send(promise) { promise.succeed(refusedReload) }
  }

  /// Carries out reloads one after the other, until the task is cancelled; looks at the file once a second.
  func watch() async {
    await withTaskGroup(of: Void.self) { tasks in
      tasks.addTask { await self.watchFiles() }
      tasks.addTask {
        while let promise = await self.reloads.next() {
          let report = await self.reload()
          promise?.succeed(report)
        }
      }
      await tasks.waitForAll()
    }
    reloads.close()
    for promise in reloads.takeAvailable(limit: .max) { promise?.succeed(refusedReload) }
  }

  private var refusedReload: ReloadReport {
    let problem = server.isDraining ? "the gateway is stopping" : "too many reloads are waiting"
    return ReloadReport(applied: false, generation: generation, problems: [problem])
  }

  private func watchFiles() async {
    var watched = watchedPaths
    var watch = FileWatch(paths: watched)
    while (try? await Task.sleep(for: .seconds(1))) != nil {
      if watch.hasChanged() { requestReload() }
      if watched != watchedPaths {
        watched = watchedPaths
        watch = FileWatch(paths: watched)
        // What is watched from now on may have changed since it was read.
        requestReload()
      }
    }
  }

  private var watchedPaths: [String] {
    let loaded = loaded
    return (loaded.path.map { [$0] } ?? []) + loaded.dependencies
  }

  private func reload() async -> ReloadReport {
    let report: ReloadReport
    switch await loader.load() {
    case .failure(let problems):
      report = ReloadReport(applied: false, generation: generation, problems: problems.problems.map(\.description))
      logger.error("configuration refused; the old one stays", metadata: ["problems": "\(problems)"])
    case .success(let loaded):
      report = await apply(loaded)
    }
    state.withLock { $0.lastReload = report }
    return report
  }

  private func apply(_ loaded: LoadedConfiguration) async -> ReloadReport {
    let configuration = loaded.configuration
    let before = self.loaded.configuration
    let diff = ConfigurationDiff(from: before, to: configuration)
    do {
      let pools = try await apply(configuration)
      keepCredentials(of: pools)
      let generation = state.withLock { state in
        state.loaded = loaded
        state.pools = pools
        state.generation += 1
        return state.generation
      }
      logger.info("configuration reloaded", metadata: ["generation": "\(generation)", "changes": "\(diff.summary)"])
      return ReloadReport(
        applied: true, generation: generation,
        changes: diff.changes.map { ReloadReport.Change(path: $0.path, applies: $0.effect.rawValue) },
        warnings: loaded.warnings.map(\.description))
    } catch {
      keepCredentials(of: state.value.pools)
      logger.error("configuration refused; the old one stays", metadata: ["error": "\(error)"])
      return ReloadReport(applied: false, generation: generation, problems: ["\(error)"])
    }
  }

  /// Everything that can be refused comes first; then every loop learns of the new pools before those that are removed
  /// begin to drain, so that no request meets a pool that takes nothing new.
  private func apply(_ configuration: SluiceConfiguration) async throws -> [AssembledPool] {
    let blueprints = try Self.blueprints(configuration, room)
    let catalogue = try configuration.modelCatalogue()
    let routes = try GatewayTranslation.routes(configuration, blueprints, catalogue)
    let transition = try assembly.begin(blueprints, drainLimit: configuration.server.drainTimeout)
    defer { transition.retire() }
    try await server.publish(
      GatewayTranslation.configuration(
        configuration, pools: transition.pools, routes: routes, catalogue: catalogue, insecure: loader.insecure))
    return transition.pools
  }

  private var generation: UInt64 { state.value.generation }

  // MARK: - For administration

  var configurationStatus: ConfigurationStatus {
    let state = state.value
    return ConfigurationStatus(
      generation: state.generation, path: state.loaded.path, text: state.loaded.configuration.redacted.rendered(),
      lastReload: state.lastReload)
  }

  var pools: [AdminPool] {
    state.value.pools.map { pool in
      var facts = PoolFacts(
        provider: pool.blueprint.configuration.provider.rawValue,
        strategy: pool.blueprint.configuration.strategy.rawValue,
        maxPerOrigin: pool.blueprint.configuration.connections.max,
        requestsPerMinute: pool.blueprint.dialect.defaultRequestsPerMinute, connectProblems: pool.connectProblems)
      facts.credentials = credentials(of: pool)
      return AdminPool(snapshot: pool.driver.snapshot(), facts: facts)
    }
  }

  private func credentials(of pool: AssembledPool) -> [CredentialFacts] {
    let plans = pool.blueprint.credentialPlans.compactMap(\.self)
    return plans.indices.filter { plans.firstIndex(of: plans[$0]) == $0 }.compactMap { room.status(plans[$0]) }.map {
      CredentialFacts(source: $0.source, isValid: $0.isValid, expiresIn: $0.expiresIn, problem: $0.problem)
    }
  }

  func perform(_ operation: EndpointOperation, pool name: String, endpoint: String) -> Bool {
    guard let pool = state.value.pools.first(where: { $0.blueprint.settings.name == name }),
      let id = pool.endpoints.first(where: { $0.name == endpoint })?.id
    else { return false }
    switch operation {
    case .drain: pool.driver.drainEndpoint(id)
    case .resume: pool.driver.resumeEndpoint(id)
    case .reset: pool.driver.resetEndpoint(id)
    }
    return true
  }
}
