import SluicePolicy

/// What happens when: load with faults, load without, rest, and the end.
extension Simulation {
  func planPhases() {
    let start = now
    let calm = start + options.faultyTime
    let rest = calm + options.calmTime
    events.add(.arrival, at: start)
    events.add(.administration, at: start + .seconds(5))
    events.add(.trouble, at: start + .seconds(1))
    events.add(.lookAround, at: start + .milliseconds(100))
    if options.ending.inTrouble {
      events.add(.finish, at: start + options.faultyTime.scaled(by: schedule.unit()))
    } else {
      events.add(.faultsStop, at: calm)
      events.add(.loadStops, at: rest)
      events.add(.settle, at: rest + options.settleTime)
    }
  }

  func lookAround() {
    note(.snapshot(machine.snapshot(now: now)))
    inspect()
    // A timer that fires early is harmless; now and then one does.
    if schedule.chance(0.1) { tell { $0.deadlineReached(now: now, into: &$1) } }
    later(loadGoesOn ? .milliseconds(250) : .seconds(5), .lookAround)
  }

  func inspect() { note(.inspected(machine.invariantViolations(now: now))) }

  func stopFaults() {
    faults = .none
    note(.faultsStopped)
    reopenEverything()
  }

  func stopLoad() {
    loadGoesOn = false
    note(.loadStopped)
  }

  /// Everything must be at rest. Then somebody comes once more, so that there is something to drain.
  func settle() {
    note(.settled(machine.snapshot(now: now)))
    loadGoesOn = true
    later(.zero, .arrival)
    later(.milliseconds(500), .finish)
  }

  /// The pool is drained or closed under load; callers keep coming for a moment.
  func finish() {
    isEnding = true
    isPaused = false
    note(options.ending.closes ? .closeBegan : .drainBegan)
    tell { machine, actions in
      if options.ending.closes {
        machine.close(now: now, into: &actions)
      } else {
        machine.drain(now: now, into: &actions)
      }
    }
    later(.seconds(1), .loadStops)
    // The longest wait, exchange, connect and close one after the other are shorter than this.
    later(.minutes(1), .end)
  }

  func end() {
    inspect()
    note(.ended(isDrained: machine.isDrained, leftOpen: resources.values.count(where: \.openedLate)))
  }
}
