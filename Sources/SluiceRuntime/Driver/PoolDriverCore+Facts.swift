import Logging
public import SluicePolicy

/// What connectors, resources and probes report. Any of it may come late, twice, or about something long gone.
extension PoolDriverCore {
  func connectFinished(
    _ request: ConnectRequest, started: Instant, _ result: Result<UntypedConnected, PoolConnectError>
  ) {
    switch result {
    case .success(let connected):
      register(connected, request, connectTime: max(.zero, clock.now() - started))
    case .failure(let error):
      // Each failure is followed by a backoff, so there are few of these lines.
      logger.warning(
        "connect failed",
        metadata: ["pool": "\(name)", "origin": "\(request.originIdentity)", "error": "\(error)"])
      perform { state in
        state.machine.connectFailed(request.resource, error.failure, now: state.now, into: &state.actions)
      }
    }
  }

  /// The resource is in the table before the machine hears of it, since what the machine decides may lend it at once.
  private func register(_ connected: UntypedConnected, _ request: ConnectRequest, connectTime: Interval) {
    let id = request.resource
    let taken = perform { state -> Bool in
      guard state.resources.insert(connected.resource, as: id, on: request.loop) else {
        state.counters.unwantedResources += 1
        return false
      }
      state.machine.connectSucceeded(
        id, capacity: max(1, connected.capacity), connectTime: connectTime, now: state.now, into: &state.actions)
      return true
    }
    // Handed over twice, or so late that its place is taken. A resource that the machine no longer wants is closed by
    // the machine's own action.
    guard !taken else { return }
    onLoop(request.loop) { connected.resource.close(reason: .cancelled) }
  }

  func verified(_ id: ResourceID, alive: Bool) {
    perform { state in state.machine.verified(id, alive: alive, now: state.now, into: &state.actions) }
  }

  func probeFinished(_ endpoint: EndpointID, _ result: ProbeResult) {
    perform { state in state.machine.probeFinished(endpoint, result, now: state.now, into: &state.actions) }
  }

  func heartbeatFinished(_ resource: ResourceID, _ report: HeartbeatReport) {
    perform { state in state.machine.heartbeatFinished(resource, report, now: state.now, into: &state.actions) }
  }
}

extension PoolDriverCore: ResourceEventSink {
  @usableFromInline
  package func resourceClosed(_ resource: ResourceID, idleFor: Interval?, reason: CloseReason) {
    let entry = perform { state -> ResourceTable.Entry? in
      let entry = state.resources.remove(resource)
      state.machine.resourceClosed(
        resource, idleFor: idleFor, reason: reason, now: state.now, into: &state.actions)
      return entry
    }
    // Whichever of the two it was, neither is left open.
    if let entry, entry.isDoubtful { onLoop(entry.loop) { entry.resource.close(reason: .cancelled) } }
  }

  @usableFromInline
  package func resourceIdleLimitAnnounced(_ resource: ResourceID, _ limit: Interval) {
    perform { state in
      state.machine.idleLimitAnnounced(resource, max(.zero, limit), now: state.now, into: &state.actions)
    }
  }

  @usableFromInline
  package func resourceCapacityChanged(_ resource: ResourceID, to capacity: Int) {
    perform { state in
      state.machine.capacityChanged(resource, max(0, capacity), now: state.now, into: &state.actions)
    }
  }

  @usableFromInline
  package func resourceDraining(_ resource: ResourceID) {
    perform { state in state.machine.resourceDraining(resource, now: state.now, into: &state.actions) }
  }
}
