/// One origin: where connections go, and how opening them went.
package struct OriginRecord: Sendable {
  package var id: OriginID
  package var isRemoved = false
  /// Connect failures in a row.
  package var failures: Int32 = 0
  package var lastFailure = FailureClass.network
  package var failedAt = Instant.distantPast
  /// No attempt before then.
  package var retryAt = Instant.distantPast
  package var retryToken = DeadlineHeap.Token.none
  /// Requests the pool had seen when the last attempt failed: more of them since mean that somebody cares.
  package var acquiredAtFailure: UInt64 = 0
  /// Last grant.
  package var lastUsed = Instant.distantPast
  /// Average time of a connect.
  package var connectTime = Interval.zero
  package var arrivals = ArrivalRate()
  package var idleLimit = IdleLimit()
  /// How long its paths may be silent.
  package var path = HeartbeatPlan()
  /// Looked at for heartbeats since its first use, whether they are on or not.
  package var isWatched = false
  package var heartbeatToken = DeadlineHeap.Token.none
  /// The one under way.
  var heartbeat: Heartbeat?
  /// When the last one began.
  var beganBeating = Instant.distantPast
  /// Heartbeats in a row that failed.
  package var misses = 0
  /// Slots that one more resource is taken to bring: those of the one of which was last heard. One without any says
  /// that it is busy, not what the next will bring.
  package private(set) var capacity: Int32 = 1
  /// Said to be disconnected; kept so that it is said once.
  package var isDisconnected = false

  /// When and for how many lent slots the planner was last asked after a grant.
  var plannedAt = Instant.distantPast
  var plannedFor: Int32 = 0

  package var isFailing: Bool { failures > 0 }

  /// A resource of it opened or changed its size.
  mutating func sizeSeen(_ slots: Int) {
    if slots > 0 { capacity = Int32(clamping: slots) }
  }

  /// A slot of it was lent.
  @inline(__always)
  mutating func lend(_ now: Instant) {
    lastUsed = now
    arrivals.count()
  }

  /// Whether asking the planner again can bring anything new: there is more demand, or time has passed.
  @inline(__always)
  mutating func shouldPlan(leased: Int, _ now: Instant) -> Bool {
    let demand = Int32(truncatingIfNeeded: leased)
    if demand <= plannedFor, now - plannedAt < Self.planEvery { return false }
    plannedAt = now
    plannedFor = demand
    return true
  }

  private static let planEvery: Interval = .milliseconds(10)
}

/// The origins of a pool by position. A position is free again once its origin is removed and nothing of it is left.
package struct OriginTable: Sendable {
  package private(set) var places = Places()
  private var records: [OriginRecord] = []
  package private(set) var names: [String] = []
  package private(set) var identities: [String] = []

  package init() {}

  /// Positions in use, ascending.
  package var positions: [Int] { places.positions }
  package var freePositions: Int { EndpointSet.capacity - places.used }
  /// Positions that were ever used.
  package var count: Int { records.count }

  @inline(__always)
  package subscript(position: Int) -> OriginRecord {
    _read { yield records[position] }
    _modify { yield &records[position] }
  }

  package func position(_ id: OriginID) -> Int? {
    let position = id.position
    guard position < records.count, places.isUsed(position), records[position].id == id else { return nil }
    return position
  }

  /// The position of the origin with this identity, unless it was removed.
  package func position(identity: String) -> Int? {
    identities.indices.first {
      places.isUsed($0) && !records[$0].isRemoved && identities[$0] == identity
    }
  }

  package mutating func add(_ settings: OriginSettings) -> Int {
    let (position, turn) = places.take()
    let record = OriginRecord(id: OriginID(position: position, turn: turn))
    if position == records.count {
      records.append(record)
      names.append(settings.name)
      identities.append(settings.identity)
    } else {
      records[position] = record
      names[position] = settings.name
      identities[position] = settings.identity
    }
    return position
  }

  package mutating func rename(_ position: Int, _ name: String) { names[position] = name }

  package mutating func free(_ position: Int) { places.free(position) }
}

/// Positions 0…255 with the turn in which each is used. The one that was freed longest ago is taken first, so that a
/// handle comes back only after tens of thousands of others.
package struct Places: Hashable, Sendable {
  private var turns: [UInt8] = []
  private var inUse: [Bool] = []
  private var freed: [Int] = []
  /// Those in use, ascending.
  package private(set) var positions: [Int] = []

  package init() {}

  package var used: Int { positions.count }

  package func isUsed(_ position: Int) -> Bool { position < inUse.count && inUse[position] }

  /// The caller has made sure that one is free.
  package mutating func take() -> (position: Int, turn: UInt8) {
    if turns.count < EndpointSet.capacity {
      turns.append(0)
      inUse.append(true)
      positions.append(turns.count - 1)
      return (turns.count - 1, 0)
    }
    let position = freed.removeFirst()
    turns[position] &+= 1
    inUse[position] = true
    positions.insert(position, at: positions.firstIndex { $0 > position } ?? positions.count)
    return (position, turns[position])
  }

  package mutating func free(_ position: Int) {
    precondition(inUse[position], "a position is freed once")
    inUse[position] = false
    positions.removeAll { $0 == position }
    freed.append(position)
  }
}
