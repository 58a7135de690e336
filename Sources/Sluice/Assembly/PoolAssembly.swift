package import Logging
package import NIOCore
import SluiceConfiguration
package import SluiceDialects
package import SluiceHTTP
package import SluicePolicy
package import SluiceRuntime

/// Builds pools of HTTP connections from blueprints and keeps the running ones in step with them: unchanged pools keep
/// their connections and health, changed ones are reconfigured, removed ones drain.
package final class PoolAssembly: Sendable {
  package let loops: [any EventLoop]
  package let directory = PoolDirectory<HTTPConnection>()
  private let clock: any MonotonicClock
  private let logger: Logger
  private let connectors = Guarded<[String: HTTPConnector]>([:])
  /// What proves each endpoint, by its identity; follows every reload.
  private let probeTargets = Guarded<[String: HTTPProbeTarget]>([:])

  package init(loops: [any EventLoop], clock: any MonotonicClock = .system, logger: Logger) {
    self.loops = loops
    self.clock = clock
    self.logger = logger
  }

  /// Makes the running pools what the blueprints say, all or nothing. Removed pools finish what they have within
  /// `drainLimit`. Reads certificates from disk: not for an event loop.
  package func apply(_ blueprints: [PoolBlueprint], drainLimit: Interval) throws -> [AssembledPool] {
    for blueprint in blueprints { try prepare(blueprint) }
    let reconciler = ConfigurationReconciler(directory: directory, drainLimit: drainLimit) { [self] settings in
      try makePool(settings)
    }
    try reconciler.apply(blueprints.map(\.settings))
    let pools = directory.current
    return blueprints.compactMap { blueprint in
      guard let driver = pools[blueprint.settings.name], let connector = connectors.value[blueprint.settings.name]
      else { return nil }
      return AssembledPool(blueprint: blueprint, driver: driver, connector: connector)
    }
  }

  /// Origins and credentials must be known before the machine asks for a connection or a probe.
  private func prepare(_ blueprint: PoolBlueprint) throws {
    let connector = try connector(for: blueprint)
    for origin in blueprint.origins { try connector.add(origin) }
    let targets = blueprint.probeTargets
    probeTargets.withLock { $0.merge(targets) { $1 } }
  }

  private func connector(for blueprint: PoolBlueprint) throws -> HTTPConnector {
    let name = blueprint.settings.name
    if let known = connectors.value[name] { return known }
    var options = HTTPConnectionOptions()
    let keepalive = blueprint.configuration.transport.keepalive
    // Zero turns it off: the longest idle time the kernel takes (nine hours) outlives every idle connection here.
    options.keepAliveIdle = keepalive > .zero ? keepalive : .seconds(32_767)
    let connector = try HTTPConnector(transport: HTTPTransport(loops: loops, options: options, logger: logger))
    connectors.withLock { $0[name] = connector }
    return connector
  }

  private func makePool(_ settings: PoolSettings) throws -> PoolDriver<HTTPConnection> {
    guard let connector = connectors.value[settings.name] else { preconditionFailure("prepared before it is made") }
    let targets = probeTargets
    let probe = HTTPProbe(connector: connector, clock: clock) { identity in targets.withLock { $0[identity] } }
    return try PoolDriver(
      settings: settings, loops: loops, clock: clock, connector: connector, probe: probe, logger: logger)
  }
}

/// A running pool beside the blueprint it was last given.
package struct AssembledPool: Sendable {
  package let blueprint: PoolBlueprint
  package let driver: PoolDriver<HTTPConnection>
  let connector: HTTPConnector

  /// Why no connection could be opened the last time, by the origin's name.
  package var connectProblems: [String: String] {
    var problems: [String: String] = [:]
    for origin in blueprint.origins { problems[origin.hostHeader] = connector.problem(identity: origin.identity) }
    return problems
  }

  package struct Endpoint: Sendable {
    package let id: EndpointID
    package let name: String
    package let origin: HTTPOrigin
    package let credential: PreparedCredential
  }

  /// The endpoints under the ids of the driver's present layout.
  package var endpoints: [Endpoint] {
    zip(driver.layout.endpoints, blueprint.settings.endpoints.indices).map { id, index in
      Endpoint(
        id: id, name: blueprint.settings.endpoints[index].name, origin: blueprint.endpointOrigins[index],
        credential: blueprint.credentials[index])
    }
  }
}
