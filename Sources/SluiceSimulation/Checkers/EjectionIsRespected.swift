import SluicePolicy

/// Nothing is lent for an ejected endpoint unless nothing better is left, and at most the configured part of a pool is
/// out.
///
/// "Nothing better" is panic, which the pool has to declare in the same decision; or a caller who leaves nothing
/// better: everything it does not exclude is ejected, out of service, cooling or cannot be reached.
struct EjectionIsRespected: SimulationChecker {
  let name = "ejection is respected"
  private var tickets = TicketBook()
  private var endpoints = EndpointBook()
  private var share = 0.5
  private var panic = false
  /// Lent although ejected; the pool has to say in the same breath that this is panic.
  private var unexplained: EndpointID?

  mutating func observe(_ fact: Fact, at now: Instant) -> String? {
    if let endpoint = unexplained, !fact.isPartOfDecision {
      return "\(endpoint) is ejected and there is no panic"
    }
    tickets.observe(fact, at: now)
    endpoints.observe(fact)
    switch fact {
    case .configured(let settings, _): share = settings.health.ejectionShare
    case .emitted(.endpointEjected):
      let most = Int(Double(endpoints.settings.count) * share)
      if endpoints.ejected.count > most {
        return "\(endpoints.ejected.count) of \(endpoints.settings.count) endpoints are ejected"
      }
    case .emitted(.panic(let on)):
      panic = on
      if on { unexplained = nil }
    case .grantedAtOnce(_, let grant): judge(tickets.wish, grant)
    case .grantedLater(_, let grant): judge(tickets.left?.request, grant)
    default: break
    }
    return nil
  }

  private mutating func judge(_ request: AcquireRequest?, _ grant: Grant) {
    guard let request, !panic, endpoints.ejected.contains(grant.endpoint) else { return }
    let isRestricted = request.pinned != nil || !request.excluding.isEmpty
    let better = endpoints.settings.keys.contains {
      endpoints.isAllowed($0, for: request) && endpoints.isAvailable($0) && !endpoints.ejected.contains($0)
    }
    if !isRestricted || better { unexplained = grant.endpoint }
  }
}
