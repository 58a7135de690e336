import SluicePolicy

/// Heartbeats as remote sides see them: answered, refused, or sent into the void.
extension Simulation {
  func beginHeartbeat(
    _ id: ResourceID, _ endpoint: EndpointID, _ scope: HeartbeatScope, _ deadline: Instant
  ) {
    send(on: id)
    if resources[id]?.isDead == true {
      // As long as it takes to notice that nothing is acknowledged.
      later(Swift.min(.milliseconds(1500), deadline - now), .heartbeatEnds(id, endpoint, scope))
    } else if chance.chance(faults[.connectStalls]) {
      // No answer at all, or one when nobody waits for it any more.
      if chance.chance(0.5) { later(deadline - now + .seconds(3), .heartbeatEnds(id, endpoint, scope)) }
    } else {
      later(latency.time(around: .milliseconds(20)), .heartbeatEnds(id, endpoint, scope))
    }
  }

  func heartbeatEnds(_ id: ResourceID, _ endpoint: EndpointID, _ scope: HeartbeatScope) {
    let report = report(id, endpoint, scope)
    note(.heartbeatEnded(id, end(of: report)))
    if end(of: report) == .unreadable, id.generation % 2 == 0 { return breaksOff(id) }
    tell { $0.heartbeatFinished(id, report, now: now, into: &$1) }
    if chance.chance(faults[.lateOrDuplicate]) { tell { $0.heartbeatFinished(id, .dead, now: now, into: &$1) } }
  }

  /// The resource says that it is gone before anybody says how the heartbeat went.
  private func breaksOff(_ id: ResourceID) {
    guard resources[id]?.state == .open else { return }
    resources[id]?.state = .closed
    resources[id]?.closeReported = true
    note(.closed(id))
    tell { $0.resourceClosed(id, idleFor: nil, reason: .protocolError, now: now, into: &$1) }
  }

  private func end(of report: HeartbeatReport) -> HeartbeatEnd {
    if case .close = report.fate { return report.carried ? .unreadable : .failed }
    if case .failed = report.answer { return .complained }
    return .well
  }

  private func report(_ id: ResourceID, _ endpoint: EndpointID, _ scope: HeartbeatScope) -> HeartbeatReport {
    guard let resource = resources[id], resource.state == .open, !resource.isDead else { return .dead }
    resources[id]?.lastPacket = now
    if scope == .path { return .alive }
    resources[id]?.lastUse = now
    if isSick(endpoint) { return HeartbeatReport(.failed(.server), carried: true) }
    if chance.chance(faults[.rateLimited]) { return HeartbeatReport(.failed(.rateLimited), carried: true) }
    if chance.chance(faults[.credentialRejected]) { return HeartbeatReport(.failed(.credential), carried: true) }
    if chance.chance(faults[.exchangeFails] * 0.6) {
      // By the number, so that no chance is drawn anew.
      if id.index % 2 == 0 {
        return HeartbeatReport(.failed(.protocolError), carried: true, fate: .close(.protocolError))
      }
      return HeartbeatReport(.failed(.timeout), carried: false, fate: .close(.verification))
    }
    return HeartbeatReport(.success(latency: .milliseconds(5)), carried: true)
  }
}
