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
      pool.endpoints.filter { !$0.removed }.compactMap { alert($0, pool: pool.name, now: now) }
    }
  }

  /// The one that matters most: a heartbeat fails because its key is refused, not the other way round.
  private static func alert(_ endpoint: EndpointSnapshot, pool: String, now: Instant) -> AlertDocument? {
    if let cause = endpoint.rejectedBy, let since = endpoint.rejectedSince {
      return AlertDocument(
        name: "key_rejected", severity: "high", pool: pool, endpoint: endpoint.name,
        detail: "the provider refuses \(endpoint.name) (\(cause.label)): it is out until it is reset or a reload",
        since_seconds: seconds(since, now))
    }
    return endpoint.heartbeatProblem.map { heartbeat($0, pool: pool, endpoint: endpoint.name, now: now) }
  }

  private static func seconds(_ since: Instant, _ now: Instant) -> Double {
    max(Interval.zero, now - since).milliseconds / 1000
  }

  private static func heartbeat(
    _ problem: HeartbeatProblem, pool: String, endpoint: String, now: Instant
  ) -> AlertDocument {
    AlertDocument(
      name: "heartbeat_failing", severity: "low", pool: pool, endpoint: endpoint,
      detail: "the free call that keeps \(endpoint) warm fails: \(problem.failure.label)",
      since_seconds: seconds(problem.since, now))
  }
}
