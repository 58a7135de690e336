/// In which order endpoints are considered; only the first rank that has somebody allowed serves.
package enum EndpointRank: UInt8, CaseIterable, Sendable {
  case primary
  /// As primary, but in a region that does not serve: for those who may not have the nearer ones.
  case farther
  case backup
  /// Should be ejected, but too many others are.
  case failingPrimary
  case failingBackup
  /// Serves only when there is nothing better: panic.
  case ejected
  /// No connection is open and opening fails.
  case disconnected
  /// Removed, drained, cooling or with a rejected credential: never serves.
  case out

  package var isPanic: Bool { self == .failingPrimary || self == .failingBackup || self == .ejected }
}

/// One endpoint: on whose behalf slots are lent, and how that went.
package struct EndpointRecord: Sendable {
  package var id: EndpointID
  package var origin: UInt16
  package var role: EndpointRole
  /// Index into the pool's regions.
  package var region: UInt8 = 0
  package var weight: Double
  package var maxConcurrent: Int32
  /// Slots lent for it.
  package var leased: Int32 = 0
  package var isRemoved = false
  package var isDrained = false
  /// A health deadline is scheduled; begins with the first use.
  package var isWatched = false
  package var rejectedBy: FailureClass?
  /// When it was; says something only together with `rejectedBy`.
  package var rejectedAt = Instant.distantPast
  package var coolUntil = Instant.distantPast
  /// It cools since a limit of its account is used up, not because of its provider's state.
  package var coolsForLimit = false
  /// Cool-downs in a row without a time from the provider.
  package var coolings: UInt8 = 0
  package var coolToken = DeadlineHeap.Token.none
  package var health = HealthTracker()
  package var healthToken = DeadlineHeap.Token.none
  /// A check is under way.
  package var isProbing = false
  package var heartbeats = HeartbeatRecord()
  /// Observers were told that its heartbeats fail.
  package var saidHeartbeatFailing = false
  package var lastSuccess = Instant.distantPast
  package var lastGrant = Instant.distantPast
  package var latency = PeakLatency()
  package var rank = EndpointRank.out
  package var place: UInt16 = 0
  package var grants: UInt64 = 0
  package var successes: UInt64 = 0
  package var failures: UInt64 = 0
  /// What its provider last said about its limits.
  package var quota: EndpointQuota?

  @inline(__always)
  package var isSaturated: Bool { leased >= maxConcurrent }

  /// A slot was lent for it.
  @inline(__always)
  mutating func lend(_ now: Instant) {
    leased += 1
    grants &+= 1
    lastGrant = now
  }

  /// It answered as it should.
  @inline(__always)
  mutating func answer(after elapsed: Interval, _ now: Instant, decay: Interval) {
    successes &+= 1
    lastSuccess = now
    coolings = 0
    if elapsed > .zero { latency.observe(elapsed, now: now, decay: decay) }
  }

  package var isCooling: Bool { coolUntil != .distantPast }
  /// May serve again by itself: not taken out for good.
  package var isInService: Bool { !isRemoved && !isDrained && rejectedBy == nil }
}

/// How the heartbeats on behalf of one endpoint went.
package struct HeartbeatRecord: Hashable, Sendable {
  package private(set) var succeeded: UInt64 = 0
  package private(set) var failed: UInt64 = 0
  private var failure: FailureClass?
  private var failingSince = Instant.distantPast
  /// Exchanges that had ended well by then: another one since is as good as a heartbeat.
  private var successesThen: UInt64 = 0

  package init() {}

  mutating func count(_ failure: FailureClass?, successes: UInt64, _ now: Instant) {
    if failure == nil { succeeded &+= 1 } else { failed &+= 1 }
    if failure != nil, problem(successes) == nil { failingSince = now }
    self.failure = failure
    successesThen = successes
  }

  mutating func forget() { failure = nil }

  /// Why they fail, and since when, unless something ended well since.
  func problem(_ successes: UInt64) -> HeartbeatProblem? {
    guard let failure, successes == successesThen else { return nil }
    return HeartbeatProblem(failure: failure, since: failingSince)
  }
}

/// A stretch of endpoint positions, all of the same rank.
package struct CandidateList: Sendable {
  package var base: Int
  package var count: Int
  /// So many at the front have a full share of the load; the others less (`EndpointTable.sharing`).
  package var full: Int
  package var rank: EndpointRank

  package init(base: Int, count: Int, full: Int? = nil, rank: EndpointRank) {
    self.base = base
    self.count = count
    self.full = full ?? count
    self.rank = rank
  }
}

