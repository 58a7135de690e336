import SluicePolicy

/// A paused pool lends nothing and opens nothing.
struct PauseHolds: SimulationChecker {
  let name = "pause holds"
  private var isPaused = false

  mutating func observe(_ fact: Fact, at now: Instant) -> String? {
    switch fact {
    case .paused: isPaused = true
    case .resumed, .drainBegan, .closeBegan: isPaused = false
    case .grantedAtOnce, .grantedLater: return isPaused ? "a slot was lent by a paused pool" : nil
    case .connectAsked(let id, _, _): return isPaused ? "\(id) is opened by a paused pool" : nil
    default: break
    }
    return nil
  }
}
