/// What kind of failure an exchange, a connect or a probe ended with. Everything that reacts to a failure asks the
/// class, never a status code: who is to blame, and where another try makes sense.
public enum FailureClass: UInt8, CaseIterable, Sendable {
  /// The request itself is wrong.
  case caller
  /// Refused by the provider's safety rules.
  case contentPolicy
  /// Longer than the model's context.
  case contextLength
  /// The credential is invalid or not allowed.
  case credential
  /// The account has no credit left.
  case quota
  /// Too many requests or tokens for this credential at the moment.
  case rateLimited
  /// The provider sheds load.
  case overloaded
  /// The provider failed (5xx).
  case server
  /// No connection, or it broke.
  case network
  /// One of our clocks ran out.
  case timeout
  /// The answer was not what its protocol allows.
  case protocolError
  /// The client went away.
  case cancelled

  /// Where another try may help.
  public enum RetryScope: UInt8, Sendable {
    case sameEndpoint, otherEndpoint, otherPool, never
  }

  /// Whom the failure counts against.
  public enum Blame: UInt8, Sendable {
    case nobody, caller, endpoint, origin, credential
  }

  /// Name in logs, metrics and documents: lower case with underscores.
  public var label: String {
    switch self {
    case .caller: "caller"
    case .contentPolicy: "content_policy"
    case .contextLength: "context_length"
    case .credential: "credential"
    case .quota: "quota"
    case .rateLimited: "rate_limited"
    case .overloaded: "overloaded"
    case .server: "server"
    case .network: "network"
    case .timeout: "timeout"
    case .protocolError: "protocol"
    case .cancelled: "cancelled"
    }
  }

  /// The class with this label; `nil` if there is none.
  public init?(label: String) {
    guard let match = FailureClass.allCases.first(where: { $0.label == label }) else { return nil }
    self = match
  }

  /// The nearest place where another try may help; whether one is made is up to the caller.
  public var retry: RetryScope {
    switch self {
    case .caller, .contentPolicy, .cancelled: .never
    case .contextLength: .otherPool
    case .credential, .quota, .rateLimited, .overloaded, .timeout, .protocolError: .otherEndpoint
    case .server, .network: .sameEndpoint
    }
  }

  /// Whom the class counts against; one of several may share it, such as endpoints of one origin.
  public var blames: Blame {
    switch self {
    case .caller, .contentPolicy, .contextLength: .caller
    case .credential, .quota, .rateLimited: .credential
    case .overloaded, .server, .timeout, .protocolError: .endpoint
    case .network: .origin
    case .cancelled: .nobody
    }
  }

  /// Whether it counts towards ejection. A rejected or limited credential is handled by its own states.
  public var harmsHealth: Bool { blames == .endpoint || blames == .origin }
}
