/// Why a pool did not lend a slot.
public enum RejectionReason: UInt8, CaseIterable, Sendable {
  /// No room to wait.
  case queueFull
  /// The deadline passed while waiting, or had passed already.
  case deadline
  /// Every endpoint that may serve is out for a while; `retryAfter` says how long.
  case noEndpoint
  /// As `noEndpoint`, and nothing but limits of the provider's keeps them out: requests or tokens used up, or no credit
  /// left, which no time brings back (`retryAfter` is missing then).
  case limited
  /// Exclusions, pins and drained endpoints leave nothing that may ever serve this request.
  case notAllowed
  /// The credentials of all endpoints that may serve were rejected by the provider.
  case credential
  /// No connection can be opened.
  case connectFailed
  /// The pool is finishing its work and takes nothing new.
  case draining
  /// The pool is closed.
  case closed

  /// Name in logs, metrics and documents: lower case with underscores.
  public var label: String {
    switch self {
    case .queueFull: "queue_full"
    case .deadline: "deadline"
    case .noEndpoint: "no_endpoint"
    case .limited: "limited"
    case .notAllowed: "not_allowed"
    case .credential: "credential"
    case .connectFailed: "connect_failed"
    case .draining: "draining"
    case .closed: "closed"
    }
  }
}

/// The pool's size at one moment, as far as an error message needs it.
public struct PoolNumbers: Hashable, Sendable {
  /// Slots lent.
  public var leased: Int32
  /// Resources without a lent slot.
  public var idle: Int32
  /// Resources being opened.
  public var connecting: Int32
  /// Tickets waiting.
  public var waiting: Int32
  /// Most resources the pool may have.
  public var max: Int32

  /// Clamps every number to what fits into 32 bits.
  public init(leased: Int = 0, idle: Int = 0, connecting: Int = 0, waiting: Int = 0, max: Int = 0) {
    self.leased = Int32(clamping: leased)
    self.idle = Int32(clamping: idle)
    self.connecting = Int32(clamping: connecting)
    self.waiting = Int32(clamping: waiting)
    self.max = Int32(clamping: max)
  }
}

/// A refusal: the reason, when it makes sense to come back, and the numbers behind it.
public struct PoolRejection: Error, Hashable, Sendable {
  /// What stood in the way; decides which of the other fields are set.
  public var reason: RejectionReason
  /// When something may be served again, if that is known.
  public var retryAfter: Interval?
  /// The pool's size when it refused; all 0 if nobody counted.
  public var numbers: PoolNumbers
  /// The failure that kept connections from being opened (`connectFailed` only).
  public var cause: FailureClass?

  /// Without further arguments: no advice on when to come back, no numbers, no cause.
  public init(
    reason: RejectionReason, retryAfter: Interval? = nil, numbers: PoolNumbers = PoolNumbers(),
    cause: FailureClass? = nil
  ) {
    self.reason = reason
    self.retryAfter = retryAfter
    self.numbers = numbers
    self.cause = cause
  }
}
