import NIOCore
import SluicePolicy

/// The upstream's announcement that it closes idle connections (`keep-alive: timeout=N`), and our leaving before it
/// does: a request on its way as the peer closes is the one case that costs a replay.
///
/// One timer at a time, set when there is none, that looks again when the connection was used meanwhile: answers that
/// each carry the announcement cost no timer each.
struct IdleLimit {
  /// Longer announcements than a day mean none.
  static let most = 86_400

  private var limit: Interval?
  private var task: Scheduled<Void>?

  /// `seconds` of the latest response.
  mutating func announced(seconds: Int?) {
    guard let seconds, seconds >= 0, seconds <= Self.most else { return }
    limit = .seconds(Int64(seconds))
  }

  /// When to leave: a tenth, at least a second and at most five, before the peer would.
  static func leave(before limit: Interval) -> Interval {
    let margin = min(max(limit.scaled(by: 0.1), .seconds(1)), .seconds(5))
    return max(.milliseconds(100), limit - margin)
  }

  /// The connection has become idle.
  mutating func watch(_ connection: HTTPConnection) {
    guard let limit, task == nil else { return }
    arm(connection, in: Self.leave(before: limit), limit)
  }

  mutating func cancel() {
    task?.cancel()
    task = nil
  }

  private mutating func arm(_ connection: HTTPConnection, in delay: Interval, _ limit: Interval) {
    task = connection.eventLoop.scheduleTask(in: .nanoseconds(delay.nanoseconds)) { connection.idleLimitDue(limit) }
  }

  fileprivate mutating func due(_ connection: HTTPConnection) {
    task = nil
    guard let limit, connection.phase == .idle else { return }
    let left = Self.leave(before: limit) - connection.idleTime
    if left > .zero {
      arm(connection, in: left, limit)
    } else {
      // The peer said so itself; as good as having seen it close.
      connection.shut(reason: .idleLimit, idleFor: limit)
    }
  }
}

extension HTTPConnection {
  func idleLimitDue(_ limit: Interval) {
    var watch = idleLimit
    watch.due(self)
    if phase != .closed { idleLimit = watch }
  }
}
