package import Logging
package import NIOCore
import SluiceConfiguration
package import SluiceDialects
package import SluiceHTTP
package import SluicePolicy
package import SluiceRuntime

/// Builds pools of HTTP connections from blueprints and keeps the running ones in step with them: unchanged pools keep
/// their connections and health, changed ones are reconfigured, removed ones drain.
///
/// Origins and probe targets are known from before their pool needs them until the second configuration without them, so
/// that what was decided before a reload still finds its address, and nothing piles up over many reloads.
package final class PoolAssembly: Sendable {
  package let loops: [any EventLoop]
  package let directory = PoolDirectory<UpstreamConnection>()
  private let clock: any MonotonicClock
  private let logger: Logger
  private let connectors = Guarded<[String: HTTPConnector]>([:])
  /// What proves each endpoint, by its identity; follows every reload.
  private let probeTargets = Guarded<[String: HTTPProbeTarget]>([:])
  private let needs = Guarded(Needs())

  /// What the present configuration and the one before it use.
  private struct Needs: Sendable {
    var present: [String: PoolNeeds] = [:]
    var former: [String: PoolNeeds] = [:]
  }

  private struct PoolNeeds: Sendable {
    var origins: Set<String>
    var targets: Set<String>
  }

  package init(loops: [any EventLoop], clock: any MonotonicClock = .system, logger: Logger) {
    self.loops = loops
    self.clock = clock
    self.logger = logger
  }

  /// Makes the running pools what the blueprints say, all or nothing. Removed pools finish what they have within
  /// `drainLimit`. Reads certificates from disk: not for an event loop.
  package func apply(_ blueprints: [PoolBlueprint], drainLimit: Interval) throws -> [AssembledPool] {
    let transition = try begin(blueprints, drainLimit: drainLimit)
    transition.retire()
    return transition.pools
  }

  /// As `apply`, except that removed pools go on until `retire`, which has to follow: in between everybody who uses them
  /// is told of the new ones.
  package func begin(_ blueprints: [PoolBlueprint], drainLimit: Interval) throws -> PoolTransition {
    // Also where it fails: what was made known for a configuration that is refused is not needed.
    defer { forgetUnneeded() }
    for blueprint in blueprints { try prepare(blueprint) }
    let reconciler = ConfigurationReconciler(directory: directory, drainLimit: drainLimit) { [self] settings in
      try makePool(settings)
    }
    let reconciliation = try reconciler.begin(blueprints.map(\.settings))
    let (running, connectors) = (directory.current, connectors.value)
    let pools = blueprints.compactMap { blueprint -> AssembledPool? in
      let name = blueprint.settings.name
      guard let driver = running[name], let connector = connectors[name] else { return nil }
      connector.transport.use(blueprint.connectionOptions)
      return AssembledPool(blueprint: blueprint, driver: driver, connector: connector)
    }
    needs.withLock { needs in
      needs.former = needs.present
      needs.present = Dictionary(
        blueprints.map { ($0.settings.name, Self.needs(of: $0)) }, uniquingKeysWith: { first, _ in first })
    }
    return PoolTransition(pools: pools, reconciliation: reconciliation)
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
    let transport = HTTPTransport(loops: loops, options: blueprint.connectionOptions, logger: logger)
    let connector = try HTTPConnector(transport: transport)
    connectors.withLock { $0[name] = connector }
    return connector
  }

  private static func needs(of blueprint: PoolBlueprint) -> PoolNeeds {
    PoolNeeds(
      origins: Set(blueprint.settings.origins.map(\.identity)),
      targets: Set(blueprint.settings.endpoints.map(\.identity)))
  }

  private func forgetUnneeded() {
    let needs = needs.value
    let all = needs.present.merging(needs.former) { present, former in
      PoolNeeds(
        origins: present.origins.union(former.origins), targets: present.targets.union(former.targets))
    }
    let targets = all.values.reduce(into: Set<String>()) { $0.formUnion($1.targets) }
    probeTargets.withLock { $0 = $0.filter { targets.contains($0.key) } }
    // Pools that still drain hold their connectors themselves.
    let kept = connectors.withLock { connectors in
      connectors = connectors.filter { all[$0.key] != nil }
      return connectors
    }
    for (name, connector) in kept { connector.keep(only: all[name]?.origins ?? []) }
  }

  /// How many origins and probe targets are known, over all pools.
  package var knownPlaces: (origins: Int, targets: Int) {
    (connectors.value.values.reduce(0) { $0 + $1.knownOrigins.count }, probeTargets.withLock { $0.count })
  }

  private func makePool(_ settings: PoolSettings) throws -> PoolDriver<UpstreamConnection> {
    guard let connector = connectors.value[settings.name] else { preconditionFailure("prepared before it is made") }
    let targets = probeTargets
    let probe = HTTPProbe(connector: connector, clock: clock) { identity in targets.withLock { $0[identity] } }
    return try PoolDriver(
      settings: settings, loops: loops, clock: clock, connector: connector, probe: probe, logger: logger)
  }
}

/// Pools as a configuration wants them, while those that it no longer wants still take requests.
package struct PoolTransition: Sendable {
  package let pools: [AssembledPool]
  fileprivate let reconciliation: Reconciliation<UpstreamConnection>

  /// The pools that are no longer wanted drain from now on.
  package func retire() { reconciliation.retire() }
}

/// A running pool beside the blueprint it was last given.
package struct AssembledPool: Sendable {
  package let blueprint: PoolBlueprint
  package let driver: PoolDriver<UpstreamConnection>
  let connector: HTTPConnector

  /// How its next connections are opened.
  package var connectionOptions: HTTPConnectionOptions { connector.transport.options }

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
