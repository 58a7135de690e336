extension SlotTable {
  /// Everything that must always hold; for tests.
  package func violations() -> [String] {
    var found: [String] = []
    var seen = Set<Int>()
    for (position, list) in lists.enumerated() {
      var length: Int32 = 0
      var previous: Int32 = -1
      var index = list.first
      while index >= 0, length <= Int32(records.count) {
        let record = records[Int(index)]
        if record.state == .free { found.append("slot \(index): free but linked") }
        if listIndex(Int(index)) != position { found.append("slot \(index): linked in the wrong list") }
        if record.previous != previous { found.append("slot \(index): broken back link") }
        if !seen.insert(Int(index)).inserted { found.append("slot \(index): linked twice") }
        if record.state == .idle, previous >= 0, records[Int(previous)].lastTrusted < record.lastTrusted {
          found.append("slot \(index): trusted later than the one before it")
        }
        previous = index
        length += 1
        index = record.next
      }
      if length != list.count || previous != list.last { found.append("list \(position): count or end is wrong") }
    }
    var sums = SlotTotals()
    for index in records.indices where records[index].state != .free {
      let record = records[index]
      if seen.contains(index) != (listIndex(index) >= 0) {
        found.append("slot \(index): \(record.state) linked wrongly")
      }
      sums.add(record.state, 1)
      sums.leasedSlots += Int(record.leased)
      let matches: Bool =
        switch record.state {
        case .idle, .shared, .full: openState(index) == record.state
        case .connecting, .verifying: record.leased == 0
        case .draining: record.leased > 0
        case .free, .closing: true
        }
      if !matches { found.append("slot \(index): \(record.state) with \(record.leased) of \(record.capacity) lent") }
    }
    if sums != totals { found.append("slot totals are \(totals), counted \(sums)") }
    for origin in leasedCounts.indices {
      let mine = records.filter { $0.state != .free && Int($0.origin) == origin }
      if mine.count != total(origin) { found.append("origin \(origin): counts \(total(origin)), has \(mine.count)") }
      if mine.reduce(0, { $0 + Int($1.leased) }) != leased(origin) { found.append("origin \(origin): leased is wrong") }
      var room = SlotRoom()
      for record in mine where record.state.isOpen { room.add(record.capacity, 1) }
      if room != self.room(origin) { found.append("origin \(origin): room is \(self.room(origin)), counted \(room)") }
      for loop in 0..<loops where mine.filter({ Int($0.loop) == loop }).count != count(origin, loop: loop) {
        found.append("origin \(origin): count of loop \(loop) is wrong")
      }
    }
    return found
  }
}
