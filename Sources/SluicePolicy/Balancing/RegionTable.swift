/// Which region of a pool serves: the nearest by measured connect time that has somebody to serve, with hysteresis.
///
/// ```
/// a region:   out ─ somebody may serve ─▶ held ─ hold time ─▶ settled          (any ─ nobody may ─▶ out)
/// the choice: none ─▶ nearest ─ it is out ─▶ the nearest that is settled, else the nearest that is held
///                        └──── another is settled, nearer by the margin, and the last change a hold time ago ─▶ that one
/// ```
/// Invariants: the serving region changes away from one that may serve only to one that is settled and nearer by the
/// margin, at most once in a hold time; a region that is out never serves while another may.
///
/// Nearness: measured before unmeasured, the shorter connect time first, then the order of the settings. Two regions
/// are compared for a change only if both are measured, or neither.
///
/// With fewer than two regions the table is empty and costs nothing.
package struct RegionTable: Sendable {
  package struct Record: Sendable {
    package let name: String
    /// Since when somebody may serve without interruption; nil: nobody may.
    package fileprivate(set) var eligibleSince: Instant? = .distantPast
    /// Zero is unknown.
    package fileprivate(set) var connectTime = Interval.zero
    /// When a connection was last opened, or asked for, to measure.
    package fileprivate(set) var measuredAt = Instant.distantPast
  }

  package private(set) var records: [Record] = []
  /// The region that serves; no index if there are no regions.
  package private(set) var current = -1
  private var changedAt = Instant.distantPast
  /// Until then other regions help out, unless that is said again.
  private var spillsUntil = Instant.distantPast
  /// The way to another region is taken to be longer by so much where one of the two was not measured.
  private static let unknownDetour: Interval = .seconds(1)

  package init() {}

  package var isActive: Bool { !records.isEmpty }

  /// Adopts other regions in their order; those that are known keep what was learned. Fewer than two are none.
  package mutating func configure(_ names: [String]) {
    guard names != records.map(\.name) else { return }
    let known = records
    let serving = isActive ? known[current].name : nil
    records = names.count < 2 ? [] : names.map { name in known.first { $0.name == name } ?? Record(name: name) }
    current = isActive ? records.firstIndex { $0.name == serving } ?? 0 : -1
    spillsUntil = .distantPast
  }

  package func index(of name: String) -> Int { records.firstIndex { $0.name == name } ?? 0 }

  /// What is known of a region now.
  package mutating func note(_ region: Int, isEligible: Bool, connectTime: Interval, _ now: Instant) {
    records[region].connectTime = connectTime
    if !isEligible {
      records[region].eligibleSince = nil
    } else if records[region].eligibleSince == nil {
      records[region].eligibleSince = now
    }
  }

  package mutating func measured(_ region: Int, _ now: Instant) { records[region].measuredAt = now }

  /// True when another region serves from now on.
  package mutating func elect(_ settings: BalanceSettings, _ now: Instant) -> Bool {
    guard isActive, let best = best(settings, now), best != current else { return false }
    current = best
    changedAt = now
    spillsUntil = .distantPast
    return true
  }

  private func best(_ settings: BalanceSettings, _ now: Instant) -> Int? {
    let settled = records.indices.filter { isSettled($0, settings, now) }
    guard records[current].eligibleSince == nil else {
      guard now - changedAt >= settings.regionHold else { return nil }
      return nearest(settled.filter { $0 != current && isNearer($0, than: current, settings.regionMargin) })
    }
    return nearest(settled) ?? nearest(records.indices.filter { records[$0].eligibleSince != nil })
  }

  private func isSettled(_ region: Int, _ settings: BalanceSettings, _ now: Instant) -> Bool {
    records[region].eligibleSince.map { now - $0 >= settings.regionHold } ?? false
  }

  /// Near enough to leave a region that serves well.
  private func isNearer(_ region: Int, than other: Int, _ margin: Double) -> Bool {
    let (mine, its) = (records[region].connectTime, records[other].connectTime)
    if mine > .zero, its > .zero { return mine < its.scaled(by: 1 - margin) }
    return mine == .zero && its == .zero && region < other
  }

  private func nearest(_ regions: [Int]) -> Int? {
    regions.min { distance($0) == distance($1) ? $0 < $1 : distance($0) < distance($1) }
  }

  private func distance(_ region: Int) -> Interval {
    records[region].connectTime > .zero ? records[region].connectTime : .max
  }

  /// The regions, the nearest first.
  package var byNearness: [Int] {
    records.indices.sorted { distance($0) == distance($1) ? $0 < $1 : distance($0) < distance($1) }
  }

  // MARK: Spilling

  /// The region that serves is full, and others help out without delay.
  @inline(__always)
  package func isSpilling(_ now: Instant) -> Bool { now < spillsUntil }

  /// Others help out from now on, until nobody has needed it for the hold time.
  package mutating func spilled(_ settings: BalanceSettings, _ now: Instant) {
    spillsUntil = Swift.max(spillsUntil, now + settings.regionHold)
  }

  /// How long to wait in a full region before the way to the nearest other one that may serve would have been the shorter
  /// one: what that is farther away, as connect times say.
  package var patience: Interval {
    let others = records.indices.filter { $0 != current && records[$0].eligibleSince != nil }
    guard isActive, let other = nearest(others) else { return .max }
    let (here, there) = (records[current].connectTime, records[other].connectTime)
    return here > .zero && there > .zero ? Swift.max(.zero, there - here) : Self.unknownDetour
  }

  /// When time alone may change the choice; the distant future if it cannot.
  package func nextReview(_ settings: BalanceSettings, _ now: Instant) -> Instant {
    guard isActive, records[current].eligibleSince != nil else { return .distantFuture }
    var next = Instant.distantFuture
    for region in records.indices where region != current && isNearer(region, than: current, settings.regionMargin) {
      guard let since = records[region].eligibleSince else { continue }
      let due = Swift.max(since, changedAt) + settings.regionHold
      next = Swift.min(next, Swift.max(due, now + .milliseconds(1)))
    }
    return next
  }

  /// Regions whose distance is unknown or has not been looked at for long.
  package func unmeasured(_ now: Instant, every pause: Interval) -> [Int] {
    records.indices.filter {
      let at = records[$0].measuredAt
      return at == .distantPast || now - at >= pause
    }
  }
}
