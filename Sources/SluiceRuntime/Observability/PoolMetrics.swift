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

  /// Reports one snapshot for each pool. Metrics of pools that are no longer there are given back.
  public mutating func report(_ pools: [(PoolSnapshot, DriverCounters)]) {
    var gone = instruments
    for (snapshot, counters) in pools {
      gone[snapshot.name] = nil
      var own = instruments[snapshot.name] ?? PoolInstruments(pool: snapshot.name, factory: factory)
      own.report(snapshot, counters)
      instruments[snapshot.name] = own
    }
    for (name, own) in gone {
      own.destroy()
      instruments[name] = nil
    }
  }
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

  mutating func report(_ snapshot: PoolSnapshot, _ driver: DriverCounters) {
    reportSlots(snapshot)
    reportCounters(snapshot.counters)
    raise("sluice_pool_leaked_leases_total", to: driver.leakedLeases)
    raise("sluice_pool_direct_connections_total", to: driver.directOpened)
    raise("sluice_pool_clock_jumps_total", to: driver.clockJumps)
  }

  func destroy() {
    for gauge in gauges.values { gauge.destroy() }
    for entry in counters.values { entry.counter.destroy() }
  }

  private mutating func reportSlots(_ snapshot: PoolSnapshot) {
    let slots = snapshot.slots
    set("sluice_pool_resources", ("state", "connecting"), slots.connecting)
    set("sluice_pool_resources", ("state", "idle"), slots.idle)
    set("sluice_pool_resources", ("state", "leased"), slots.leased)
    set("sluice_pool_resources", ("state", "verifying"), slots.verifying)
    set("sluice_pool_resources", ("state", "draining"), slots.draining)
    set("sluice_pool_resources", ("state", "closing"), slots.closing)
    set("sluice_pool_resources_max", nil, Int(snapshot.numbers.max))
    set("sluice_pool_slots_leased", nil, Int(snapshot.numbers.leased))
    for priority in PriorityClass.allCases {
      set("sluice_pool_waiting", ("class", priority.label), snapshot.waiting[priority])
    }
    gauge("sluice_pool_oldest_wait_seconds", nil).record(snapshot.oldestWait.seconds)
  }

  private mutating func reportCounters(_ totals: PoolCounters) {
    raise("sluice_pool_acquired_total", to: totals.acquired)
    raise("sluice_pool_granted_total", ("how", "at_once"), to: totals.grantedAtOnce)
    raise("sluice_pool_granted_total", ("how", "queued"), to: totals.grantedLater)
    raise("sluice_pool_cancelled_total", to: totals.cancelled)
    raise("sluice_pool_reused_total", to: totals.reused)
    raise("sluice_pool_connects_total", ("result", "success"), to: totals.connectsSucceeded)
    raise("sluice_pool_connects_total", ("result", "failure"), to: totals.connectsFailed)
    for reason in RejectionReason.allCases {
      raise("sluice_pool_rejected_total", ("reason", reason.label), to: totals.rejected[reason])
    }
    for reason in CloseReason.allCases {
      raise("sluice_pool_closed_total", ("reason", reason.label), to: totals.closed[reason])
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
