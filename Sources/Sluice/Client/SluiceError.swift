import SluiceConfiguration
import SluiceHTTP
import SluicePolicy
import SluiceRuntime

/// Why a call failed, in words that say what to do about it.
///
/// Compare ``code`` with the static codes; new ones may come. Messages never hold a credential.
public struct SluiceError: Error, Sendable, CustomStringConvertible {
  /// What went wrong.
  public struct Code: Hashable, Sendable, CustomStringConvertible {
    /// A short stable word.
    public let description: String

    /// The configuration cannot be used.
    public static let configuration = Code(description: "configuration")
    /// No route and no pool answers for the model.
    public static let unknownModel = Code(description: "unknown_model")
    /// The pool does not allow the model.
    public static let notAllowed = Code(description: "not_allowed")
    /// The provider has no such call.
    public static let unsupported = Code(description: "unsupported")
    /// The request itself is wrong; it would fail again.
    public static let invalidRequest = Code(description: "invalid_request")
    /// Refused by the provider's safety rules.
    public static let contentPolicy = Code(description: "content_policy")
    /// Longer than the model's context.
    public static let contextLength = Code(description: "context_length")
    /// Every credential was rejected.
    public static let credential = Code(description: "credential")
    /// The accounts have no credit left.
    public static let quota = Code(description: "quota")
    /// Every credential is limited at the moment.
    public static let rateLimited = Code(description: "rate_limited")
    /// The provider sheds load or failed, also after the retries.
    public static let upstream = Code(description: "upstream")
    /// No connection, or it broke.
    public static let network = Code(description: "network")
    /// One of the configured clocks ran out.
    public static let timeout = Code(description: "timeout")
    /// The answer was not what the protocol allows.
    public static let protocolError = Code(description: "protocol")
    /// A stream ended without its end mark: what came before is not the whole answer.
    public static let streamCut = Code(description: "stream_cut")
    /// The pool had no room, or none in time.
    public static let poolBusy = Code(description: "pool_busy")
    /// This ``Sluice`` was shut down.
    public static let shutDown = Code(description: "shut_down")
  }

  /// What went wrong.
  public let code: Code
  /// What happened and what to do, for people.
  public let message: String
  /// The provider's HTTP status, if it answered.
  public let status: Int?
  /// How long to stay away, if that is known.
  public let retryAfter: Duration?
  /// The provider's own code or type, if it gave one; at most 512 bytes.
  public let providerCode: String?
  /// The next target of a route may do better.
  let mayHelpElsewhere: Bool

  /// One line for logs.
  public var description: String { "\(code): \(message)" }

  init(
    _ code: Code, _ message: String, status: Int? = nil, retryAfter: Duration? = nil, providerCode: String? = nil,
    mayHelpElsewhere: Bool = false
  ) {
    self.code = code
    self.message = message
    self.status = status
    self.retryAfter = retryAfter
    self.providerCode = providerCode
    self.mayHelpElsewhere = mayHelpElsewhere
  }
}
