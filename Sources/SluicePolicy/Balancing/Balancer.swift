/// Chooses the endpoint to try first among candidates of equal standing; the others follow in rotation from there,
/// each once, so the whole sequence is bounded by the number of candidates.
///
/// Seam: a strategy is one more case here and one more function below; its load metric lives in `EndpointRecord`.
/// Limits (rates, quotas, adaptive concurrency) do not belong here: they make an endpoint `isSaturated` or put it
/// in another rank.
package struct Balancer: Sendable {
  package var strategy: BalanceStrategy
  package var slowStart: Interval
  private var cursor = 0
  private var random: SplitMix64

  package init(strategy: BalanceStrategy, slowStart: Interval, seed: UInt64) {
    self.strategy = strategy
    self.slowStart = slowStart
    self.random = SplitMix64(seed: seed)
  }

  /// Offset into the list, which is not empty.
  @inline(__always)
  package mutating func first(
    of list: CandidateList, in endpoints: borrowing EndpointTable, affinity: UInt64 = 0, now: Instant
  ) -> Int {
    if list.count == 1 { return 0 }
    switch strategy {
    case .roundRobin: return roundRobin(list, endpoints, now)
    case .leastConnections: return leastConnections(list, endpoints, now)
    case .powerOfTwo: return powerOfTwo(list, endpoints, affinity, now)
    }
  }

  /// Each in turn. One in slow start is passed over as often as its share is below 1.
  private mutating func roundRobin(
    _ list: CandidateList, _ endpoints: borrowing EndpointTable, _ now: Instant
  ) -> Int {
    for _ in 0..<list.count {
      cursor &+= 1
      let offset = Int(UInt(bitPattern: cursor) % UInt(list.count))
      let ramp = endpoints[endpoints.member(list.base + offset)].health.ramp(now, over: slowStart)
      if ramp >= 1 || random.unit() < ramp { return offset }
    }
    return Int(UInt(bitPattern: cursor) % UInt(list.count))
  }

  /// Fewest lent slots per weight; equal ones in turn.
  private mutating func leastConnections(
    _ list: CandidateList, _ endpoints: borrowing EndpointTable, _ now: Instant
  ) -> Int {
    cursor &+= 1
    let start = Int(UInt(bitPattern: cursor) % UInt(list.count))
    var best = start
    var bestLoad = Double.infinity
    for step in 0..<list.count {
      let offset = start + step < list.count ? start + step : start + step - list.count
      let record = endpoints[endpoints.member(list.base + offset)]
      let load = Double(record.leased + 1) / (record.weight * record.health.ramp(now, over: slowStart))
      if load < bestLoad {
        bestLoad = load
        best = offset
      }
    }
    return best
  }

  /// The better of two at random (Mitzenmacher 2001): peak-sensitive latency × (lent + 1) / share. With an affinity
  /// one of the two is its home, and at an advantage: half of its score counts.
  private mutating func powerOfTwo(
    _ list: CandidateList, _ endpoints: borrowing EndpointTable, _ affinity: UInt64, _ now: Instant
  ) -> Int {
    let one = affinity == 0 ? random.index(below: list.count) : home(of: affinity, list, endpoints)
    let discount = affinity == 0 ? 1 : 0.5
    var other = random.index(below: list.count - 1)
    if other >= one { other += 1 }
    let scoreOne = score(endpoints.member(list.base + one), endpoints, now) * discount
    let scoreOther = score(endpoints.member(list.base + other), endpoints, now)
    return scoreOther < scoreOne ? other : one
  }

  /// Rendezvous hashing (Thaler, Ravishankar 1998): the same endpoint as long as it is among the candidates, and
  /// only its own share moves when it is not.
  private func home(of affinity: UInt64, _ list: CandidateList, _ endpoints: borrowing EndpointTable) -> Int {
    var best = 0
    var bestHash: UInt64 = 0
    for offset in 0..<list.count {
      let id = endpoints[endpoints.member(list.base + offset)].id
      var mixer = SplitMix64(seed: affinity ^ (UInt64(id.rawValue) &* 0x9E37_79B9_7F4A_7C15))
      let hash = mixer.next()
      if hash >= bestHash {
        bestHash = hash
        best = offset
      }
    }
    return best
  }

  @inline(__always)
  private func score(_ position: Int, _ endpoints: borrowing EndpointTable, _ now: Instant) -> Double {
    let known = endpoints[position].latency.value
    let typical = endpoints.typicalLatency.value
    let latency = known > 0 ? known : typical > 0 ? typical : 1
    let share = endpoints[position].weight * endpoints[position].health.ramp(now, over: slowStart)
    return latency * Double(endpoints[position].leased + 1) / share
  }
}
