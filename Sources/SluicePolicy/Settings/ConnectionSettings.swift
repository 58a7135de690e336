/// How many resources a pool keeps, how they are opened, and when they are given up.
public struct ConnectionSettings: Hashable, Sendable {
  /// Opened at start and kept, per origin.
  public var min = 0
  /// Most resources per origin, those being opened and closed included.
  public var max = 50
  /// Most resources over all origins.
  public var poolMax = 200
  /// An origin keeps one verified resource for so long after its last use. Zero: not at all.
  public var keepWarm: Interval = .hours(24)
  /// First pause after a failed connect; doubles with each further one.
  public var reconnectDelay: Interval = .seconds(1)
  /// Longest pause between connects; at least `reconnectDelay`.
  public var reconnectDelayMax: Interval = .seconds(60)
  /// A resource that was not needed for so long is closed. `.max`: never.
  public var idleTimeout: Interval = .minutes(5)
  /// A resource is closed at this age, once it is idle. `.max`: never.
  public var maxAge: Interval = .minutes(30)
  /// One deadline over everything that belongs to opening.
  public var connectTimeout: Interval = .seconds(5)
  /// An idle resource unused for longer than this is verified before it is lent.
  public var verifyAfter: Interval = .seconds(1)
  /// A verification without an answer after so long means that the resource is dead.
  public var verifyTimeout: Interval = .milliseconds(500)
  /// Resources that are kept warm without being used are verified so often.
  public var warmVerifyInterval: Interval = .seconds(30)
  /// Resources wanted per unit of demand (leased, waiting and soon expected).
  public var warmRatio = 1.25
  /// Part of a multiplexed resource's room that is counted on before another one is opened.
  public var slotUtilization = 0.8
  /// Most resources being opened at once, per origin.
  public var concurrentConnects = 8
  /// Connect failures in a row after which an origin counts as failing and waiters are rejected instead of kept.
  public var failFastAfter = 3
  /// Idle timeout and age are shortened by up to this part, differently for each resource.
  public var jitter = 0.1
  /// A resource that was told to close and says nothing for so long is forgotten.
  public var closeGrace: Interval = .seconds(10)

  /// The defaults.
  public init() {}
}
