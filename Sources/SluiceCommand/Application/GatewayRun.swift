import Logging
import ServiceLifecycle
import SluiceConfiguration
import UnixSignals

/// The gateway under a service group: starts, waits for the end, drains. One more SIGINT while draining ends at once.
struct GatewayRun: Sendable {
  let host: GatewayHost
  let logger: Logger

  /// `beside` says, given the addresses, what else shall run; all end together, and when one of them ends by itself the
  /// gateway drains as well. `announce` is called once signals are handled: whoever reads it may send one at once.
  func run(
    beside: ([String]) -> [any Service] = { _ in [] }, announce: @escaping @Sendable ([String]) -> Void
  ) async throws {
    let urls: [String]
    do {
      urls = try await host.start()
    } catch {
      let places = host.loaded.configuration.server.listen.map(\.description).joined(separator: ", ")
      throw CommandFailure("cannot listen on \(places): \(error)")
    }
    let serving = ServingService(host: host, logger: logger) { announce(urls) }
    let services = [serving] as [any Service] + beside(urls)
    let configuration = ServiceGroupConfiguration(
      services: services.map {
        .init(
          service: $0, successTerminationBehavior: .gracefullyShutdownGroup,
          failureTerminationBehavior: .gracefullyShutdownGroup)
      }, gracefulShutdownSignals: [.sigterm, .sigint], logger: .silent)
    try await ServiceGroup(configuration: configuration).run()
  }
}

/// The gateway as a service: watches the configuration, reloads on SIGHUP, drains on the group's word.
struct ServingService: Service {
  let host: GatewayHost
  let logger: Logger
  let announce: @Sendable () -> Void

  func run() async throws {
    announce()
    await withTaskGroup(of: Void.self) { tasks in
      tasks.addTask { await host.watch() }
      tasks.addTask {
        for await _ in await UnixSignalsSequence(trapping: .sighup) { host.requestReload() }
      }
      try? await gracefulShutdown()
      logger.info("draining")
      let whole = await host.drain()
      if !whole { logger.warning("drain time is over; what was left was cut") }
      tasks.cancelAll()
    }
    await host.end()
  }
}
