import NIOCore
package import SluicePolicy
package import SluiceRuntime

/// Requests to one origin through a pool of connections, for tasks: administration, discovery, the library. The data
/// path of the gateway does not use it.
package struct SimpleHTTPClient: Sendable {
  private let pool: PoolDriver<UpstreamConnection>
  private let host: String
  private let basePath: String

  /// `origin` gives the `host` header and the base path; its connections come from `pool`.
  package init(pool: PoolDriver<UpstreamConnection>, origin: HTTPOrigin) {
    self.pool = pool
    host = origin.hostHeader
    basePath = origin.basePath
  }

  /// Sends a request and returns with the response's head. The connection goes back when the body has ended, failed or
  /// been let go of.
  ///
  /// A request that met a connection that had died unheard is repeated once on a fresh one, by the replay rule; one
  /// that the upstream refused to look at, a few times on any.
  /// Throws `PoolError` when no connection was to be had, else `HTTPClientError`; cancellation closes the connection.
  package func send(
    _ request: HTTPClientRequest, priority: PriorityClass = .normal,
    timeouts: HTTPClientTimeouts = HTTPClientTimeouts()
  ) async throws -> HTTPClientResponse {
    let upstream = try request.serialised(host: host, basePath: basePath)
    var refusals = 0
    var isReplay = false
    while true {
      do {
        return try await attempt(upstream, priority, timeouts, freshOnly: isReplay)
      } catch HTTPClientError.upstream(let failure) where failure.isRefused && refusals < Self.maxRefusals {
        refusals += 1
      } catch HTTPClientError.upstream(let failure) where failure.replaySafe && !isReplay {
        isReplay = true
      }
    }
  }

  private static let maxRefusals = 8

  private func attempt(
    _ request: UpstreamRequest, _ priority: PriorityClass, _ timeouts: HTTPClientTimeouts, freshOnly: Bool
  ) async throws -> HTTPClientResponse {
    var options = LeaseOptions()
    options.freshOnly = freshOnly
    let exchange = LeasedExchange(
      try await pool.lease(class: priority, timeout: timeouts.acquire, options: options))
    return try await exchange.send(request, timeouts: timeouts)
  }
}
