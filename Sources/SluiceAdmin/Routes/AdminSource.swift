package import NIOCore
package import SluiceGateway
package import SluicePolicy

/// What the administration side needs from the running gateway. The command implements it.
package protocol AdminSource: Sendable {
  var version: String { get }
  var startedAt: Instant { get }
  var now: Instant { get }
  var isDraining: Bool { get }
  var metrics: GatewayMetrics { get }

  /// Every pool that is configured now, with what the configuration says about it.
  func pools() -> [AdminPool]

  /// False when the pool or the endpoint does not exist.
  func perform(_ operation: EndpointOperation, pool: String, endpoint: String) -> Bool

  func configuration() -> ConfigurationStatus

  /// Reads the file again and applies it as one step; never fails, the report says what happened.
  func reload(on loop: any EventLoop) -> EventLoopFuture<ReloadReport>
}

package struct AdminPool: Sendable {
  package var snapshot: PoolSnapshot
  package var facts: PoolFacts

  package init(snapshot: PoolSnapshot, facts: PoolFacts) {
    self.snapshot = snapshot
    self.facts = facts
  }
}

/// What an operator may do to one endpoint.
package enum EndpointOperation: String, CaseIterable, Sendable {
  case drain, resume, reset
}

/// The configuration in force, redacted, and how the last attempt to change it went.
package struct ConfigurationStatus: Sendable {
  package var generation: UInt64
  /// Path of the file; `nil` when everything was discovered from the environment.
  package var path: String?
  /// The effective configuration as text, every secret hidden.
  package var text: String
  package var lastReload: ReloadReport?

  package init(generation: UInt64, path: String?, text: String, lastReload: ReloadReport?) {
    self.generation = generation
    self.path = path
    self.text = text
    self.lastReload = lastReload
  }
}

/// One attempt to load and apply the configuration.
package struct ReloadReport: Encodable, Sendable {
  package struct Change: Encodable, Sendable {
    package var path: String
    /// `live`, `next connection` or `restart`.
    package var applies: String

    package init(path: String, applies: String) {
      self.path = path
      self.applies = applies
    }
  }

  package var applied: Bool
  package var generation: UInt64
  package var changes: [Change]
  /// `file:line:column: error: …`, one per problem; empty when it was applied.
  package var problems: [String]
  package var warnings: [String]

  package init(
    applied: Bool, generation: UInt64, changes: [Change] = [], problems: [String] = [], warnings: [String] = []
  ) {
    self.applied = applied
    self.generation = generation
    self.changes = changes
    self.problems = problems
    self.warnings = warnings
  }
}
