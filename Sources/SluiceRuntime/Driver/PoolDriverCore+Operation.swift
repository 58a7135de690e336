import NIOCore
package import SluicePolicy
import Synchronization

/// Administration.
extension PoolDriverCore {
  package func snapshot() -> PoolSnapshot {
    let now = clock.now()
    return lock.withLock { $0.machine.snapshot(now: max(now, $0.now)) }
  }

  /// Nil when the machine refused: the pool is closed, or what still drains leaves no place for what is new.
  @discardableResult
  func reconfigure(_ settings: PoolSettings) -> PoolLayout? {
    perform { state in
      let layout = state.machine.reconfigure(settings, now: state.now, into: &state.actions)
      guard !state.actions.refusesReconfiguration else { return nil }
      state.settings = settings
      state.layout = layout
      state.names.learn(layout, settings)
      return layout
    }
  }

  /// Whether ``reconfigure(_:)`` would be refused: tried on a copy of the machine.
  func accepts(_ settings: PoolSettings) -> Bool {
    let now = clock.now()
    return lock.withLock { state in
      var trial = state.machine
      var actions = ActionList()
      _ = trial.reconfigure(settings, now: max(now, state.now), into: &actions)
      return !actions.refusesReconfiguration
    }
  }

  @usableFromInline
  package func close() {
    perform { $0.closeByForce() }
  }

  /// A wish of somebody who is not on a loop: prefer the loop we are on by chance, else spread.
  package func request(
    class priority: PriorityClass, timeout: Interval, options: LeaseOptions
  ) -> AcquireRequest {
    let now = clock.now()
    return AcquireRequest(
      loop: preferredLoop(), priority: priority, caller: options.caller, deadline: now + timeout, arrival: now,
      excluding: options.excluding, pinned: options.pinned, freshOnly: options.freshOnly, affinity: options.affinity)
  }

  private func preferredLoop() -> LoopID {
    if loops.count == 1 { return LoopID(rawValue: 0) }
    if let here = loops.firstIndex(where: { $0.inEventLoop }) { return LoopID(here) }
    let turn = nextLoop.wrappingAdd(1, ordering: .relaxed).oldValue
    return LoopID(Int(turn % UInt(loops.count)))
  }
}

extension ActionList {
  fileprivate var refusesReconfiguration: Bool {
    var refuses = false
    forEach { action in
      if case .emit(.reconfigurationRefused) = action { refuses = true }
    }
    return refuses
  }
}
