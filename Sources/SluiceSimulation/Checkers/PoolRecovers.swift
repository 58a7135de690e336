import SluicePolicy

/// Once faults and load are over the pool settles: nobody waits, nothing is lent, every minimum is back, and in the calm before
/// that calls were served again.
struct PoolRecovers: SimulationChecker {
  let name = "pool recovers"
  private var minimum = 0
  private var poolMax = Int.max
  private var origins = 0
  private var faultsStopped: Instant?
  private var loadStopped = false
  private var servedInCalm = 0, wishedInCalm = 0

  mutating func observe(_ fact: Fact, at now: Instant) -> String? {
    switch fact {
    case .configured(let settings, let layout):
      minimum = settings.connections.min
      poolMax = settings.connections.poolMax
      origins = layout.origins.count
    case .faultsStopped: faultsStopped = now
    case .loadStopped:
      loadStopped = true
      if wishedInCalm >= 20 && servedInCalm == 0 {
        return "\(wishedInCalm) calls after the faults, none served"
      }
    case .wished:
      if let stopped = faultsStopped, now - stopped > .seconds(10) { wishedInCalm += 1 }
    case .grantedAtOnce, .grantedLater:
      if faultsStopped != nil { servedInCalm += 1 }
    case .settled(let snapshot): return judge(snapshot)
    default: break
    }
    return nil
  }

  private func judge(_ snapshot: PoolSnapshot) -> String? {
    if snapshot.waiting.total > 0 { return "\(snapshot.waiting.total) still wait" }
    if snapshot.numbers.leased > 0 { return "\(snapshot.numbers.leased) slots are still lent" }
    let open = snapshot.slots.idle + snapshot.slots.verifying
    let wanted = min(minimum * origins, poolMax)
    if open + snapshot.slots.connecting < wanted {
      return "\(open) connections are open, the minimum is \(wanted)"
    }
    return nil
  }
}
