package import Logging
package import NIOCore
package import SluiceConfiguration
package import SluiceDialects
import SluiceHTTP
import SluiceRuntime

/// The AWS credentials of all pools: one keeper for each plan, which lives on over reloads, so that credentials are not
/// looked for again because something else was changed.
package final class AWSCredentialRoom: Sendable {
  package let environment: [String: String]
  private let loops: [any EventLoop]
  private let files: FileAccess
  private let transport: HTTPTransport
  private let patience: TimeAmount
  private let logger: Logger
  private let keepers = Guarded<[AWSCredentialPlan: AWSCredentialKeeper]>([:])

  /// Nothing is asked before the first plan.
  /// - Parameter patience: for one answer of a metadata endpoint; a second where none is given.
  package init(
    loops: [any EventLoop], environment: [String: String], files: FileAccess = .system, logger: Logger,
    patience: TimeAmount? = nil
  ) {
    self.loops = loops
    self.environment = environment
    self.files = files
    self.logger = logger
    self.patience = patience ?? MetadataClient.usualPatience
    transport = HTTPTransport(loops: loops, logger: logger)
  }

  /// Whoever keeps this plan's credentials; begins to if nobody does. Not for an event loop.
  package func desk(_ plan: AWSCredentialPlan) -> any SigningDesk {
    if let known = keepers.value[plan] { return known }
    let clients = plan.metadataURLs.reduce(into: [AWSMetadataURL: MetadataClient]()) { clients, url in
      clients[url] = MetadataClient(url, transport: transport, patience: patience)
    }
    let new = AWSCredentialKeeper(plan, clients: clients, files: files, loop: loops[0], logger: logger)
    let (keeper, isNew) = keepers.withLock { keepers in
      if let known = keepers[plan] { return (known, false) }
      keepers[plan] = new
      return (new, true)
    }
    if isNew { keeper.start() }
    return keeper
  }

  /// The others are not renewed any more.
  package func keep(only plans: Set<AWSCredentialPlan>) {
    let gone = keepers.withLock { keepers in
      let gone = keepers.filter { !plans.contains($0.key) }.map(\.value)
      keepers = keepers.filter { plans.contains($0.key) }
      return gone
    }
    for keeper in gone { keeper.stop() }
  }

  package func status(_ plan: AWSCredentialPlan) -> CredentialStatus? { keepers.value[plan]?.status }
}
