import SluicePolicy

/// Nothing is opened beyond the limits per origin and over the pool, nor more connects at once than allowed. What was
/// told to close counts as a connection until it is gone, but its connect is over.
struct ConnectionsFitLimits: SimulationChecker {
  let name = "connections fit limits"
  private var limits = ConnectionSettings()
  private var origins: [ResourceID: OriginID] = [:]
  private var connecting: Set<ResourceID> = []

  mutating func observe(_ fact: Fact, at now: Instant) -> String? {
    switch fact {
    case .configured(let settings, _): limits = settings.connections
    case .connectAsked(let id, let origin, _):
      origins[id] = origin
      connecting.insert(id)
      let here = origins.values.count { $0 == origin }
      if here > limits.max { return "\(here) connections to \(origin), \(limits.max) allowed" }
      if origins.count > limits.poolMax {
        return "\(origins.count) connections, \(limits.poolMax) allowed"
      }
      let opening = connecting.count { origins[$0] == origin }
      if opening > limits.concurrentConnects { return "\(opening) connects at once to \(origin)" }
    case .connectSucceeded(let id, _), .closeAsked(let id, _): connecting.remove(id)
    case .connectFailed(let id), .closed(let id): forget(id)
    default: break
    }
    return nil
  }

  private mutating func forget(_ id: ResourceID) {
    origins[id] = nil
    connecting.remove(id)
  }
}
