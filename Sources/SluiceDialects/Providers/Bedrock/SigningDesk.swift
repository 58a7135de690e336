import SluicePolicy

/// Where a signer takes its credentials and its clock from at the moment it signs. Credentials change while endpoints
/// stay; so does what is known about AWS's clocks. Asked on event loops: nothing here may wait.
package protocol SigningDesk: AnyObject, Sendable {
  /// Those in force; nothing when there are none, or they have expired.
  func credentials(_ now: UnixTime) -> AWSCredentials?
  /// What a host's clock shows more than ours, in milliseconds.
  func clockOffset(of host: String) -> Int64
  /// A host said that its clock shows something else.
  func learn(clockOffset: Int64, of host: String)
  /// AWS calls these credentials expired, or there are none. With `.underWay`, `done` is called once, on any thread.
  func renew(
    insteadOf refused: AWSCredentials?, _ now: UnixTime, _ done: @escaping @Sendable () -> Void
  ) -> CredentialRefresh.Renewal
  /// AWS took a signature made with these.
  func accepted(_ credentials: AWSCredentials)
  /// Whether it did.
  func hasAccepted(_ credentials: AWSCredentials) -> Bool
  /// New credentials can come: those that expired are not at fault for good.
  var canRenew: Bool { get }
  /// Why there are none, and what to do about it. Holds no secret.
  var complaint: String { get }
}

/// An access key that stays as it is, by a clock that is right.
package final class FixedSigningDesk: SigningDesk {
  private let held: AWSCredentials

  package init(_ credentials: AWSCredentials) { held = credentials }

  package func credentials(_ now: UnixTime) -> AWSCredentials? { held }
  package func clockOffset(of host: String) -> Int64 { 0 }
  package func learn(clockOffset: Int64, of host: String) {}
  package func renew(
    insteadOf refused: AWSCredentials?, _ now: UnixTime, _ done: @escaping @Sendable () -> Void
  ) -> CredentialRefresh.Renewal { .hopeless }
  package func accepted(_ credentials: AWSCredentials) {}
  package func hasAccepted(_ credentials: AWSCredentials) -> Bool { false }
  package var canRenew: Bool { false }
  package var complaint: String { AWSCredentialPlan.advice }
}

/// What one attempt is signed with.
package struct SigningIdentity: Sendable {
  package let credentials: AWSCredentials
  /// By our clock.
  package let now: UnixTime
  /// What the clock of the host that will read it shows more.
  package let offset: Int64

  /// By the host's clock.
  package var time: UnixTime { now + offset }

  package init(credentials: AWSCredentials, now: UnixTime, offset: Int64 = 0) {
    self.credentials = credentials
    self.now = now
    self.offset = offset
  }

  /// The offset would have made a difference: the clocks were apart when this was signed.
  package func isCorrected(by offset: Int64) -> Bool {
    let (difference, overflow) = offset.subtractingReportingOverflow(self.offset)
    return overflow || difference.magnitude >= Bedrock.minSkew
  }
}

extension SigningIdentity: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  package var description: String { "credential (hidden)" }
  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// What would make a refused attempt work when it is signed anew.
package enum CredentialRemedy: Hashable, Sendable {
  /// Other credentials: these have expired.
  case renew
  /// Another time: the provider's clock shows so many milliseconds more than ours.
  case clock(offset: Int64)
}

extension ProviderFailure {
  /// As the pool has to see it: an access key whose credentials have expired, and that nobody renews, stays out. One
  /// whose signatures were good before has the right secret: what does not fit then is the request, whoever wrote it.
  package func settled(with signer: RequestSigner?, as identity: SigningIdentity? = nil) -> ProviderFailure {
    if disablesKey, Bedrock.isMismatch(code), let identity, signer?.desk.hasAccepted(identity.credentials) == true {
      return ProviderFailure(.caller, reach: .request, status: status, code: code, message: message)
    }
    guard remedy == .renew, signer?.desk.canRenew != true else { return self }
    var failure = self
    failure.reach = .key
    failure.disablesKey = true
    failure.remedy = nil
    return failure
  }
}
