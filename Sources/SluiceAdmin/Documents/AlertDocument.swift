import SluicePolicy

/// One thing that is wrong now, as `/api/alerts` tells it. Read off the pools' state, so each is told once however often
/// it happened, and goes by itself when it is over.
struct AlertDocument: Encodable {
  /// What kind it is; the same word for the same trouble.
  var name: String
  var severity: String
  var pool: String, endpoint: String
  var detail: String
  var since_seconds: Double

  static func all(_ snapshots: [PoolSnapshot], now: Instant) -> [AlertDocument] {
    snapshots.flatMap { pool in
      pool.endpoints.filter { !$0.removed }.compactMap { endpoint in
        endpoint.heartbeatProblem.map { heartbeat($0, pool: pool.name, endpoint: endpoint.name, now: now) }
      }
    }
  }

  private static func heartbeat(
    _ problem: HeartbeatProblem, pool: String, endpoint: String, now: Instant
  ) -> AlertDocument {
    AlertDocument(
      name: "heartbeat_failing", severity: "low", pool: pool, endpoint: endpoint,
      detail: "the free call that keeps \(endpoint) warm fails: \(problem.failure.label)",
      since_seconds: max(Interval.zero, now - problem.since).milliseconds / 1000)
  }
}
