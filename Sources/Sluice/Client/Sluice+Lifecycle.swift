import NIOCore
public import ServiceLifecycle
import SluiceRuntime

extension Sluice: Service {
  /// Runs until the service group ends or the task is cancelled, reports the pools' numbers to swift-metrics meanwhile,
  /// and ends with ``shutdown()``.
  public func run() async throws {
    try await PoolService(directory: assembly.directory, drainLimit: drainLimit, logger: logger).run()
    await shutdown()
  }

  /// Takes no new calls, lets running ones finish within the configured drain time, closes every connection and ends the
  /// event loops. A second call waits for the drain as well and does nothing else.
  public func shutdown() async {
    let isFirst = life.withLock { life -> Bool in
      defer { if life == .running { life = .closing } }
      return life == .running
    }
    let limit = drainLimit
    await withTaskGroup(of: Void.self) { tasks in
      for pool in assembly.directory.managedPools() {
        tasks.addTask { _ = await pool.drain(within: limit) }
      }
    }
    guard isFirst else { return }
    room.keep(only: [])
    try? await group.shutdownGracefully()
    life.replace(with: .closed)
  }

  func checkRunning() throws(SluiceError) {
    guard life.value == .running else {
      throw SluiceError(.shutDown, "this Sluice was shut down and takes no new calls; make another one")
    }
  }
}
