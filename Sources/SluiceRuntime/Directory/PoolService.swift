public import Logging
public import ServiceLifecycle
public import SluicePolicy

/// Runs the pools of a program under swift-service-lifecycle: reports their numbers while it runs and drains all of
/// them when it ends. When `run` has returned, no pool works any more.
public struct PoolService: Service {
  private let pools: @Sendable () -> [any ManagedPool]
  private let drainLimit: Interval
  private let reportInterval: Interval
  private let logger: Logger

  /// - Parameters:
  ///   - drainLimit: how long leases may take after a graceful shutdown began. After it, or when the task is cancelled
  ///     instead, everything is closed at once.
  ///   - reportInterval: time between two reports to swift-metrics.
  ///   - logger: nothing above debug in normal operation.
  ///   - pools: every pool that is not finished, asked again for each report and for the drain.
  public init(
    drainLimit: Interval = .seconds(30), reportInterval: Interval = .seconds(10),
    logger: Logger = Logger(label: "sluice.pools"), pools: @escaping @Sendable () -> [any ManagedPool]
  ) {
    precondition(reportInterval > .zero, "reports need a distance")
    self.pools = pools
    self.drainLimit = drainLimit
    self.reportInterval = reportInterval
    self.logger = logger
  }

  /// Runs until a graceful shutdown or a cancellation, then drains.
  public func run() async throws {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await report() }
      // Throws when the task is cancelled, which ends the service as well, only with less patience.
      try? await gracefulShutdown()
      group.cancelAll()
    }
    await drainAll()
  }

  private func report() async {
    var metrics = PoolMetrics()
    while !Task.isCancelled {
      metrics.report(pools().map { ($0.snapshot(), $0.counters) })
      try? await Task.sleep(for: reportInterval.duration)
    }
  }

  private func drainAll() async {
    let pools = pools()
    logger.debug("draining pools", metadata: ["count": "\(pools.count)"])
    await withTaskGroup(of: (String, DrainResult).self) { group in
      for pool in pools {
        group.addTask { (pool.name, await pool.drain(within: drainLimit)) }
      }
      for await (name, result) in group where result == .closedByForce {
        logger.warning("pool closed by force", metadata: ["pool": "\(name)"])
      }
    }
  }
}

extension PoolService {
  /// Runs all pools of a directory, removed ones that still drain included.
  public init<Resource>(
    directory: PoolDirectory<Resource>, drainLimit: Interval = .seconds(30), reportInterval: Interval = .seconds(10),
    logger: Logger = Logger(label: "sluice.pools")
  ) {
    self.init(drainLimit: drainLimit, reportInterval: reportInterval, logger: logger) { directory.managedPools() }
  }
}
