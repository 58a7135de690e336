import SluicePolicy

/// The next connection opens before the room of those that are there is used up: at the configured part of it.
///
/// Judged at the moments of a snapshot, for origins whose last connect did not fail. Room: of an open connection with
/// more than one slot that part, of one with a single slot all; none of one that is to go. In use: slots lent, on those
/// that are to go too. When more is in use than there is room, one more is under way, or none may be opened: there is an
/// idle one left, or as many as the limits allow.
struct NextOpensInTime: SimulationChecker {
  let name = "the next opens in time"
  private var resources = ResourceBook()
  private var limits = ConnectionSettings()
  private var origins: [OriginID] = []

  mutating func observe(_ fact: Fact, at now: Instant) -> String? {
    resources.observe(fact, at: now)
    switch fact {
    case .configured(let settings, let layout):
      limits = settings.connections
      origins = layout.origins
    case .snapshot(let snapshot) where snapshot.state == .open:
      for origin in snapshot.origins where origin.connectFailures == 0 && origins.contains(origin.id) {
        if let problem = judge(origin.id) { return problem }
      }
    default: break
    }
    return nil
  }

  private func judge(_ origin: OriginID) -> String? {
    let here = resources.entries.values.filter { $0.origin == origin }
    guard here.count < limits.max, resources.entries.count < limits.poolMax else { return nil }
    let isUnderWay = here.contains { (!$0.isOpen && !$0.isLeaving) || $0.isUncertain }
    let staying = here.filter(\.isUsable)
    guard !isUnderWay, !staying.contains(where: { $0.leased == 0 && $0.capacity > 0 }) else { return nil }
    let single = staying.count { $0.capacity == 1 }
    let shared = staying.filter { $0.capacity > 1 }
    let part = Double(shared.reduce(0) { $0 + $1.capacity }) * limits.slotUtilization
    let room = single + max(shared.count, Int(part))
    let used = here.reduce(0) { $0 + max(0, $1.leased) }
    return used > room ? "\(used) slots of \(origin) are lent, \(room) may be, and nothing is opened" : nil
  }
}
