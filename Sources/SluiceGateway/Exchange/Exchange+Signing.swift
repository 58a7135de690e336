import NIOCore
import SluiceDialects
import SluiceHTTP
import SluicePolicy
import SluiceRuntime

/// Attempts that are signed with credentials that change and by a clock that may be wrong. What was wrong is put right
/// once per exchange, and the request goes out again.
extension Exchange {
  /// Longest wait for new credentials; the exchange holds no connection meanwhile.
  static let patience = Interval.seconds(5)

  /// Of the endpoint that answers the attempt under way.
  var signer: RequestSigner? {
    guard let id = lease?.grant.endpoint else { return nil }
    return (target.pool.endpoint(id) ?? currentEndpoint(id))?.signer
  }

  /// There is nothing to sign the attempt with.
  func unsigned(_ signer: RequestSigner) {
    let now = loop.clock.now()
    let (target, loop) = (target, loop)
    let patience = renew(signer.desk, insteadOf: nil)
    complaint = signer.desk.complaint
    let decision = machine.unsigned(
      attempt: machine.currentAttempt, patience: patience, now: now, random: loop.nextRandom()
    ) { loop.withdrawRetry(target, now) }
    perform(decision, now)
  }

  /// The provider refused the signature. False when nothing about it can be put right.
  func mend(
    _ remedy: CredentialRemedy, _ signer: RequestSigner, _ facts: FailureFacts, _ fate: ResourceFate, _ now: Instant
  ) -> Bool {
    guard let signing, let patience = putRight(remedy, signer, signing) else { return false }
    let (target, loop) = (target, loop)
    let decision = machine.answerMendable(
      attempt: machine.currentAttempt, facts, fate: fate, patience: patience, now: now, random: loop.nextRandom()
    ) { loop.withdrawRetry(target, now) }
    isMending = true
    perform(decision, now)
    isMending = false
    return true
  }

  /// How long it takes; zero when it is done.
  private func putRight(_ remedy: CredentialRemedy, _ signer: RequestSigner, _ signing: SigningIdentity) -> Interval? {
    switch remedy {
    case .renew: return renew(signer.desk, insteadOf: signing.credentials)
    case .clock(let offset):
      guard signing.isCorrected(by: offset), let id = lease?.grant.endpoint,
        let host = (target.pool.endpoint(id) ?? currentEndpoint(id))?.host
      else { return nil }
      signer.desk.learn(clockOffset: offset, of: host)
      return .zero
    }
  }

  private func renew(_ desk: any SigningDesk, insteadOf refused: AWSCredentials?) -> Interval? {
    // This object may serve another request by the time the answer comes.
    let (id, eventLoop) = (id, loop.loop)
    let renewal = desk.renew(insteadOf: refused, WallClock.now()) {
      eventLoop.execute { self.mended(id) }
    }
    switch renewal {
    case .replaced: return .zero
    case .underWay: return Self.patience
    case .hopeless: return nil
    }
  }

  private func mended(_ id: RequestID) {
    guard isActive, self.id == id else { return }
    let now = loop.clock.now()
    let decision = machine.mended(now: now)
    if decision.step != .none { perform(decision, now) }
  }
}
