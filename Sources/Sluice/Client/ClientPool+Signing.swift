import SluiceDialects
import SluicePolicy

extension CallFailure {
  /// Signed anew, the try may work.
  var isMendable: Bool {
    switch self {
    case .unsigned: true
    case .answer(let failure, _, let identity): failure.remedy != nil && identity != nil
    case .pool, .transport: false
    }
  }
}

extension ClientPool {
  /// Puts right what was wrong with a try's signature; false when that cannot be done. Takes as long as one look for
  /// credentials, which has its own bounds.
  func mend(_ failure: CallFailure) async -> Bool {
    switch failure {
    case .unsigned(let signer, _): return await signer.desk.renewed(insteadOf: nil)
    case .answer(let failure, let endpoint, let identity):
      guard let identity, let remedy = failure.remedy, let (signer, host) = signer(endpoint) else { return false }
      switch remedy {
      case .renew: return await signer.desk.renewed(insteadOf: identity.credentials)
      case .clock(let offset):
        guard identity.isCorrected(by: offset) else { return false }
        signer.desk.learn(clockOffset: offset, of: host)
        return true
      }
    case .pool, .transport: return false
    }
  }
}

extension SigningDesk {
  fileprivate func renewed(insteadOf refused: AWSCredentials?) async -> Bool {
    await withCheckedContinuation { continuation in
      switch renew(insteadOf: refused, WallTime.now(), { continuation.resume(returning: true) }) {
      case .underWay: break
      case .replaced: continuation.resume(returning: true)
      case .hopeless: continuation.resume(returning: false)
      }
    }
  }
}
