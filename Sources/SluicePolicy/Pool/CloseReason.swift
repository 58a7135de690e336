/// Why a resource was closed.
public enum CloseReason: UInt8, CaseIterable, Sendable {
  /// Not needed for longer than the idle timeout.
  case idle
  /// About to reach the idle limit that was learned from the remote side.
  case idleLimit
  /// Reached its maximum age.
  case age
  /// The lease's holder said that it cannot be used again, or it ended in the middle of an answer.
  case broken
  case remoteClosed
  case connectFailed
  /// Did not pass the check before reuse.
  case verification
  /// Its origin was removed, or the remote side asked to finish (GOAWAY).
  case drained
  /// More resources than the settings allow, or room needed for another origin.
  case excess
  /// Made room for a fresh one, or had no slot to lend for too long.
  case recycled
  /// What came on it cannot be read.
  case protocolError
  case cancelled
  case shutdown
  case clockJump
  /// Nobody acknowledges what was sent: the way to the remote side is gone.
  case deadPath

  /// Name in logs, metrics and documents: lower case with underscores.
  public var label: String {
    switch self {
    case .idle: "idle"
    case .idleLimit: "idle_limit"
    case .age: "age"
    case .broken: "broken"
    case .remoteClosed: "remote_closed"
    case .connectFailed: "connect_failed"
    case .verification: "verification"
    case .drained: "drained"
    case .excess: "excess"
    case .recycled: "recycled"
    case .protocolError: "protocol"
    case .cancelled: "cancelled"
    case .shutdown: "shutdown"
    case .clockJump: "clock_jump"
    case .deadPath: "dead_path"
    }
  }
}
