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
    return list.full == list.count ? choose(among: list, endpoints, affinity) : share(list, endpoints, affinity, now)
  }

  /// By the strategy, all with a full share.
  @inline(__always)
  private mutating func choose(
    among list: CandidateList, _ endpoints: borrowing EndpointTable, _ affinity: UInt64
  ) -> Int {
    if list.count == 1 { return 0 }
    switch strategy {
    case .roundRobin: return roundRobin(list.count)
    case .leastConnections: return leastConnections(list, endpoints)
    case .powerOfTwo: return powerOfTwo(list, endpoints, affinity)
    }
  }

  // MARK: Shares

  /// Who has less than a full share is drawn by lot, as often as its part of all shares says, whatever the strategy: where
  /// little is lent at a time, a score would always be better elsewhere. Otherwise the strategy chooses among the others.
  private mutating func share(
    _ list: CandidateList, _ endpoints: borrowing EndpointTable, _ affinity: UInt64, _ now: Instant
  ) -> Int {
    var whole = 0.0
    var busiest = 0.0
    for offset in 0..<list.count {
      whole += part(list, offset, endpoints, now)
      if offset < list.full { busiest = Swift.max(busiest, load(list, offset, endpoints)) }
    }
    var draw = random.unit() * whole
    var offset = list.count - 1
    while offset >= list.full {
      draw -= part(list, offset, endpoints, now)
      if draw < 0 {
        if list.full == 0 || keepsUp(list, offset, endpoints, busiest, now) { return offset }
        break
      }
      offset -= 1
    }
    let full = CandidateList(base: list.base, count: list.full, rank: list.rank)
    return list.full == 0 ? 0 : choose(among: full, endpoints, affinity)
  }

  /// Share of one, by weight where the strategy knows weights.
  private func part(
    _ list: CandidateList, _ offset: Int, _ endpoints: borrowing EndpointTable, _ now: Instant
  ) -> Double {
    let position = endpoints.member(list.base + offset)
    let share = offset < list.full ? 1 : endpoints[position].health.ramp(now, over: slowStart)
    return strategy == .roundRobin ? share : share * endpoints[position].weight
  }

  private func load(_ list: CandidateList, _ offset: Int, _ endpoints: borrowing EndpointTable) -> Double {
    let position = endpoints.member(list.base + offset)
    return Double(endpoints[position].leased) / endpoints[position].weight
  }

  /// It does not hold far more than its share already: one that is slow besides is not given more and more.
  private func keepsUp(
    _ list: CandidateList, _ offset: Int, _ endpoints: borrowing EndpointTable, _ busiest: Double, _ now: Instant
  ) -> Bool {
    let share = endpoints[endpoints.member(list.base + offset)].health.ramp(now, over: slowStart)
    return load(list, offset, endpoints) <= 1 + 2 * share * (busiest + 1)
  }

  // MARK: Strategies

  /// Each in turn.
  private mutating func roundRobin(_ count: Int) -> Int {
    cursor &+= 1
    return Int(UInt(bitPattern: cursor) % UInt(count))
  }

  /// Fewest lent slots per weight; equal ones in turn.
  private mutating func leastConnections(_ list: CandidateList, _ endpoints: borrowing EndpointTable) -> Int {
    cursor &+= 1
    let start = Int(UInt(bitPattern: cursor) % UInt(list.count))
    var best = start
    var bestLoad = Double.infinity
    for step in 0..<list.count {
      let offset = start + step < list.count ? start + step : start + step - list.count
      let record = endpoints[endpoints.member(list.base + offset)]
      let load = Double(record.leased + 1) / record.weight
      if load < bestLoad {
        bestLoad = load
        best = offset
      }
    }
    return best
  }

  /// The better of two at random (Mitzenmacher 2001): peak-sensitive latency × (lent + 1) / weight. With an affinity
  /// one of the two is its home, and at an advantage: half of its score counts.
  private mutating func powerOfTwo(
    _ list: CandidateList, _ endpoints: borrowing EndpointTable, _ affinity: UInt64
  ) -> Int {
    let one = affinity == 0 ? random.index(below: list.count) : home(of: affinity, list, endpoints)
    let discount = affinity == 0 ? 1 : 0.5
    var other = random.index(below: list.count - 1)
    if other >= one { other += 1 }
    let scoreOne = score(endpoints.member(list.base + one), endpoints) * discount
    let scoreOther = score(endpoints.member(list.base + other), endpoints)
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
  private func score(_ position: Int, _ endpoints: borrowing EndpointTable) -> Double {
    let known = endpoints[position].latency.value
    let typical = endpoints.typicalLatency.value
    let latency = known > 0 ? known : typical > 0 ? typical : 1
    return latency * Double(endpoints[position].leased + 1) / endpoints[position].weight
  }
}
