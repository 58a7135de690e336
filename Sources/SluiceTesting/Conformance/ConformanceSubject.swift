public import NIOCore
public import SluicePolicy
public import SluiceRuntime

/// What a conformance suite works with: a connector, and somewhere to connect it to.
public struct ConformanceSubject<Connector: ResourceConnector>: Sendable {
  /// The connector under test.
  public var connector: Connector
  /// A loop that runs by itself, in real time.
  public var eventLoop: any EventLoop
  /// The identity of an origin that works.
  public var origin: String
  /// An origin that refuses at once; without one the check is left out.
  public var refusingOrigin: String?
  /// An origin that never answers; without one the check is left out.
  public var silentOrigin: String?
  /// Makes the peer close this resource; without it the checks are left out. Called on ``eventLoop``.
  public var closeByPeer: (@Sendable (Connector.Resource) -> Void)?

  /// - Parameters:
  ///   - connector: the connector under test.
  ///   - eventLoop: a loop that runs by itself, in real time.
  ///   - origin: the identity of an origin that works.
  public init(connector: Connector, eventLoop: any EventLoop, origin: String) {
    self.connector = connector
    self.eventLoop = eventLoop
    self.origin = origin
  }
}

/// One broken rule.
public struct ConformanceViolation: Hashable, Sendable, CustomStringConvertible {
  /// The rules, as ``PoolableResource`` and ``ResourceConnector`` state them.
  public enum Rule: String, CaseIterable, Sendable {
    case connectAnswersOnce = "connect_answers_once"
    case connectSucceeds = "connect_succeeds"
    case connectHonoursDeadline = "connect_honours_deadline"
    case connectReportsRefusal = "connect_reports_refusal"
    case capacityIsPositive = "capacity_is_positive"
    case closeIsReported = "close_is_reported"
    case closeIsReportedOnce = "close_is_reported_once"
    case peerCloseIsReported = "peer_close_is_reported"
    case nothingAfterClose = "nothing_after_close"
    case verifyAnswersByDeadline = "verify_answers_by_deadline"
    case verifyAnswersOnce = "verify_answers_once"
    case verifyTellsTheTruth = "verify_tells_the_truth"
    case closedResourceIsReleased = "closed_resource_is_released"
  }

  /// The rule.
  public let rule: Rule
  /// In which situation, and what happened instead.
  public let detail: String

  /// One line.
  public var description: String { "\(rule.rawValue): \(detail)" }
}

/// How patient a conformance suite is.
public struct ConformanceTimes: Sendable {
  /// What an operation that should work may take.
  public var patience: Interval = .seconds(5)
  /// The deadline given where nothing will answer.
  public var shortDeadline: Interval = .milliseconds(100)
  /// How far behind a deadline an answer may come.
  public var slack: Interval = .milliseconds(500)
  /// How long a second answer is waited for that must not come.
  public var quiet: Interval = .milliseconds(50)

  /// The defaults.
  public init() {}
}
