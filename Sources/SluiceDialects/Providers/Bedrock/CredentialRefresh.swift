/// Which credentials are in force, and when they are obtained anew.
///
/// ```
/// empty ─ loaded ─▶ serving ─ time ─▶ expired ─ loaded ─▶ serving
///   a load may run in any state, never two; serving goes on meanwhile
/// ```
/// As in AWS's SDKs renewal begins a quarter of an hour before the end, or with a third of the lifetime left where that
/// is less; in the last ten minutes it is tried more often. Invariants: nothing is in force beyond its expiration; after
/// a failure the next load waits, with jitter, so that many gateways do not ask in step; a load that somebody asks for
/// because AWS refused the credentials comes at most every few seconds.
///
/// Pure: the wall clock and chance are arguments.
package struct CredentialRefresh: Sendable {
  package static let advisory: Int64 = 15 * 60_000
  package static let mandatory: Int64 = 10 * 60_000
  /// Pauses after a failure, in milliseconds: the first, the longest, and the longest when time is short.
  package static let firstPause: Int64 = 1_000
  package static let longestPause: Int64 = 60_000
  package static let urgentPause: Int64 = 10_000
  /// Files without an expiration are looked at so often.
  package static let fileRecheck: Int64 = 10_000
  /// Credentials this young that AWS refuses are not asked for again.
  package static let settled: Int64 = 3_000

  /// What to do about credentials that AWS called expired.
  package enum Renewal: Hashable, Sendable {
    /// Others are in force already.
    case replaced
    /// New ones are on their way.
    case underWay
    /// Nothing can be done.
    case hopeless
  }

  package private(set) var held: AWSCredentials?
  package private(set) var isLoading = false
  /// Why the last load failed.
  package private(set) var problem: String?
  private var failures = 0
  private var loadedAt: UnixTime?
  private var triedAt: UnixTime?
  private var nextLoad: UnixTime
  private let canRenew: Bool

  /// - Parameter canRenew: a load can bring something else than what is known from the start.
  package init(_ held: AWSCredentials? = nil, canRenew: Bool, now: UnixTime) {
    self.held = held.flatMap { $0.isSendable ? $0 : nil }
    self.canRenew = canRenew
    if held != nil, self.held == nil { problem = Self.unprintable }
    nextLoad = canRenew ? now : .never
  }

  /// In force now.
  package func credentials(_ now: UnixTime) -> AWSCredentials? {
    guard let held, held.expiration.map({ $0 > now }) ?? true else { return nil }
    return held
  }

  /// When `startIfDue` has something to do; `.never` while a load runs.
  package var nextLook: UnixTime { isLoading ? .never : nextLoad }

  /// True: a load has to be started now, and its end reported.
  package mutating func startIfDue(_ now: UnixTime) -> Bool {
    guard !isLoading, now >= nextLoad else { return false }
    isLoading = true
    triedAt = now
    return true
  }

  /// AWS says that `refused` have expired; nil: there were none to sign with. After `.underWay` look at `startIfDue`.
  package mutating func renew(insteadOf refused: AWSCredentials?, _ now: UnixTime) -> Renewal {
    if let current = credentials(now), current != refused { return .replaced }
    guard canRenew else { return .hopeless }
    if isLoading { return .underWay }
    // What has just been tried is not tried again for everybody who asks.
    let last = refused == nil ? triedAt : failures > 0 ? triedAt : loadedAt
    if let last, last <= now, now.milliseconds - last.milliseconds < Self.settled { return .hopeless }
    nextLoad = min(nextLoad, now)
    return .underWay
  }

  /// - Parameter random: 64 random bits.
  package mutating func loaded(_ new: AWSCredentials, _ now: UnixTime, random: UInt64) {
    isLoading = false
    guard new.isSendable else { return failed(Self.unprintable, now, random) }
    guard new.expiration.map({ $0 > now }) ?? true else {
      return failed("the AWS credentials that were found have expired already", now, random)
    }
    let isSame = new == held
    held = new
    loadedAt = now
    failures = 0
    problem = nil
    guard let end = new.expiration else { return nextLoad = now + Self.fileRecheck }
    let left = end.milliseconds - now.milliseconds
    if isSame, left <= Self.advisory {
      // The service has nothing newer yet.
      nextLoad = now + max(Self.firstPause, min(left / 3, Self.longestPause))
    } else {
      let lead = min(Self.advisory, left / 3)
      nextLoad = end + -(lead + Self.share(lead / 10, random))
    }
  }

  package mutating func failed(_ reason: String, _ now: UnixTime, _ random: UInt64) {
    isLoading = false
    failures = min(failures + 1, 30)
    problem = reason
    let left = held?.expiration.map { $0.milliseconds - now.milliseconds } ?? .max
    let ceiling = left > Self.mandatory ? Self.longestPause : Self.urgentPause
    let pause = min(ceiling, Self.firstPause << Int64(failures - 1))
    nextLoad = now + (pause / 2 + Self.share(pause / 2, random))
  }

  private static let unprintable = "the AWS credentials that were found hold characters that no header can carry"

  private static func share(_ span: Int64, _ random: UInt64) -> Int64 {
    Int64(Double(span) * (Double(random >> 11) * 0x1p-53))
  }
}

extension UnixTime {
  package static let never = UnixTime(milliseconds: .max)

  package static func + (time: UnixTime, milliseconds: Int64) -> UnixTime {
    let (sum, overflow) = time.milliseconds.addingReportingOverflow(milliseconds)
    return overflow ? (milliseconds > 0 ? .never : UnixTime(milliseconds: .min)) : UnixTime(milliseconds: sum)
  }
}
