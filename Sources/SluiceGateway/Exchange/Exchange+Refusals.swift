import SluiceDialects
import SluicePolicy

/// Keys that may not use a model, or do not have it: each event loop remembers them for a while and asks others first.
extension Exchange {
  /// Nothing where the request is about no model, or about something that only one account has.
  private var refusalSubject: ModelRefusals.Subject? {
    guard operation != .native, request?.pinned == nil, let route, !route.model.isEmpty else { return nil }
    return ModelRefusals.Subject(pool: target.slot, model: route.hash)
  }

  /// Endpoints of the target at hand that had better not be asked.
  func refusing(_ plan: AcquirePlan, _ now: Instant) -> EndpointSet {
    guard plan.avoidsRefusing, !loop.modelRefusals.isEmpty, let refusalSubject else { return EndpointSet() }
    return loop.modelRefusals.refusing(refusalSubject, now: now)
  }

  /// A failure as the machine takes it: where there is no model to be refused, an unknown path is the caller's mistake.
  func failureFacts(_ failure: ProviderFailure, hasAnswer: Bool = true) -> FailureFacts {
    var facts = FailureFacts(failure, hasAnswer: hasAnswer)
    if facts.failureClass == .caller, refusalSubject == nil { facts.scope = .endpoint }
    return facts
  }

  /// The attempt is over.
  func noteRefusal(_ report: ExchangeReport, by endpoint: EndpointID, _ now: Instant) {
    switch report.result {
    case .failed(let failure) where report.scope == .model:
      guard !isMending, let refusalSubject else { return }
      loop.modelRefusals.refused(refusalSubject, by: endpoint, as: failure, wait: report.coolFor, now: now)
    case .success where !loop.modelRefusals.isEmpty:
      if let refusalSubject { loop.modelRefusals.served(refusalSubject, by: endpoint) }
    default: break
    }
  }
}
