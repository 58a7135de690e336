package import SluicePolicy

/// What the configuration says about a pool and a snapshot does not.
package struct PoolFacts: Sendable {
  package var provider: String
  package var strategy: String
  package var maxPerOrigin: Int
  /// What is assumed of a key until its provider says more.
  package var requestsPerMinute: Int
  /// Why the last connection could not be opened, by the origin's name.
  package var connectProblems: [String: String]
  /// Credentials that are found and renewed, where it has such.
  package var credentials: [CredentialFacts] = []

  package init(
    provider: String, strategy: String, maxPerOrigin: Int, requestsPerMinute: Int = 0,
    connectProblems: [String: String] = [:]
  ) {
    self.provider = provider
    self.strategy = strategy
    self.maxPerOrigin = maxPerOrigin
    self.requestsPerMinute = requestsPerMinute
    self.connectProblems = connectProblems
  }
}

/// Credentials that come from somewhere and end; without themselves.
package struct CredentialFacts: Sendable {
  /// Where they come from; empty while there are none.
  package var source: String
  package var isValid: Bool
  /// Nil: they do not end.
  package var expiresIn: Interval?
  /// Why new ones could not be had.
  package var problem: String?

  package init(source: String, isValid: Bool, expiresIn: Interval?, problem: String?) {
    self.source = source
    self.isValid = isValid
    self.expiresIn = expiresIn
    self.problem = problem
  }
}

/// One pool as `/api/pools` tells it: plain names, milliseconds, nothing secret.
struct PoolDocument: Encodable {
  struct Connections: Encodable {
    var leased: Int, idle: Int, connecting: Int, verifying: Int, draining: Int, max: Int
    var opened: UInt64, failed: UInt64, reused: UInt64, borrowed: UInt64
    var closed: [String: UInt64]
  }

  struct Waiting: Encodable {
    var total: Int, critical: Int, high: Int, normal: Int, low: Int
    var oldest_ms: Double
  }

  struct Origin: Encodable {
    var name: String, connections: Int, leased: Int, wanted: Int, disconnected: Bool, connect_failures: Int
    var connect_ms: Double?, idle_limit_seconds: Double?
    /// Silence after which a heartbeat is sent; absent while none are to be sent.
    var heartbeat_interval_seconds: Double?
    /// Why the last connection could not be opened.
    var problem: String?
  }

  /// One limit as the provider last told it.
  struct Window: Encodable {
    var limit: Int?, remaining: Int?, resets_in_seconds: Double?
  }

  struct Quota: Encodable {
    var requests: Window?, tokens: Window?, input_tokens: Window?, output_tokens: Window?
    /// The provider has not told its limit of requests: what its customers commonly have.
    var assumed_requests_per_minute: Int?
  }

  struct Endpoint: Encodable {
    var name: String, origin: String, region: String?, state: String, state_detail: String, role: String
    var weight: Int, leased: Int, slots: Int
    var requests: UInt64, successes: UInt64, failures: UInt64, consecutive_failures: Int
    var latency_ms: Double?, returns_in_seconds: Double?
    var heartbeats: UInt64, heartbeats_failed: UInt64
    /// Why heartbeats fail; absent while they do not.
    var heartbeat_problem: String?
    var quota: Quota
  }

  struct Credential: Encodable {
    var source: String, valid: Bool, expires_in_seconds: Double?, problem: String?
  }

  var name: String, provider: String, strategy: String, state: String, panic: Bool
  /// The region that serves.
  var region: String?
  var connections: Connections
  var waiting: Waiting
  var rejected: [String: UInt64]
  var origins: [Origin]
  var endpoints: [Endpoint]
  /// Absent where credentials neither come from elsewhere nor end.
  var credentials: [Credential]?

  init(_ snapshot: PoolSnapshot, facts: PoolFacts, now: Instant) {
    let live = snapshot.endpoints.filter { !$0.removed }
    name = snapshot.name
    provider = facts.provider
    strategy = facts.strategy
    state = Self.state(of: snapshot, live: live)
    panic = snapshot.panic
    region = snapshot.region
    connections = Self.connections(snapshot)
    waiting = Self.waiting(snapshot)
    rejected = Self.counts(RejectionReason.allCases) { ($0.label, snapshot.counters.rejected[$0]) }
    origins = snapshot.origins.filter { !$0.removed }.map { Self.origin($0, facts) }
    credentials = facts.credentials.isEmpty ? nil : facts.credentials.map(Self.credential)
    let names = Dictionary(snapshot.origins.map { ($0.id, $0.name) }, uniquingKeysWith: { first, _ in first })
    endpoints = live.map {
      Self.endpoint($0, origin: names[$0.origin] ?? "", facts, now: now)
    }
  }

