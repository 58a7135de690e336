import SluicePolicy

/// Trouble that has no occasion of its own: bursts of errors and crashes; answers that come twice; and a NAT on the way.
extension Simulation {
  func makeTrouble() {
    later(.milliseconds(Int64(chance.range(500, 5000))), .trouble)
    if chance.chance(faults[.bursts]) {
      let sick = chance.pick(layout.endpoints)
      sickUntil[sick] = now + .milliseconds(Int64(chance.range(200, 8000)))
    }
    if chance.chance(faults[.crash]) { crash(chance.pick(layout.origins)) }
  }

  /// A process behind one origin ends: whatever it had open or was about to open is gone, lent or not; the news of it
  /// comes in any order.
  private func crash(_ origin: OriginID) {
    note(.crashed(origin))
    downUntil[origin] = now + .milliseconds(Int64(chance.range(100, 4000)))
    let hit = resources.values.filter { $0.origin == origin && $0.state != .closed }.map(\.id)
    for id in hit.sorted(by: { ($0.index, $0.generation) < ($1.index, $1.generation) }) {
      if resources[id]?.state == .opening {
        connectEnds(id, .failed(.network))
      } else {
        resources[id]?.state = .closed
        later(.microseconds(Int64(schedule.range(0, 5000))), .reportClosed(id))
      }
    }
  }

  /// A packet leaves. What lies on the way has forgotten the flow if it was silent for too long, and tells nobody.
  func send(on id: ResourceID) {
    guard let resource = resources[id], resource.state == .open, !resource.isDead else { return }
    if let limit = options.natLimit, resource.leases <= 1, now - resource.lastPacket > limit {
      resources[id]?.isDead = true
    } else {
      resources[id]?.lastPacket = now
    }
  }

  func isDown(_ origin: OriginID) -> Bool { downUntil[origin].map { now < $0 } ?? false }
  func isSick(_ endpoint: EndpointID) -> Bool { sickUntil[endpoint].map { now < $0 } ?? false }

  /// Now and then something is told once more: at once, or when the machine has gone on to something else.
  func perhapsAgain(_ echo: Echo) {
    guard chance.chance(faults[.lateOrDuplicate]) else { return }
    if chance.chance(0.5) { repeatOnce(echo) } else { later(.milliseconds(Int64(chance.range(0, 3000))), .again(echo)) }
  }

  func repeatOnce(_ echo: Echo) {
    switch echo {
    case .connectSucceeded(let id, let capacity):
      if let resource = resources[id], resource.closeAsked { resources[id]?.openedLate = true }
      tell { $0.connectSucceeded(id, capacity: capacity, connectTime: .milliseconds(1), now: now, into: &$1) }
    case .connectFailed(let id): tell { $0.connectFailed(id, .network, now: now, into: &$1) }
    case .released(let lease): giveBack(lease, .unused)
    case .cancelled(let ticket): cancel(ticket)
    case .probeFinished(let endpoint):
      tell { $0.probeFinished(endpoint, .success(latency: .milliseconds(5)), now: now, into: &$1) }
    }
  }
}
