import SluicePolicy

/// Draining and closing.
///
/// ```
/// none ──drain──▶ waiting(until) ──all back──▶ none
///                    │ until passed
///                    ▼
///                 closing(until) ──all confirmed──▶ none
///                    │ until passed: those who wait are told, late confirmations are still taken
///                    ▼
///                  none
/// ```
enum DrainPhase: Sendable, Equatable {
  case none
  /// Leases may still finish.
  case waiting(until: Instant)
  /// Closed by force; resources have to confirm.
  case closing(until: Instant)

  var deadline: Instant? {
    switch self {
    case .none: nil
    case .waiting(let until), .closing(let until): until
    }
  }
}

extension DriverState {
  /// How long resources get to confirm that they closed after the drain ran out of patience.
  static let closePatience = Interval.seconds(1)

  /// Takes nothing new. Leases have until `limit` has passed; a drain that is under way is only ever shortened.
  mutating func drain(within limit: Interval) {
    // Nothing to wait for, and the loops may be gone with everything that a timer could live on.
    if machine.isDrained && drainPhase == .none { return }
    machine.drain(now: now, into: &actions)
    let until = now + limit
    switch drainPhase {
    case .none: drainPhase = .waiting(until: until)
    case .waiting(let earlier): drainPhase = .waiting(until: min(earlier, until))
    case .closing: return
    }
    if let deadline = drainPhase.deadline { actions.append(.armDeadline(deadline)) }
  }

  mutating func closeByForce() {
    if case .closing = drainPhase { return }
    machine.close(now: now, into: &actions)
    if machine.isDrained && drainPhase == .none { return }
    drainPhase = .closing(until: now + Self.closePatience)
    actions.append(.armDeadline(now + Self.closePatience))
  }

  /// The timer fired: moves a drain on whose time has passed. Hands back who has waited for nothing.
  mutating func drainDeadlineReached() -> [DrainSignal] {
    guard let deadline = drainPhase.deadline else { return [] }
    if now < deadline {
      // The timer fired for the machine.
      actions.append(.armDeadline(deadline))
      return []
    }
    switch drainPhase {
    case .none:
      return []
    case .waiting:
      closeByForce()
      return []
    case .closing:
      drainPhase = .none
      let abandoned = drainSignals
      drainSignals = []
      return abandoned
    }
  }
}
