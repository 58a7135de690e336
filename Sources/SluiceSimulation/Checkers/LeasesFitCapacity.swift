import SluicePolicy

/// A slot is lent only on a resource that is open as far as the pool knows, not going away, and has room; and the grant
/// says the truth about it.
struct LeasesFitCapacity: SimulationChecker {
  private struct Resource {
    var origin: OriginID, loop: LoopID
    var capacity = 0, leased = 0
    var isOpen = false, isLeaving = false, isUncertain = false, hasServed = false
  }

  let name = "leases fit capacity"
  private var resources: [ResourceID: Resource] = [:]
  private var lent: [LeaseID: ResourceID] = [:]

  mutating func observe(_ fact: Fact, at now: Instant) -> String? {
    switch fact {
    case .connectAsked(let id, let origin, let loop):
      guard resources[id] == nil else { return "\(id) was opened twice" }
      resources[id] = Resource(origin: origin, loop: loop)
    case .connectSucceeded(let id, let capacity):
      resources[id]?.isOpen = true
      resources[id]?.capacity = capacity
    case .connectFailed(let id), .closed(let id): resources[id]?.isOpen = false
    case .closeAsked(let id, _), .goingAway(let id): resources[id]?.isLeaving = true
    case .capacityChanged(let id, let capacity): resources[id]?.capacity = capacity
    case .verifyAsked(let id), .heartbeatAsked(let id, _): resources[id]?.isUncertain = true
    case .heartbeatEnded(let id, let end):
      resources[id]?.isUncertain = false
      if !end.keepsResource { resources[id]?.isLeaving = true }
    case .verified(let id, let alive):
      resources[id]?.isUncertain = false
      if !alive { resources[id]?.isLeaving = true }
    case .grantedAtOnce(_, let grant), .grantedLater(_, let grant): return lend(grant)
    case .released(let lease, let report, _):
      guard let id = lent.removeValue(forKey: lease) else { return nil }
      resources[id]?.leased -= 1
      if report.result != .unused { resources[id]?.hasServed = true }
      if case .close = report.fate { resources[id]?.isLeaving = true }
    default: break
    }
    return nil
  }

  private mutating func lend(_ grant: Grant) -> String? {
    guard var resource = resources[grant.resource] else {
      return "\(grant.resource) was lent but never opened"
    }
    defer { resources[grant.resource] = resource }
    if !resource.isOpen { return "\(grant.resource) was lent while it was not open" }
    if resource.isLeaving { return "\(grant.resource) was lent while it was being closed" }
    if resource.isUncertain { return "\(grant.resource) was lent while it was being verified" }
    if resource.leased >= resource.capacity {
      return "\(grant.resource) was lent beyond its \(resource.capacity) slots"
    }
    if grant.loop != resource.loop {
      return "\(grant.resource) lives on \(resource.loop), not \(grant.loop)"
    }
    if grant.origin != resource.origin {
      return "\(grant.resource) belongs to \(resource.origin), not \(grant.origin)"
    }
    if grant.reused != resource.hasServed {
      return "\(grant.resource): reused is \(grant.reused), that is not so"
    }
    resource.leased += 1
    lent[grant.lease] = grant.resource
    return nil
  }
}
