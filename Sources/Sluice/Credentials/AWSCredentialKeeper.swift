import Logging
import NIOCore
import SluiceConfiguration
import SluiceDialects
package import SluicePolicy
import SluiceRuntime

/// Keeps the credentials of one plan in force: looks for them at once, anew before they end, and when AWS refuses them.
/// `CredentialRefresh` decides when; here it is done, on one event loop. Signers read what is in force from any loop.
final class AWSCredentialKeeper: SigningDesk {
  /// Requests that wait for one load.
  static let maxWaiters = 4096
  /// Hosts whose clocks are remembered.
  static let maxClocks = 256
  /// The wall clock may be set: it is looked at so often.
  private static let longestSleep: Int64 = 60_000

  private struct State: Sendable {
    var refresh: CredentialRefresh
    var place = ""
    var offsets: [String: Int64] = [:]
    /// The last ones that AWS took a signature of.
    var accepted: AWSCredentials?
    var waiters: [@Sendable () -> Void] = []
    var isStopped = false
    /// Only the latest timer counts.
    var alarm = 0
  }

  private let plan: AWSCredentialPlan
  private let clients: [AWSMetadataURL: MetadataClient]
  private let files: FileAccess
  private let loop: any EventLoop
  private let logger: Logger
  private let state: Guarded<State>
  let canRenew: Bool

  init(
    _ plan: AWSCredentialPlan, clients: [AWSMetadataURL: MetadataClient], files: FileAccess, loop: any EventLoop,
    logger: Logger
  ) {
    self.plan = plan
    self.clients = clients
    self.files = files
    self.loop = loop
    self.logger = logger
    let now = WallTime.now()
    if case .fixed(let credentials, let place)? = plan.sources.first {
      canRenew = false
      state = Guarded(State(refresh: CredentialRefresh(credentials, canRenew: false, now: now), place: place))
    } else {
      canRenew = true
      state = Guarded(State(refresh: CredentialRefresh(canRenew: true, now: now)))
    }
  }

  func start() { if canRenew { loop.execute { self.look() } } }

  /// Nothing is renewed any more; what is in force stays so to its end.
  func stop() {
    let waiters = state.withLock { state in
      state.isStopped = true
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter() }
  }

  // MARK: For signers

  func credentials(_ now: UnixTime) -> AWSCredentials? { state.withLock { $0.refresh.credentials(now) } }

  func clockOffset(of host: String) -> Int64 { state.withLock { $0.offsets[host] ?? 0 } }

  func learn(clockOffset: Int64, of host: String) {
    let isNew = state.withLock { state in
      guard state.offsets[host] != nil || state.offsets.count < Self.maxClocks else { return false }
      return state.offsets.updateValue(clockOffset, forKey: host) != clockOffset
    }
    guard isNew else { return }
    logger.warning(
      "the clocks are apart; signatures follow the provider's",
      metadata: ["host": "\(host)", "seconds": "\(clockOffset / 1000)"])
  }

  func accepted(_ credentials: AWSCredentials) { state.withLock { $0.accepted = credentials } }

  func hasAccepted(_ credentials: AWSCredentials) -> Bool { state.withLock { $0.accepted == credentials } }

  func renew(
    insteadOf refused: AWSCredentials?, _ now: UnixTime, _ done: @escaping @Sendable () -> Void
  ) -> CredentialRefresh.Renewal {
    let renewal = state.withLock { state -> CredentialRefresh.Renewal in
      guard !state.isStopped, state.waiters.count < Self.maxWaiters else { return .hopeless }
      let renewal = state.refresh.renew(insteadOf: refused, now)
      if renewal == .underWay { state.waiters.append(done) }
      return renewal
    }
    if renewal == .underWay { loop.execute { self.look() } }
    return renewal
  }

  var complaint: String {
    let problem = state.withLock { $0.refresh.problem }
    return problem ?? "the AWS credentials have expired or are not there yet"
  }

  var status: CredentialStatus {
    let now = WallTime.now()
    return state.withLock { state in
      CredentialStatus(
        source: state.place, expiresIn: state.refresh.held?.expiration?.interval(since: now),
        problem: state.refresh.problem, isValid: state.refresh.credentials(now) != nil)
    }
  }

  // MARK: On the loop

  private func look() {
    let now = WallTime.now()
    let isDue = state.withLock { !$0.isStopped && $0.refresh.startIfDue(now) }
    guard isDue else { return setAlarm() }
    CredentialSearch(plan, clients: clients, files: files, loop: loop) { self.ended($0) }.start()
  }

  private func ended(_ outcome: CredentialSearch.Outcome) {
    let now = WallTime.now()
    let random = UInt64.random(in: .min ... .max)
    let before = status
    let waiters = state.withLock { state -> [@Sendable () -> Void] in
      switch outcome {
      case .found(let credentials, let place):
        state.place = place
        state.refresh.loaded(credentials, now, random: random)
      case .failed(let reason): state.refresh.failed(reason, now, random)
      }
      defer { state.waiters = [] }
      return state.waiters
    }
    report(before)
    for waiter in waiters { waiter() }
    setAlarm()
  }

  /// Says what changed, once.
  private func report(_ before: CredentialStatus) {
    let after = status
    if let problem = after.problem, problem != before.problem {
      logger.error("AWS credentials could not be obtained", metadata: ["reason": "\(problem)"])
    } else if after.problem == nil, before.problem != nil || before.source.isEmpty {
      logger.info("AWS credentials obtained", metadata: ["from": "\(after.source)"])
    }
  }

  private func setAlarm() {
    let now = WallTime.now()
    let (number, due) = state.withLock { state in
      state.alarm &+= 1
      return (state.alarm, state.isStopped ? UnixTime.never : state.refresh.nextLook)
    }
    guard due != .never else { return }
    let wait = min(max(1, due.milliseconds - now.milliseconds), Self.longestSleep)
    loop.scheduleTask(in: .milliseconds(wait)) {
      guard self.state.withLock({ $0.alarm == number }) else { return }
      self.look()
    }
  }
}

/// What is to be seen of a pool's credentials; holds none.
package struct CredentialStatus: Hashable, Sendable {
  /// Where they come from; empty while there are none.
  package var source: String
  /// Nil: they do not end.
  package var expiresIn: Interval?
  package var problem: String?
  package var isValid: Bool
}
