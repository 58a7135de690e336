public import Metrics
public import SluicePolicy

/// Puts pool snapshots into swift-metrics. Gauges are set, counters are raised by what was added since the last report,
/// so nothing is counted on the way of a request.
///
/// All metrics carry the pool's name; the further dimensions are closed sets.
public struct PoolMetrics {
  private let factory: any MetricsFactory
  private var instruments: [String: PoolInstruments] = [:]

  /// - Parameter factory: the program's own if nothing is given.
  public init(factory: any MetricsFactory = MetricsSystem.factory) {
    self.factory = factory
  }

  /// Reports one snapshot for each pool; pools of one name (one that drains, and the one that replaces it) are reported
  /// as one. Metrics of pools that are no longer there are given back.
  public mutating func report(_ pools: [(PoolSnapshot, DriverCounters)]) {
    var gone = instruments
    for (name, parts) in Dictionary(grouping: pools, by: \.0.name) {
      gone[name] = nil
      var own = instruments[name] ?? PoolInstruments(pool: name, factory: factory)
      own.report(PoolSum(parts: parts))
      instruments[name] = own
    }
    for (name, own) in gone {
      own.destroy()
      instruments[name] = nil
    }
  }
}

/// Pools of one name, added up.
private struct PoolSum {
  let parts: [(snapshot: PoolSnapshot, driver: DriverCounters)]

  init(parts: [(PoolSnapshot, DriverCounters)]) { self.parts = parts }

  func gauge(_ value: (PoolSnapshot) -> Int) -> Int { parts.reduce(0) { $0 + value($1.snapshot) } }
  func counter(_ value: (PoolCounters) -> UInt64) -> UInt64 { parts.reduce(0) { $0 &+ value($1.snapshot.counters) } }
  func driver(_ value: (DriverCounters) -> UInt64) -> UInt64 { parts.reduce(0) { $0 &+ value($1.driver) } }
  var oldestWait: Interval { parts.map(\.snapshot.oldestWait).max() ?? .zero }
}

/// The metrics of one pool.
private struct PoolInstruments {
  private let factory: any MetricsFactory
  private let pool: String
  private var gauges: [String: Gauge] = [:]
  private var counters: [String: (counter: Counter, last: UInt64)] = [:]

  init(pool: String, factory: any MetricsFactory) {
    self.pool = pool
    self.factory = factory
  }

  mutating func report(_ sum: PoolSum) {
    reportSlots(sum)
    reportCounters(sum)
    raise("sluice_pool_leaked_leases_total", to: sum.driver(\.leakedLeases))
    raise("sluice_pool_direct_connections_total", to: sum.driver(\.directOpened))
    raise("sluice_pool_clock_jumps_total", to: sum.driver(\.clockJumps))
  }

  func destroy() {
    for gauge in gauges.values { gauge.destroy() }
    for entry in counters.values { entry.counter.destroy() }
  }

  private mutating func reportSlots(_ sum: PoolSum) {
    set("sluice_pool_resources", ("state", "connecting"), sum.gauge(\.slots.connecting))
    set("sluice_pool_resources", ("state", "idle"), sum.gauge(\.slots.idle))
    set("sluice_pool_resources", ("state", "leased"), sum.gauge(\.slots.leased))
    set("sluice_pool_resources", ("state", "verifying"), sum.gauge(\.slots.verifying))
    set("sluice_pool_resources", ("state", "draining"), sum.gauge(\.slots.draining))
    set("sluice_pool_resources", ("state", "closing"), sum.gauge(\.slots.closing))
    set("sluice_pool_resources_max", nil, sum.gauge { Int($0.numbers.max) })
    set("sluice_pool_slots_leased", nil, sum.gauge { Int($0.numbers.leased) })
    for priority in PriorityClass.allCases {
      set("sluice_pool_waiting", ("class", priority.label), sum.gauge { $0.waiting[priority] })
    }
    gauge("sluice_pool_oldest_wait_seconds", nil).record(sum.oldestWait.seconds)
  }

  private mutating func reportCounters(_ sum: PoolSum) {
    raise("sluice_pool_acquired_total", to: sum.counter(\.acquired))
    raise("sluice_pool_granted_total", ("how", "at_once"), to: sum.counter(\.grantedAtOnce))
    raise("sluice_pool_granted_total", ("how", "queued"), to: sum.counter(\.grantedLater))
    raise("sluice_pool_cancelled_total", to: sum.counter(\.cancelled))
    raise("sluice_pool_reused_total", to: sum.counter(\.reused))
    raise("sluice_pool_connects_total", ("result", "success"), to: sum.counter(\.connectsSucceeded))
    raise("sluice_pool_connects_total", ("result", "failure"), to: sum.counter(\.connectsFailed))
    for reason in RejectionReason.allCases {
      raise("sluice_pool_rejected_total", ("reason", reason.label), to: sum.counter { $0.rejected[reason] })
    }
    for reason in CloseReason.allCases {
      raise("sluice_pool_closed_total", ("reason", reason.label), to: sum.counter { $0.closed[reason] })
    }
  }

  private mutating func set(_ label: String, _ dimension: (String, String)?, _ value: Int) {
    gauge(label, dimension).record(value)
  }

  private mutating func gauge(_ label: String, _ dimension: (String, String)?) -> Gauge {
    let key = label + (dimension?.1 ?? "")
    if let known = gauges[key] { return known }
    let made = Gauge(label: label, dimensions: dimensions(dimension), factory: factory)
    gauges[key] = made
    return made
  }

  private mutating func raise(_ label: String, _ dimension: (String, String)? = nil, to total: UInt64) {
    let key = label + (dimension?.1 ?? "")
    var entry =
      counters[key] ?? (Counter(label: label, dimensions: dimensions(dimension), factory: factory), UInt64(0))
    if total > entry.last { entry.counter.increment(by: total - entry.last) }
    entry.last = total
    counters[key] = entry
  }

  private func dimensions(_ extra: (String, String)?) -> [(String, String)] {
    [("pool", pool)] + (extra.map { [$0] } ?? [])
  }
}
