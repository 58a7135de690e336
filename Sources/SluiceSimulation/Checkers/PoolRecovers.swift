import SluicePolicy

/// Once the faults are over the pool serves again, and once the load is over too it settles.
///
/// Served again: from ten seconds after the faults on, of twenty calls or more some are served; and if no connect fails
/// in all that time, nobody who takes any slot hears that no endpoint can serve. Settled: nobody waits, nothing is
/// lent, and every origin has its minimum, or one resource where it is to be kept warm after use (if the pool has room
/// for that everywhere). Where there is room for no more, one that has just been told to close stands for its successor;
/// and where as many connects as allowed are under way, what is missing waits for them. After a failed connect there may
/// be a pause, at most the first one doubled with every failure in a row.
struct PoolRecovers: SimulationChecker {
  let name = "pool recovers"
  private var tickets = TicketBook()
  private var resources = ResourceBook()
  private var limits = ConnectionSettings()
  private var origins: [OriginID] = []
  private var used: Set<OriginID> = []
  private var calmSince = Instant.distantFuture
  private var loadStopped = false
  private var served = 0, wished = 0
  private var connectFailed = false
  /// Failed connects in a row, and the last of them.
  private var failures: [OriginID: (count: Int, at: Instant)] = [:]

  mutating func observe(_ fact: Fact, at now: Instant) -> String? {
    noteConnect(fact, now)
    tickets.observe(fact, at: now)
    resources.observe(fact, at: now)
    switch fact {
    case .configured(let settings, let layout):
      limits = settings.connections
      origins = layout.origins
    case .faultsStopped: calmSince = now + .seconds(10)
    case .loadStopped where calmSince != .distantFuture && !loadStopped:
      loadStopped = true
      if wished >= 20 && served == 0 { return "\(wished) calls after the faults, none served" }
    case .wished where now >= calmSince: wished += 1
    case .grantedAtOnce(_, let grant), .grantedLater(_, let grant):
      used.insert(grant.origin)
      if now >= calmSince { served += 1 }
    case .connectFailed: connectFailed = connectFailed || now >= calmSince - .seconds(10)
    case .refusedAtOnce(_, let rejection) where now >= calmSince: return judge(rejection, tickets.wish)
    case .refusedLater(_, let rejection) where now >= calmSince: return judge(rejection, tickets.left?.request)
    case .settled: return judgeRest(now)
    default: break
    }
    return nil
  }

  private func judge(_ rejection: PoolRejection, _ request: AcquireRequest?) -> String? {
    guard !connectFailed, request?.takesAnySlot == true else { return nil }
    switch rejection.reason {
    case .noEndpoint, .limited, .notAllowed, .credential, .connectFailed:
      return "refused as \(rejection.reason.label) after the faults"
    case .queueFull, .deadline, .draining, .closed: return nil
    }
  }

  private func judgeRest(_ now: Instant) -> String? {
    if !tickets.waiting.isEmpty { return "\(tickets.waiting.count) still wait" }
    if !resources.leases.isEmpty { return "\(resources.leases.count) slots are still lent" }
    let wanted = origins.map { ($0, max(limits.min, limits.keepWarm > .minutes(10) && used.contains($0) ? 1 : 0)) }
    let fits = wanted.reduce(0) { $0 + $1.1 } <= limits.poolMax
    for (origin, count) in wanted {
      let present = present(at: origin, now)
      if opening(at: origin) >= limits.concurrentConnects || pauses(origin, now) { continue }
      let least = fits ? count : limits.min
      if present < least { return "\(present) connections to \(origin), \(least) are to be kept" }
    }
    return nil
  }

  /// Before the books forget the resource.
  private mutating func noteConnect(_ fact: Fact, _ now: Instant) {
    switch fact {
    case .connectFailed(let id):
      guard let origin = resources.entries[id]?.origin else { return }
      failures[origin] = ((failures[origin]?.count ?? 0) + 1, now)
    case .connectSucceeded(let id, _): resources.entries[id].map { failures[$0.origin] = nil }
    default: break
    }
  }

  private func pauses(_ origin: OriginID, _ now: Instant) -> Bool {
    guard let (count, at) = failures[origin] else { return false }
    let doubled = limits.reconnectDelay.scaled(by: Double(1 << min(count - 1, 30)))
    return now - at <= min(doubled, limits.reconnectDelayMax)
  }

  private func opening(at origin: OriginID) -> Int {
    resources.entries.values.count { $0.origin == origin && !$0.isOpen && !$0.isLeaving }
  }

  private func present(at origin: OriginID, _ now: Instant) -> Int {
    let all = resources.entries.values.filter { $0.origin == origin }
    let isFull = all.count >= limits.max || resources.entries.count >= limits.poolMax
    return all.count { $0.leavingSince.map { isFull && now - $0 <= limits.closeGrace } ?? true }
  }
}
