import SluicePolicy

/// Nothing is lent for an ejected endpoint outside panic mode, and at most the configured part of a pool is out at once.
struct EjectionIsRespected: SimulationChecker {
  let name = "ejection is respected"
  private var ejected: Set<EndpointID> = []
  private var configured: Set<EndpointID> = []
  private var share = 0.5
  private var panic = false
  /// Lent although ejected; the machine has to say in the same breath that this is panic.
  private var unexplained: EndpointID?

  mutating func observe(_ fact: Fact, at now: Instant) -> String? {
    if let endpoint = unexplained, !belongsToLastDecision(fact) {
      return "\(endpoint) is ejected and there is no panic"
    }
    switch fact {
    case .configured(let settings, let layout):
      configured = Set(layout.endpoints)
      ejected.formIntersection(configured)
      share = settings.health.ejectionShare
    case .emitted(.endpointEjected(let endpoint, _)):
      ejected.insert(endpoint)
      let most = Int(Double(configured.count) * share)
      if ejected.count > most {
        return "\(ejected.count) of \(configured.count) endpoints are ejected"
      }
    case .emitted(.endpointRecovered(let endpoint)), .endpointReset(let endpoint):
      ejected.remove(endpoint)
    case .emitted(.endpointRemoved(let endpoint)): ejected.remove(endpoint)
    case .emitted(.panic(let on)):
      panic = on
      if on { unexplained = nil }
    case .grantedAtOnce(_, let grant), .grantedLater(_, let grant):
      if ejected.contains(grant.endpoint) && !panic { unexplained = grant.endpoint }
    default: break
    }
    return nil
  }

  private func belongsToLastDecision(_ fact: Fact) -> Bool {
    switch fact {
    case .emitted, .connectAsked, .closeAsked, .verifyAsked: true
    default: false
    }
  }
}
