/// How long the paths to one origin may be silent, learned from those that died of it.
///
/// A NAT or firewall that forgets a silent flow tells nobody: the next packet on it vanishes. Its limit lies somewhere
/// below the silence after which a path was found dead and above each silence that one survived.
///
/// - A death after a silence of `t` halves the pace: `max(shortest, min(pace, t) / 2)` (multiplicative decrease).
/// - Each silence about as long as the pace that is survived raises it by an eighth, up to `longest` (a slow increase).
/// - One death proves nothing, the remote side may have lost power. From the second one on, three quarters of the
///   shortest deadly silence are the most, so that the increase does not run into the limit over and over. A longer
///   silence that is survived refutes this; after a day it lapses and the limit is looked for again: limits do change.
/// - Deaths that are found within a second of each other have one cause; so have those of paths that were silent since
///   before the last lesson: they were kept at the old pace, and what forgot one forgot them all.
///
/// The idea is that of additive increase, multiplicative decrease (D.-M. Chiu, R. Jain, "Analysis of the Increase and
/// Decrease Algorithms for Congestion Avoidance", 1989), with a ceiling like the one that TCP CUBIC remembers from its
/// last loss (RFC 9438). Increasing by an eighth overshoots a limit by at most an eighth, so three quarters of a deadly
/// silence that was found by increasing are below the limit.
package struct HeartbeatPlan: Hashable, Sendable {
  /// What the pace has come to; longer than any setting while nothing was learned.
  private var pace = Interval.max
  /// The shortest silence after which a path was dead.
  private var deadly: Interval?
  private var deaths: UInt8 = 0
  private var diedAt = Instant.distantPast

  /// Shorter silences have not killed anything; whatever ended the path was something else.
  private static let least: Interval = .milliseconds(500)
  private static let apart: Interval = .seconds(1)
  private static let lifetime: Interval = .hours(24)

  package init() {}

  /// The time from the last sign of life on a path to the heartbeat on it; nil: none at all.
  /// - Parameter idleLimit: after so long the remote side closes, by its own words or as it was seen to do.
  package func interval(_ settings: HeartbeatSettings, idleLimit: Interval?) -> Interval? {
    switch settings.pace {
    case .off: return nil
    case .every(let interval): return interval
    case .auto:
      let announced = idleLimit.map { $0.scaled(by: 0.75) } ?? .max
      return Swift.max(settings.shortest, Swift.min(settings.longest, Swift.min(pace, announced)))
    }
  }

  /// A path was still there after so much silence.
  package mutating func survived(_ silence: Interval, now: Instant, _ settings: HeartbeatSettings) {
    if let deadly, silence > deadly {
      self.deadly = nil
      deaths = 0
    }
    guard pace < settings.longest, silence >= pace.scaled(by: 0.75) else { return }
    pace = Swift.min(pace + pace.scaled(by: 0.125), ceiling(now, settings))
  }

  /// A path was found dead after so much silence. Returns whether anything was learned from it.
  package mutating func died(_ silence: Interval, now: Instant, _ settings: HeartbeatSettings) -> Bool {
    guard silence >= Self.least, now - diedAt >= Self.apart else { return false }
    guard now - silence >= diedAt else {
      deadly = deadly.map { Swift.min($0, silence) }
      return false
    }
    diedAt = now
    deaths = deaths == .max ? .max : deaths + 1
    deadly = Swift.min(deadly ?? .max, silence)
    let present = Swift.min(settings.longest, pace)
    pace = Swift.max(settings.shortest, Swift.min(present, silence).scaled(by: 0.5))
    return true
  }

  private func ceiling(_ now: Instant, _ settings: HeartbeatSettings) -> Interval {
    guard let deadly, deaths >= 2, now - diedAt <= Self.lifetime else { return settings.longest }
    return Swift.max(settings.shortest, Swift.min(settings.longest, deadly.scaled(by: 0.75)))
  }
}
