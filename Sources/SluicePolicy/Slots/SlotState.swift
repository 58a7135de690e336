/// State of one resource.
///
/// ```
/// free ─▶ connecting ─▶ idle ◀─▶ shared ◀─▶ full
///             │          │▲ │        │        │
///             │          ▼│ └────────┼────────┤
///             │       verifying      ▼        ▼
///             │          │        draining (lent, not lent again)
///             ▼          ▼           ▼
///           closing (told to close, confirmation awaited) ─▶ free
/// ```
/// Any state but `free` may also go to `free` directly, when the resource reports by itself that it is closed.
package enum SlotState: UInt8, CaseIterable, Sendable {
  case free
  case connecting
  /// Open, nothing lent, room.
  case idle
  /// Open, something lent, room left.
  case shared
  /// Open, no room.
  case full
  /// Open, nothing lent, being checked.
  case verifying
  /// Lent, closes when the last slot returns.
  case draining
  case closing

  package static let count = 8

  /// May become lendable (again) without anything being opened.
  package var isOpen: Bool {
    switch self {
    case .idle, .shared, .full, .verifying: true
    case .free, .connecting, .draining, .closing: false
    }
  }
}

/// One resource, as far as the pool is concerned.
package struct SlotRecord: Sendable {
  package var generation: UInt32 = 0
  package var state = SlotState.free
  /// Why it is being drained or closed.
  package var closeReason = CloseReason.idle
  package var origin: UInt16 = 0
  package var loop: UInt16 = 0
  package var capacity: Int32 = 0
  package var leased: Int32 = 0
  /// Exchanges served; 0 is a fresh resource.
  package var exchanges: UInt32 = 0
  /// Neighbours in the list of its state; -1 is none.
  package var next: Int32 = -1
  package var previous: Int32 = -1
  /// Last exchange, or opening.
  package var lastUsed = Instant.distantPast
  /// Last moment at which it was known to work: use, opening or verification.
  package var lastTrusted = Instant.distantPast
  /// Last time that demand reached it; the idle timeout counts from here. A turn does not count.
  package var wantedAt = Instant.distantPast
  /// End of its life, jitter included. While connecting: when the attempt began.
  package var expiresAt = Instant.distantFuture
  /// 0…1, drawn at opening: spreads idle timeouts.
  package var spread: Float = 0
  /// Last heartbeat that it passed.
  package var lastBeat = Instant.distantPast
  /// Under verification because its turn came.
  package var turning = false
  /// Under verification by a heartbeat.
  package var isBeating = false
  package var deadline = DeadlineHeap.Token.none

  @inline(__always)
  mutating func takeBack(used: Bool, _ now: Instant) {
    leased -= 1
    wantedAt = now
    if !used { return }
    exchanges &+= 1
    lastUsed = now
    lastTrusted = now
  }
}
