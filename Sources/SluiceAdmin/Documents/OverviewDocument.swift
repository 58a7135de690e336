import SluiceGateway
import SluicePolicy

/// The whole gateway at a glance: `/api/overview`, the dashboard's tiles and `sluice status`.
struct OverviewDocument: Encodable {
  struct Requests: Encodable {
    var total: UInt64, failed: UInt64, cancelled: UInt64, retries: UInt64, replays: UInt64
    var in_flight: Int, waiting: Int, streams_open: Int, connections_open: Int
  }

  struct Tokens: Encodable {
    var input: UInt64, output: UInt64, cached: UInt64, reasoning: UInt64
  }

  /// Interpolated within the histogram's buckets; absent while nothing was measured.
  struct Quantiles: Encodable {
    var p50_ms: Double?, p95_ms: Double?, p99_ms: Double?

    init(_ histogram: FixedHistogram) {
      p50_ms = Self.quantile(0.5, of: histogram)
      p95_ms = Self.quantile(0.95, of: histogram)
      p99_ms = Self.quantile(0.99, of: histogram)
    }

    /// As Prometheus' `histogram_quantile`: values are taken as spread evenly over their bucket; what lies beyond the last
    /// bound counts as the last bound.
    static func quantile(_ share: Double, of histogram: FixedHistogram) -> Double? {
      guard histogram.count > 0 else { return nil }
      let rank = share * Double(histogram.count)
      var below = 0.0, lower = 0.0
      for (index, bound) in FixedHistogram.bounds.enumerated() {
        let inside = Double(histogram[index]), upper = Double(bound) / 1e6
        if below + inside >= rank, inside > 0 { return lower + (upper - lower) * (rank - below) / inside }
        below += inside
        lower = upper
      }
      return lower
    }
  }

  struct Process: Encodable {
    var cpu_seconds: Double, resident_bytes: UInt64, open_fds: Int, max_fds: UInt64
  }

  var version: String, state: String
  var uptime_seconds: Double
  var requests: Requests
  var tokens: Tokens
  var latency: Quantiles
  var first_token: Quantiles
  var overhead: Quantiles
  var process: Process
  var pools: [String: String]

  init(
    version: String, uptime: Interval, draining: Bool, metrics: GatewayMetricsSnapshot, pools snapshots: [PoolSnapshot],
    process usage: ProcessMetrics
  ) {
    let total = metrics.total
    self.version = version
    uptime_seconds = uptime.milliseconds / 1000
    requests = Requests(
      total: total.requests, failed: total.byStatusClass[5], cancelled: total.cancelled, retries: total.retries,
      replays: total.replays, in_flight: snapshots.reduce(0) { $0 + Int($1.numbers.leased) },
      waiting: snapshots.reduce(0) { $0 + $1.waiting.total }, streams_open: metrics.streamsOpen,
      connections_open: metrics.connectionsOpen)
    tokens = Tokens(
      input: total.inputTokens, output: total.outputTokens, cached: total.cachedTokens,
      reasoning: total.reasoningTokens)
    latency = Quantiles(total.duration)
    first_token = Quantiles(total.firstToken)
    overhead = Quantiles(total.overhead)
    process = Process(
      cpu_seconds: usage.cpuSeconds, resident_bytes: usage.residentBytes, open_fds: usage.openDescriptors,
      max_fds: usage.descriptorLimit)
    let states = snapshots.map { ($0.name, PoolDocument.state(of: $0, live: $0.endpoints.filter { !$0.removed })) }
    pools = Dictionary(states, uniquingKeysWith: { first, _ in first })
    state = Self.state(pools.values, draining: draining)
  }

  private static func state(_ pools: some Collection<String>, draining: Bool) -> String {
    if draining { return "draining" }
    if pools.allSatisfy({ $0 == "healthy" }) { return "healthy" }
    return pools.allSatisfy { $0 == "down" } ? "down" : "degraded"
  }
}