  private static func credential(_ facts: CredentialFacts) -> Credential {
    Credential(
      source: facts.source, valid: facts.isValid, expires_in_seconds: facts.expiresIn.map { $0.milliseconds / 1000 },
      problem: facts.problem)
  }

  /// The pool in one word: as good as its best endpoints, unless it is not taking requests at all.
  static func state(of snapshot: PoolSnapshot, live: [EndpointSnapshot]) -> String {
    guard snapshot.state == .open else { return snapshot.state.label }
    let serving = live.count { $0.state == .healthy || $0.state == .degraded }
    if serving == 0 { return "down" }
    return serving == live.count && !snapshot.panic ? "healthy" : "degraded"
  }

  private static func connections(_ snapshot: PoolSnapshot) -> Connections {
    let slots = snapshot.slots, counters = snapshot.counters
    return Connections(
      leased: slots.leased, idle: slots.idle, connecting: slots.connecting, verifying: slots.verifying,
      draining: slots.draining, max: Int(snapshot.numbers.max), opened: counters.connectsSucceeded,
      failed: counters.connectsFailed, reused: counters.reused, borrowed: counters.borrowed,
      closed: counts(CloseReason.allCases) { ($0.label, counters.closed[$0]) })
  }

  private static func waiting(_ snapshot: PoolSnapshot) -> Waiting {
    let counts = snapshot.waiting
    return Waiting(
      total: counts.total, critical: counts.critical, high: counts.high, normal: counts.normal, low: counts.low,
      oldest_ms: snapshot.oldestWait.milliseconds)
  }

  private static func origin(_ origin: OriginSnapshot, _ facts: PoolFacts) -> Origin {
    Origin(
      name: origin.name, connections: origin.slots.total, leased: origin.leased, wanted: origin.wanted,
      disconnected: origin.disconnected, connect_failures: origin.connectFailures,
      connect_ms: origin.connectTime > .zero ? origin.connectTime.milliseconds : nil,
      idle_limit_seconds: origin.idleLimit.map { $0.milliseconds / 1000 },
      heartbeat_interval_seconds: origin.heartbeatInterval.map { $0.milliseconds / 1000 },
      problem: facts.connectProblems[origin.name])
  }

  private static func endpoint(_ endpoint: EndpointSnapshot, origin: String, _ facts: PoolFacts, now: Instant)
    -> Endpoint
  {
    let remaining = endpoint.outUntil.flatMap { $0 > now ? ($0 - now).milliseconds / 1000 : nil }
    var detail = endpoint.state.label
    if let remaining { detail += " \(Int(remaining.rounded(.up))) s" }
    if let failure = endpoint.rejectedBy { detail += " (\(failure.label))" }
    return Endpoint(
      name: endpoint.name, origin: origin, region: endpoint.region, state: endpoint.state.label, state_detail: detail,
      role: endpoint.role == .backup ? "backup" : "primary", weight: endpoint.weight, leased: endpoint.leased,
      slots: facts.maxPerOrigin, requests: endpoint.grants, successes: endpoint.successes, failures: endpoint.failures,
      consecutive_failures: endpoint.consecutiveFailures,
      latency_ms: endpoint.latency > .zero ? endpoint.latency.milliseconds : nil, returns_in_seconds: remaining,
      heartbeats: endpoint.heartbeats, heartbeats_failed: endpoint.heartbeatsFailed,
      heartbeat_problem: endpoint.heartbeatProblem?.failure.label,
      quota: quota(endpoint.quota, facts, now))
  }

  private static func quota(_ quota: EndpointQuota?, _ facts: PoolFacts, _ now: Instant) -> Quota {
    func window(_ window: QuotaWindow?) -> Window? {
      guard let window, !window.isEmpty else { return nil }
      return Window(
        limit: window.limit, remaining: window.remaining,
        resets_in_seconds: window.resetsAt.map { max(0, ($0 - now).milliseconds / 1000) })
    }
    let isTold = quota?.requests.limit != nil || facts.requestsPerMinute == 0
    return Quota(
      requests: window(quota?.requests), tokens: window(quota?.tokens), input_tokens: window(quota?.inputTokens),
      output_tokens: window(quota?.outputTokens), assumed_requests_per_minute: isTold ? nil : facts.requestsPerMinute)
  }

  /// Only what happened: a map of all reasons with mostly zeros says little.
  private static func counts<Reason>(
    _ reasons: [Reason], _ count: (Reason) -> (String, UInt64)
  ) -> [String: UInt64] {
    var result: [String: UInt64] = [:]
    for (label, number) in reasons.map(count) where number > 0 { result[label] = number }
    return result
  }
}

extension Interval {
  var milliseconds: Double { Double(nanoseconds) / 1_000_000 }
}
