public import SluicePolicy

/// Why a pool could not do what was asked, whose doing it was, and whether trying again makes sense.
///
/// A struct over private codes, so that new codes do not break programs: compare with the static ones.
public struct PoolError: Error, Sendable, CustomStringConvertible {
  /// What went wrong.
  public struct Code: Hashable, Sendable, CustomStringConvertible {
    private enum Kind: String {
      case rejected, cancelled, connectFailed = "connect_failed", invalidSettings = "invalid_settings"
      case unknownPool = "unknown_pool", stopped
    }

    private let kind: Kind

    /// The pool refused or gave up; ``PoolError/rejection`` says why.
    public static let rejected = Code(kind: .rejected)
    /// The task was cancelled while it waited.
    public static let cancelled = Code(kind: .cancelled)
    /// A one-off connection could not be opened.
    public static let connectFailed = Code(kind: .connectFailed)
    /// The settings of a pool contradict themselves.
    public static let invalidSettings = Code(kind: .invalidSettings)
    /// There is no pool of that name.
    public static let unknownPool = Code(kind: .unknownPool)
    /// The event loop or service that would do it has stopped.
    public static let stopped = Code(kind: .stopped)

    /// A short stable word.
    public var description: String { kind.rawValue }
  }

  /// Whose doing it was.
  public enum Culprit: String, Sendable {
    /// The one who asked: settings, a cancelled task.
    case caller
    /// The pool: full, paused, draining.
    case pool
    /// A resource that the pool could not open or keep.
    case resource
    /// The remote side.
    case remote
  }

  /// Whether the same wish may be made again.
  public enum RetryAdvice: Hashable, Sendable {
    /// Nothing was sent: try again, after this long if given.
    case safe(after: Interval?)
    /// Only when the resource had been used before and nothing came back: the peer may have closed it unheard.
    case onlyIfReusedAndNothingReceived
    /// It would end the same way.
    case never
  }

  /// What went wrong.
  public let code: Code
  /// Whose doing it was.
  public let culprit: Culprit
  /// Whether the same wish may be made again.
  public let retry: RetryAdvice
  /// Short and from a closed set, fit for a metric.
  public let label: String
  /// The pool's name.
  public let pool: String
  /// The refusal itself, for ``Code/rejected``.
  public let rejection: PoolRejection?
  /// How the pool stood at that moment, when it was asked.
  public let numbers: PoolNumbers?
  /// What was thrown below, if anything was.
  public let cause: (any Error)?

  /// One line for logs, without any data of the exchange.
  public var description: String {
    var text = "pool \(pool): \(label)"
    if let numbers {
      text += " (leased \(numbers.leased), idle \(numbers.idle), connecting \(numbers.connecting)"
      text += ", waiting \(numbers.waiting), max \(numbers.max))"
    }
    if let cause { text += ": \(cause)" }
    return text
  }
}

extension PoolError {
  /// An error of an adapter, in the pool's terms.
  ///
  /// - Parameters:
  ///   - code: what went wrong.
  ///   - culprit: whose doing it was.
  ///   - retry: whether the same wish may be made again.
  ///   - pool: the pool's name.
  ///   - label: short and from a closed set; the code's own word if nil.
  ///   - cause: what was thrown below.
  public init(
    _ code: Code, culprit: Culprit, retry: RetryAdvice, pool: String, label: String? = nil,
    cause: (any Error)? = nil
  ) {
    self.init(
      code: code, culprit: culprit, retry: retry, label: label ?? code.description, pool: pool, rejection: nil,
      numbers: nil, cause: cause)
  }

  init(_ rejection: PoolRejection, pool: String) {
    self.init(
      code: .rejected, culprit: rejection.culprit, retry: rejection.retryAdvice, label: rejection.reason.label,
      pool: pool, rejection: rejection, numbers: rejection.numbers, cause: nil)
  }

  static func cancelled(pool: String) -> PoolError {
    PoolError(.cancelled, culprit: .caller, retry: .safe(after: nil), pool: pool, cause: CancellationError())
  }
}
