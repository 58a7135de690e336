extension PoolMachine {
  /// A region's distance is measured again after so long, while the pool is in use.
  static let measureRegionsEvery: Interval = .minutes(10)

  // MARK: What the settings say

  /// Endpoints know their region by index; those that name none are a region of their own beside the others.
  mutating func adoptRegions(_ new: PoolSettings) {
    var names: [String] = []
    for endpoint in new.endpoints where !names.contains(endpoint.region ?? "") { names.append(endpoint.region ?? "") }
    regions.configure(names)
    for (settings, id) in zip(new.endpoints, layout.endpoints) {
      endpoints[id.position].region = regions.isActive ? UInt8(clamping: regions.index(of: settings.region ?? "")) : 0
    }
    scheduleRegions(.distantPast)
  }

  /// What may serve has changed somewhere, or time will bring something. Due before anything is granted: a request
  /// looks at what is due first, so choosing itself need not know of regions.
  mutating func scheduleRegions(_ at: Instant) {
    guard regions.isActive else { return }
    deadlines.cancel(&regionToken)
    regionToken = deadlines.insert(at, .region, index: 0)
    regionsDue = at
  }

  // MARK: Choosing

  /// Looks at every region anew and ranks the endpoints by the one that serves.
  mutating func reviewRegions(_ now: Instant, _ actions: inout ActionList) {
    regionToken = .none
    guard regions.isActive else { return }
    noteRegions(now)
    if regions.elect(settings.balance, now) {
      journal.record(.regionChanged, now, place: regions.current)
      actions.append(.emit(.regionChanged(index: regions.current)))
      needsReview = true
      needsRestock = true
    }
    for position in endpoints.positions { endpoints.setRank(position, rank(of: position)) }
    endpoints.regionsByNearness = regions.byNearness.map { UInt8(clamping: $0) }
    measureRegions(now, &actions)
    let measure = counters.acquired == 0 ? Instant.distantFuture : now + Self.measureRegionsEvery
    scheduleRegions(Swift.min(regions.nextReview(settings.balance, now), Swift.min(measure, nextPatience(now))))
  }

  private mutating func noteRegions(_ now: Instant) {
    for region in regions.records.indices {
      var isEligible = false
      var nearest = Interval.zero
      for position in endpoints.positions where Int(endpoints[position].region) == region {
        let record = endpoints[position]
        if record.isRemoved || record.role == .backup { continue }
        if health(of: position) == .primary { isEligible = true }
        let time = origins[Int(record.origin)].connectTime
        if time > .zero, nearest == .zero || time < nearest { nearest = time }
      }
      regions.note(region, isEligible: isEligible, connectTime: nearest, now)
    }
  }

  // MARK: Measuring

  /// Once the pool is used, one connection is opened to each region whose distance is not known or old. It is kept or
  /// given up like any other.
  private mutating func measureRegions(_ now: Instant, _ actions: inout ActionList) {
    guard mode == .open, counters.acquired != acquiredAtMeasure else { return }
    let wanted = regions.unmeasured(now, every: Self.measureRegionsEvery)
    if wanted.isEmpty { acquiredAtMeasure = counters.acquired }
    for region in wanted {
      let origin = endpoints.positions.lazy.filter { [endpoints] position in
        Int(endpoints[position].region) == region && endpoints[position].isInService
      }.map { [endpoints] in Int(endpoints[$0].origin) }.first
      guard let origin else { continue }
      if slots.count(origin, .connecting) > 0 || (origins[origin].connectTime > .zero && slots.open(origin) > 0) {
        regions.measured(region, now)
      } else if !origins[origin].isFailing, canGrow(origin, now) {
        regions.measured(region, now)
        connect(origin, loop: slots.emptiestLoop(origin), now, &actions)
      }
    }
  }
}
