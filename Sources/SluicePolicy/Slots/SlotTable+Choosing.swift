extension SlotTable {
  /// A slot to lend on one loop: room on a resource in use, else an idle one that is trusted.
  @inline(__always)
  package func ready(_ origin: Int, loop: Int, trustedSince: Instant) -> Int? {
    let base = origin * stride + loop
    let shared = lists[base + loops].first
    if shared >= 0 { return Int(shared) }
    let idle = lists[base].first
    return idle >= 0 && records[Int(idle)].lastTrusted >= trustedSince ? Int(idle) : nil
  }

  /// The same on any other loop.
  package func readyElsewhere(_ origin: Int, loop: Int, trustedSince: Instant) -> Int? {
    guard count(origin, .idle) + count(origin, .shared) > 0 else { return nil }
    for step in 1..<Swift.max(loops, 1) {
      if let index = ready(origin, loop: (loop + step) % loops, trustedSince: trustedSince) { return index }
    }
    return nil
  }

  /// An idle resource that has to be verified before use, the one trusted last of a loop where none is trusted any
  /// more; on this loop if there is one.
  package func stale(_ origin: Int, loop: Int, trustedSince: Instant) -> Int? {
    guard count(origin, .idle) > 0 else { return nil }
    for step in 0..<loops {
      let first = lists[origin * stride + (loop + step) % loops].first
      if first >= 0, records[Int(first)].lastTrusted < trustedSince { return Int(first) }
    }
    return nil
  }

  /// The idle resource that is known best to work, over all loops.
  package func hottest(_ origin: Int) -> Int? {
    guard count(origin, .idle) > 0 else { return nil }
    var best: Int?
    for loop in 0..<loops {
      let first = Int(lists[origin * stride + loop].first)
      if first >= 0, best.map({ records[first].lastTrusted > records[$0].lastTrusted }) ?? true { best = first }
    }
    return best
  }

  /// The idle resources that are known best to work, over all loops, the best one first.
  package func hottest(_ origin: Int, most: Int) -> [Int] {
    if most <= 1 { return most == 1 ? hottest(origin).map { [$0] } ?? [] : [] }
    var found: [Int] = []
    for loop in 0..<loops {
      var index = Int(lists[origin * stride + loop].first)
      var seen = 0
      while index >= 0, seen < most {
        found.append(index)
        index = Int(records[index].next)
        seen += 1
      }
    }
    found.sort { (records[$1].lastTrusted, $0) < (records[$0].lastTrusted, $1) }
    return Array(found.prefix(most))
  }

  /// An idle resource that never served; on this loop if there is one.
  package func fresh(_ origin: Int, loop: Int, trustedSince: Instant) -> Int? {
    guard count(origin, .idle) > 0 else { return nil }
    for step in 0..<loops {
      var index = lists[origin * stride + (loop + step) % loops].first
      while index >= 0, records[Int(index)].lastTrusted >= trustedSince {
        if records[Int(index)].exchanges == 0 { return Int(index) }
        index = records[Int(index)].next
      }
    }
    return nil
  }

  /// Resources that never served and are being opened or verified. However much room they will have, each can serve
  /// only one as a fresh one.
  package func freshUnderWay(_ origin: Int) -> Int {
    var sum = count(origin, .connecting)
    var index = lists[origin * stride + 2 * loops + 1].first
    while index >= 0 {
      if records[Int(index)].exchanges == 0 { sum += 1 }
      index = records[Int(index)].next
    }
    return sum
  }

  /// The idle resource that demand reached longest ago, over all loops.
  package func coldest(_ origin: Int) -> Int? {
    guard count(origin, .idle) > 0 else { return nil }
    var best: Int?
    for loop in 0..<loops {
      let last = Int(lists[origin * stride + loop].last)
      if last >= 0, best.map({ records[last].wantedAt < records[$0].wantedAt }) ?? true { best = last }
    }
    return best
  }

  /// Every so often the coldest idle resource of the same list is taken instead, so that all are touched in turn.
  /// A cold one that is not trusted any more is only named in `turnCandidate`, to be verified in the background.
  @inline(__always)
  package mutating func turned(_ index: Int, trustedSince: Instant) -> Int {
    guard records[index].state == .idle else { return index }
    let list = Int(records[index].origin) * stride + Int(records[index].loop)
    lists[list].takes &+= 1
    guard lists[list].takes >= Self.turnEvery else { return index }
    return turn(index, list, trustedSince)
  }

  /// A turn looks at all of them, hence it comes only after as many takes.
  @inline(never)
  private mutating func turn(_ hot: Int, _ list: Int, _ trustedSince: Instant) -> Int {
    guard lists[list].count > 1, lists[list].takes >= UInt32(clamping: lists[list].count) else { return hot }
    lists[list].takes = 0
    let cold = Int(lists[list].last)
    guard records[cold].lastTrusted >= trustedSince else {
      turnCandidate = cold
      return hot
    }
    shiftStamps(list)
    return cold
  }

  /// When another one than the hottest is put to use: the stamps stay with the places. How deep the stack is needed
  /// still shows, and the idle timeout still finds the surplus, whichever resources those are by now.
  mutating func shiftStamps(_ list: Int) {
    var index = Int(lists[list].first)
    let first = records[index].wantedAt
    while records[index].next >= 0 {
      let next = Int(records[index].next)
      records[index].wantedAt = records[next].wantedAt
      index = next
    }
    records[index].wantedAt = first
  }

  /// The cold resource that the last turn would have taken, once.
  package mutating func takeTurnCandidate() -> Int? {
    defer { turnCandidate = nil }
    return turnCandidate
  }
}
