import SluicePolicy

/// Resources as the facts tell of them: the checkers' own account, kept without the machine's.
struct ResourceBook {
  struct Entry {
    var origin: OriginID
    var isOpen = false
    /// Told to close, about to go, or given up by its holder: not to be lent again.
    var isLeaving: Bool { leavingSince != nil }
    var leavingSince: Instant?
    var isUncertain = false
    var capacity = 0
    var leased = 0
    var openedAt = Instant.distantPast
    /// Last moment at which it was known to work.
    var trustedAt = Instant.distantPast

    /// Open and to stay.
    var isUsable: Bool { isOpen && !isLeaving }
  }

  /// Everything from the wish to open it until it is gone.
  private(set) var entries: [ResourceID: Entry] = [:]
  private(set) var leases: [LeaseID: ResourceID] = [:]

  mutating func observe(_ fact: Fact, at now: Instant) {
    switch fact {
    case .connectAsked(let id, let origin, _): entries[id] = Entry(origin: origin)
    case .connectSucceeded(let id, let capacity):
      entries[id]?.isOpen = true
      entries[id]?.capacity = capacity
      entries[id]?.openedAt = now
      entries[id]?.trustedAt = now
    case .connectFailed(let id), .closed(let id): entries[id] = nil
    case .closeAsked(let id, _), .goingAway(let id): leave(id, now)
    case .capacityChanged(let id, let capacity): entries[id]?.capacity = capacity
    case .verifyAsked(let id), .heartbeatAsked(let id, _): entries[id]?.isUncertain = true
    case .verified(let id, let alive): verified(id, alive, now)
    case .heartbeatEnded(let id, let end): verified(id, end.keepsResource, now)
    case .grantedAtOnce(_, let grant), .grantedLater(_, let grant):
      leases[grant.lease] = grant.resource
      entries[grant.resource]?.leased += 1
    case .released(let lease, let report, _): released(lease, report, now)
    default: break
    }
  }

  private mutating func verified(_ id: ResourceID, _ alive: Bool, _ now: Instant) {
    guard entries[id]?.isUncertain == true else { return }
    entries[id]?.isUncertain = false
    if alive {
      entries[id]?.trustedAt = now
    } else {
      leave(id, now)
    }
  }

  private mutating func leave(_ id: ResourceID, _ now: Instant) {
    if entries[id]?.isLeaving == false { entries[id]?.leavingSince = now }
  }

  private mutating func released(_ lease: LeaseID, _ report: ExchangeReport, _ now: Instant) {
    guard let id = leases.removeValue(forKey: lease) else { return }
    entries[id]?.leased -= 1
    if report.result != .unused { entries[id]?.trustedAt = now }
    if case .close = report.fate { leave(id, now) }
  }
}
