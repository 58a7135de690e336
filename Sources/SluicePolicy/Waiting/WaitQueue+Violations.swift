extension WaitQueue {
  /// Nodes held for unrestricted tickets, those of departed ones included; for tests.
  package var footprint: Int { flows.reduce(0) { $0 + $1.nodes.count } }
  package var flowFootprint: Int { flowsByKey.count }

  /// Everything that must always hold; for tests.
  package func violations() -> [String] {
    var found: [String] = []
    let live = tickets.filter(\.isLive)
    if live.count != count { found.append("queue: \(live.count) live tickets, count says \(count)") }
    if waiting.total != count { found.append("queue: classes add up to \(waiting.total), count says \(count)") }
    if live.filter(\.request.freshOnly).count != freshOnlyCount { found.append("queue: fresh count is wrong") }
    if live.filter(\.request.isRestricted).count != restricted.count { found.append("queue: restricted is wrong") }
    for level in levels.indices { found += violations(of: level) }
    for (key, flow) in flowsByKey {
      let members = live.filter { Int($0.flow) == Int(flow) }
      if flows[Int(flow)].key != key || members.count != flows[Int(flow)].live {
        found.append("flow \(flow): \(members.count) tickets, says \(flows[Int(flow)].live)")
      }
      let nodes = members.filter { $0.restrictedPlace < 0 }.count
      if nodes != flows[Int(flow)].liveNodes || (nodes > 0) != (flows[Int(flow)].place >= 0) {
        found.append("flow \(flow): \(nodes) unrestricted tickets, place \(flows[Int(flow)].place)")
      }
    }
    return found
  }

  private func violations(of level: Int) -> [String] {
    var found: [String] = []
    var length = 0
    var previous: Int32 = -1
    var index = levels[level].oldest
    while index >= 0, length <= tickets.count {
      let ticket = tickets[Int(index)]
      if !ticket.isLive || Int(ticket.level) != level { found.append("class \(level): lists ticket \(index)") }
      if ticket.older != previous { found.append("class \(level): broken link at ticket \(index)") }
      if previous >= 0, tickets[Int(previous)].leveledAt > ticket.leveledAt {
        found.append("class \(level): ticket \(index) is older than the one before it")
      }
      previous = index
      length += 1
      index = ticket.younger
    }
    if length != levels[level].count || previous != levels[level].youngest {
      found.append("class \(level): lists \(length), counts \(levels[level].count)")
    }
    for (place, flow) in levels[level].flows.enumerated() where flows[Int(flow)].place != place {
      found.append("class \(level): flow \(flow) is at \(place)")
    }
    return found
  }
}