/// The endpoints of a pool by position, and the positions by rank in dense stretches, so that choosing needs no
/// search. Strategies see them only as a `CandidateList`.
package struct EndpointTable: Sendable {
  private static let stretch = EndpointSet.capacity
  private static let scratch = EndpointRank.allCases.count

  package private(set) var places = Places()
  private var records: [EndpointRecord] = []
  package private(set) var names: [String] = []
  package private(set) var identities: [String] = []
  /// One stretch per rank and one for filtered candidates.
  private var members: [UInt8] = Array(repeating: 0, count: stretch * (EndpointRank.allCases.count + 1))
  private var counts: [Int] = Array(repeating: 0, count: EndpointRank.allCases.count)
  private var sets: [EndpointSet] = Array(repeating: EndpointSet(), count: EndpointRank.allCases.count)
  /// Latency over all endpoints; stands in for an unknown one.
  package var typicalLatency = PeakLatency()
  /// Indices of the regions, the nearest first; empty without regions.
  package var regionsByNearness: [UInt8] = []
  /// Those that may have less than a full share of the load: after recovery. Looked at when something is chosen.
  package var reduced = EndpointSet()

  package init() {}

  /// Positions in use, ascending.
  package var positions: [Int] { places.positions }
  package var freePositions: Int { EndpointSet.capacity - places.used }

  @inline(__always)
  package subscript(position: Int) -> EndpointRecord {
    _read { yield records[position] }
    _modify { yield &records[position] }
  }

  package func position(_ id: EndpointID) -> Int? {
    let position = id.position
    guard position < records.count, places.isUsed(position), records[position].id == id else { return nil }
    return position
  }

  /// The position of the endpoint with this identity, unless it was removed.
  package func position(identity: String) -> Int? {
    identities.indices.first {
      places.isUsed($0) && !records[$0].isRemoved && identities[$0] == identity
    }
  }

  package mutating func add(_ settings: EndpointSettings, origin: Int) -> Int {
    let (position, turn) = places.take()
    let record = EndpointRecord(
      id: EndpointID(position: position, turn: turn), origin: UInt16(truncatingIfNeeded: origin),
      role: settings.role, weight: Double(settings.weight), maxConcurrent: Self.limit(settings.maxConcurrent))
    if position == records.count {
      records.append(record)
      names.append(settings.name)
      identities.append(settings.identity)
    } else {
      records[position] = record
      names[position] = settings.name
      identities[position] = settings.identity
    }
    enter(position, .out)
    return position
  }

  package mutating func update(_ position: Int, _ settings: EndpointSettings) {
    names[position] = settings.name
    records[position].role = settings.role
    records[position].weight = Double(settings.weight)
    records[position].maxConcurrent = Self.limit(settings.maxConcurrent)
  }

  package mutating func free(_ position: Int) {
    leave(position)
    notePanic()
    reduced.remove(position: position)
    places.free(position)
  }

  private static func limit(_ most: Int?) -> Int32 { most.map { Int32(clamping: $0) } ?? .max }

  // MARK: Ranks

  /// Nobody healthy is in service, but somebody who may serve in need.
  package private(set) var isPanicking = false

  package func count(_ rank: EndpointRank) -> Int { counts[Int(rank.rawValue)] }
  package func set(_ rank: EndpointRank) -> EndpointSet { sets[Int(rank.rawValue)] }

  package mutating func setRank(_ position: Int, _ rank: EndpointRank) {
    guard records[position].rank != rank else { return }
    leave(position)
    enter(position, rank)
    notePanic()
  }

  private mutating func notePanic() {
    let inNeed = count(.failingPrimary) + count(.failingBackup) + count(.ejected)
    isPanicking = inNeed > 0 && count(.primary) + count(.farther) + count(.backup) == 0
  }

  @inline(__always)
  package func member(_ index: Int) -> Int { Int(members[index]) }

  /// Everybody of the first rank that has somebody.
  @inline(__always)
  package func candidates() -> CandidateList? {
    if counts[0] > 0 { return CandidateList(base: 0, count: counts[0], rank: .primary) }
    return lowerCandidates()
  }

  private func lowerCandidates() -> CandidateList? {
    for rank in EndpointRank.allCases where rank != .out && counts[Int(rank.rawValue)] > 0 {
      return CandidateList(base: Int(rank.rawValue) * Self.stretch, count: counts[Int(rank.rawValue)], rank: rank)
    }
    return nil
  }

  /// The first rank in which somebody is allowed, and who.
  package func allowed(_ request: AcquireRequest) -> (set: EndpointSet, rank: EndpointRank)? {
    for rank in EndpointRank.allCases where rank != .out && counts[Int(rank.rawValue)] > 0 {
      var set = sets[Int(rank.rawValue)].subtracting(request.excluding)
      if let pinned = request.pinned {
        guard position(pinned) != nil else { return nil }
        set = set.intersection(EndpointSet(pinned))
      }
      if !set.isEmpty { return (rank == .farther ? nearest(of: set) : set, rank) }
    }
    return nil
  }

  /// Those of the nearest region that has any.
  package func nearest(of set: EndpointSet) -> EndpointSet {
    for region in regionsByNearness {
      var found = EndpointSet()
      var next = set.next(from: 0)
      while let position = next {
        if records[position].region == region { found.insert(position: position) }
        next = set.next(from: position + 1)
      }
      if !found.isEmpty { return found }
    }
    return set
  }

  /// The same as a list. It is valid until the next call.
  package mutating func candidates(allowedBy request: AcquireRequest) -> CandidateList? {
    guard let (set, rank) = allowed(request) else { return nil }
    return list(of: set, rank)
  }

  /// A set of one rank as a list. It is valid until the next call.
  package mutating func list(of set: EndpointSet, _ rank: EndpointRank) -> CandidateList {
    CandidateList(base: Self.scratch * Self.stretch, count: write(set, at: 0), rank: rank)
  }

  /// The same candidates, those with a full share first. The list is valid until the next call.
  package mutating func sharing(_ list: CandidateList, _ now: Instant, slowStart: Interval) -> CandidateList {
    var full = EndpointSet()
    var less = EndpointSet()
    for offset in 0..<list.count {
      let position = member(list.base + offset)
      if reduced.contains(position: position), records[position].health.ramp(now, over: slowStart) < 1 {
        less.insert(position: position)
      } else {
        full.insert(position: position)
      }
    }
    reduced = reduced.subtracting(full)
    if less.isEmpty { return list }
    let count = write(full, at: 0)
    return CandidateList(
      base: Self.scratch * Self.stretch, count: write(less, at: count), full: count, rank: list.rank)
  }

  /// Into the stretch for filtered candidates; how many are in it then.
  private mutating func write(_ set: EndpointSet, at start: Int) -> Int {
    var count = start
    var position = set.next(from: 0)
    while let found = position {
      members[Self.scratch * Self.stretch + count] = UInt8(truncatingIfNeeded: found)
      count += 1
      position = set.next(from: found + 1)
    }
    return count
  }

  private mutating func enter(_ position: Int, _ rank: EndpointRank) {
    let index = Int(rank.rawValue)
    records[position].rank = rank
    records[position].place = UInt16(truncatingIfNeeded: counts[index])
    members[index * Self.stretch + counts[index]] = UInt8(truncatingIfNeeded: position)
    counts[index] += 1
    sets[index].insert(position: position)
  }

  private mutating func leave(_ position: Int) {
    let index = Int(records[position].rank.rawValue)
    let place = Int(records[position].place)
    counts[index] -= 1
    sets[index].remove(position: position)
    let last = Int(members[index * Self.stretch + counts[index]])
    if last != position {
      members[index * Self.stretch + place] = UInt8(truncatingIfNeeded: last)
      records[last].place = UInt16(truncatingIfNeeded: place)
    }
  }
}

extension EndpointTable {
  /// Everything that must always hold; for tests.
  package func violations() -> [String] {
    var found: [String] = []
    if counts.reduce(0, +) != places.used { found.append("endpoints: ranks add up to \(counts.reduce(0, +))") }
    for position in positions {
      let record = records[position]
      let index = Int(record.rank.rawValue)
      if Int(members[index * Self.stretch + Int(record.place)]) != position || Int(record.place) >= counts[index] {
        found.append("endpoint \(position): not where its rank says")
      }
      if !sets[index].contains(position: position) { found.append("endpoint \(position): not in the set of its rank") }
    }
    return found
  }
}
