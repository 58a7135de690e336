import SluicePolicy

/// Operators: they pause, drain endpoints, change the settings, and machines are suspended under them.
extension Simulation {
  func administrate() {
    defer { later(.milliseconds(Int64(chance.range(500, 8000))), .administration) }
    guard chance.chance(faults[.administration]) else { return }
    switch chance.range(0, 7) {
    case 0: pauseAWhile()
    case 1, 2: toggleEndpoint()
    case 3: resize()
    case 4: replaceEndpoint()
    case 5: replaceOrigin()
    case 6: jumpTheClock()
    default: resetEndpoint()
    }
    inspect()
  }

  private func pauseAWhile() {
    guard !isPaused, !isEnding else { return }
    pause(for: .milliseconds(Int64(chance.range(0, 3000))))
  }

  private func pause(for span: Interval) {
    isPaused = true
    note(.paused)
    tell { $0.pause(now: now, into: &$1) }
    later(span, .resume)
  }

  func resume() {
    guard isPaused else { return }
    isPaused = false
    note(.resumed)
    tell { $0.resume(now: now, into: &$1) }
  }

  private func toggleEndpoint() {
    let endpoint = chance.pick(layout.endpoints)
    if chance.chance(0.5) {
      note(.endpointDrained(endpoint))
      tell { $0.drainEndpoint(endpoint, now: now, into: &$1) }
    } else {
      resumeEndpoint(endpoint)
    }
  }

  private func resumeEndpoint(_ endpoint: EndpointID) {
    note(.endpointResumed(endpoint))
    tell { $0.resumeEndpoint(endpoint, now: now, into: &$1) }
  }

  private func resetEndpoint() { reset(chance.pick(layout.endpoints)) }

  private func reset(_ endpoint: EndpointID) {
    note(.endpointReset(endpoint))
    tell { $0.resetEndpoint(endpoint, now: now, into: &$1) }
  }

  private func resize() {
    settings.connections.min = chance.range(0, 2)
    settings.connections.limit(
      max: chance.range(1, 8), poolMax: chance.range(1, 20), origins: settings.origins.count)
    if chance.chance(0.3) { settings.queue.capacity = chance.range(0, 50) }
    reconfigure()
  }

  /// One endpoint leaves and another comes, with a credential of its own.
  private func replaceEndpoint() {
    rename(endpoint: chance.range(0, settings.endpoints.count - 1))
    reconfigure()
  }

  /// One origin moves elsewhere, and all its endpoints with it.
  private func replaceOrigin() {
    let leaving = chance.range(0, settings.origins.count - 1)
    settings.origins[leaving].identity = "origin-\(settings.origins.count + endpointsMade)"
    for endpoint in settings.endpoints.indices where settings.endpoints[endpoint].origin == leaving {
      rename(endpoint: endpoint)
    }
    reconfigure()
  }

  private func rename(endpoint: Int) {
    settings.endpoints[endpoint].identity = "endpoint-\(endpointsMade)"
    settings.endpoints[endpoint].name = "endpoint\(endpointsMade)"
    endpointsMade += 1
  }

  /// The new layout must be known to the checkers before the first decision that rests on it.
  private func reconfigure() {
    guard !isEnding || !options.ending.closes else { return }
    var decided = ActionList()
    layout = machine.reconfigure(settings, now: now, into: &decided)
    note(.configured(settings, layout))
    tell { _, actions in decided.forEach { actions.append($0) } }
  }

  /// Every other time while the pool is paused: then nothing is verified before it is needed.
  private func jumpTheClock() {
    if steps.isMultiple(of: 2), !isPaused, !isEnding { pause(for: .milliseconds(50)) }
    note(.clockJumped)
    tell { $0.clockJumped(by: .minutes(10), now: now, into: &$1) }
  }

  /// After the faults an operator puts everything right, so that the pool has no excuse.
  func reopenEverything() {
    resume()
    sickUntil = [:]
    downUntil = [:]
    for endpoint in layout.endpoints {
      resumeEndpoint(endpoint)
      reset(endpoint)
    }
  }
}
