package import NIOCore
import NIOPosix
import SluicePolicy
package import SluiceRuntime

/// Opens upstream connections for pools: resolving, TCP, proxy and TLS under the one deadline of the request.
///
/// Origins are known by their identity, which is what pool settings carry. They are added before the pool that uses them
/// and stay until removed, so that a connect that was decided before a reload still finds its address.
package final class HTTPConnector: ResourceConnector {
  package typealias Resource = UpstreamConnection

  package let transport: HTTPTransport
  private let origins = Guarded<[String: HTTPOrigin]>([:])
  /// Why the last attempt failed, for the origins where it did; at most one text for each origin that is known.
  private let problems = Guarded<[String: String]>([:])

  package init(transport: HTTPTransport, origins: [HTTPOrigin] = []) throws(HTTPOriginError) {
    self.transport = transport
    for origin in origins { try add(origin) }
  }

  /// Makes an origin known. Reads certificate authorities from disk, each time anew, so not for an event loop.
  package func add(_ origin: HTTPOrigin) throws(HTTPOriginError) {
    try transport.prepare(origin, again: true)
    origins.withLock { $0[origin.identity] = origin }
  }

  /// Forgets every other origin, with its last problem and its TLS context.
  package func keep(only identities: Set<String>) {
    let kept = origins.withLock { origins in
      origins = origins.filter { identities.contains($0.key) }
      return Array(origins.values)
    }
    problems.withLock { $0 = $0.filter { identities.contains($0.key) } }
    transport.keepContexts(of: kept)
  }

  package var knownOrigins: Set<String> { origins.withLock { Set($0.keys) } }

  /// Why the last connection to an origin could not be opened; nil once one could.
  package func problem(identity: String) -> String? { problems.withLock { $0[identity] } }

  package func connect(
    _ request: ConnectRequest,
    _ done: @escaping @Sendable (Result<Connected<UpstreamConnection>, PoolConnectError>) -> Void
  ) {
    guard let origin = origins.withLock({ $0[request.originIdentity] }) else {
      let failure = ConnectFailure(.unknownOrigin, "\(request.originIdentity): this origin is not configured")
      return done(.failure(failure.poolError))
    }
    open(
      origin, on: request.eventLoop, deadline: request.loopDeadline, clock: request.clock, events: request.events
    ) { [self] result in
      switch result {
      case .success: problems.withLock { _ = $0.removeValue(forKey: origin.identity) }
      case .failure(let failure): note(failure, of: origin.identity)
      }
      done(result.map { Connected(resource: $0, capacity: max(1, $0.capacity)) }.mapError(\.poolError))
    }
  }

  /// An origin may have been forgotten while it was being tried.
  private func note(_ failure: ConnectFailure, of identity: String) {
    guard origins.withLock({ $0[identity] }) != nil else { return }
    problems.withLock { $0[identity] = failure.description }
  }

  /// Opens a connection outside any pool. `done` is called once, on `eventLoop`.
  package func open(
    _ origin: HTTPOrigin, on eventLoop: any EventLoop, deadline: NIODeadline,
    clock: any MonotonicClock = SystemClock(), events: ResourceEvents? = nil,
    _ done: @escaping @Sendable (Result<UpstreamConnection, ConnectFailure>) -> Void
  ) {
    let attempt = ConnectAttempt(
      origin: origin, transport: transport, eventLoop: eventLoop, clock: clock, events: events, done: done)
    if eventLoop.inEventLoop {
      attempt.start(deadline: deadline)
    } else {
      eventLoop.execute { attempt.start(deadline: deadline) }
    }
  }
}
