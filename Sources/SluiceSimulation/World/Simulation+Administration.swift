import SluicePolicy

/// Operators: they pause, drain endpoints, change the settings, and machines are suspended under them.
extension Simulation {
  func administrate() {
    defer { later(.milliseconds(Int64(chance.range(500, 8000))), .administration) }
    guard chance.chance(faults.administration) else { return }
    switch chance.range(0, 5) {
    case 0: pauseAWhile()
    case 1: toggleEndpoint()
    case 2: resize()
    case 3: replaceEndpoint()
    case 4: jumpTheClock()
    default: resetEndpoint()
    }
  }

  private func pauseAWhile() {
    note(.paused)
    tell { $0.pause(now: now, into: &$1) }
    note(.resumed)
    tell { $0.resume(now: now, into: &$1) }
  }

  private func toggleEndpoint() {
    let endpoint = chance.pick(layout.endpoints)
    if chance.chance(0.5) {
      note(.endpointDrained(endpoint))
      tell { $0.drainEndpoint(endpoint, now: now, into: &$1) }
    } else {
      note(.endpointResumed(endpoint))
      tell { $0.resumeEndpoint(endpoint, now: now, into: &$1) }
    }
  }

  private func resetEndpoint() {
    let endpoint = chance.pick(layout.endpoints)
    note(.endpointReset(endpoint))
    tell { $0.resetEndpoint(endpoint, now: now, into: &$1) }
  }

  private func resize() {
    settings.connections.limit(
      max: chance.range(1, 8), poolMax: chance.range(1, 20), origins: settings.origins.count)
    reconfigure()
  }

  /// One endpoint leaves and another comes, with a credential of its own.
  private func replaceEndpoint() {
    let leaving = chance.range(0, settings.endpoints.count - 1)
    let origin = settings.endpoints[leaving].origin
    settings.endpoints[leaving].identity = "endpoint-\(endpointsMade)"
    settings.endpoints[leaving].name = "endpoint\(endpointsMade)"
    settings.endpoints[leaving].origin = origin
    endpointsMade += 1
    reconfigure()
  }

  /// The new layout must be known to the checkers before the first decision that rests on it.
  private func reconfigure() {
    var decided = ActionList()
    layout = machine.reconfigure(settings, now: now, into: &decided)
    note(.configured(settings, layout))
    tell { _, actions in decided.forEach { actions.append($0) } }
  }

  private func jumpTheClock() {
    note(.clockJumped)
    tell { $0.clockJumped(by: .minutes(10), now: now, into: &$1) }
  }

  /// After the faults an operator puts everything right, so that the pool has no excuse.
  func reopenEverything() {
    for endpoint in layout.endpoints {
      note(.endpointResumed(endpoint))
      tell { $0.resumeEndpoint(endpoint, now: now, into: &$1) }
      note(.endpointReset(endpoint))
      tell { $0.resetEndpoint(endpoint, now: now, into: &$1) }
    }
    for id in resources.values.filter({ $0.isDead }).map(\.id).sorted(by: { $0.index < $1.index }) {
      resources[id]?.isDead = false
    }
  }
}
