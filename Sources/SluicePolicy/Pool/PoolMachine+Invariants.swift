extension PoolMachine {
  /// Everything that must hold between two events; empty when all is well. For tests and simulations: slow.
  package func invariantViolations(now: Instant) -> [String] {
    var found = slots.violations() + queue.violations() + endpoints.violations() + deadlines.violations()
    found += leaseViolations() + limitViolations() + rankViolations() + waitingViolations(now)
    found += heartbeatViolations()
    if deadlines.earliest < armed { found.append("the driver does not know the deadline \(deadlines.earliest)") }
    return found
  }

  /// Traps on the first violation; for tests.
  package func checkInvariants(now: Instant) {
    let found = invariantViolations(now: now)
    precondition(found.isEmpty, found.joined(separator: "\n") + "\n" + journal.dump)
  }

  private func leaseViolations() -> [String] {
    var found: [String] = []
    let live = leases.live
    if live.count != leases.count { found.append("\(live.count) live leases, count says \(leases.count)") }
    for position in endpoints.positions {
      let mine = live.count { Int($0.endpoint) == position }
      if mine != Int(endpoints[position].leased) {
        found.append("endpoint \(position): \(mine) leases, says \(endpoints[position].leased)")
      }
      if endpoints[position].isRemoved, mine == 0 { found.append("endpoint \(position): removed but not forgotten") }
    }
    for index in slots.indices where slots[index].state != .free {
      let mine = live.count { $0.resource == slots.id(index) }
      if mine != Int(slots[index].leased) { found.append("slot \(index): \(mine) leases, says \(slots[index].leased)") }
    }
    if counters.grantedAtOnce + counters.grantedLater != counters.released + UInt64(live.count) {
      found.append("grants are neither released nor live")
    }
    let ended = counters.grantedLater + counters.cancelled + UInt64(queue.count)
    if ended > counters.queued { found.append("more tickets ended than were queued") }
    return found
  }

  private func limitViolations() -> [String] {
    var found: [String] = []
    for origin in origins.positions where origins[origin].isRemoved && slots.total(origin) == 0 {
      if !endpoints.positions.contains(where: { Int(endpoints[$0].origin) == origin }) {
        found.append("origin \(origin): removed but not forgotten")
      }
    }
    for index in slots.indices where slots[index].state != .free {
      let needsDeadline = slots[index].state != .draining
      if needsDeadline, slots[index].deadline == .none {
        found.append("slot \(index): \(slots[index].state) without a deadline")
      }
    }
    let failing = origins.positions.count { origins[$0].isFailing }
    if failing != failingOrigins { found.append("\(failing) origins fail, count says \(failingOrigins)") }
    return found
  }

  private func heartbeatViolations() -> [String] {
    var found: [String] = []
    for origin in origins.positions {
      let beating = slots.indices.filter { slots[$0].isBeating && Int(slots[$0].origin) == origin }
      if beating.map({ slots.id($0) }) != (origins[origin].heartbeat.map { [$0.resource] } ?? []) {
        found.append("origin \(origin): resources \(beating) beat, its heartbeat says otherwise")
      }
      if beating.contains(where: { slots[$0].state != .verifying }) {
        found.append("origin \(origin): a resource beats without being under verification")
      }
      if origins[origin].isRemoved, origins[origin].heartbeatToken != .none {
        found.append("origin \(origin): removed but looked at for heartbeats")
      }
    }
    return found
  }

  private func rankViolations() -> [String] {
    endpoints.positions.filter { endpoints[$0].rank != rank(of: $0) }
      .map { "endpoint \($0): rank is \(endpoints[$0].rank), should be \(rank(of: $0))" }
  }

  /// Work is conserved: no ticket waits beside a slot that may serve it, and none waits for ever or in vain.
  private func waitingViolations(_ now: Instant) -> [String] {
    guard mode == .open || mode == .draining, !queue.isEmpty else { return [] }
    var found: [String] = []
    var copy = self
    for index in queue.indices where queue[index].isLive {
      let request = queue[index].request
      if let choice = copy.select(request, now) {
        found.append("ticket \(index) waits beside slot \(choice.resource)")
      }
      if request.deadline != .distantFuture, queue[index].deadline == .none {
        found.append("ticket \(index) has no deadline")
      }
      if request.deadline > now, outlook(for: request, now).earliest >= request.deadline {
        found.append("ticket \(index) waits in vain")
      }
    }
    return found
  }
}
