package import SluicePolicy

/// Where the time of one exchange went until its head was sent. Every moment belongs to exactly one phase, so the
/// phases add up to the wall time.
package struct PhaseClock: Sendable {
  package enum Phase: Int, CaseIterable, Sendable {
    case receive, queue, acquire, connect, upstream, translate

    package var label: StaticString {
      switch self {
      case .receive: "receive"
      case .queue: "queue"
      case .acquire: "acquire"
      case .connect: "connect"
      case .upstream: "upstream"
      case .translate: "translate"
      }
    }
  }

  package private(set) var phase: Phase
  private var since: Instant
  private let begun: Instant
  private var receive = Interval.zero
  private var queue = Interval.zero
  private var acquire = Interval.zero
  private var connect = Interval.zero
  private var upstream = Interval.zero
  private var translate = Interval.zero

  package init(begun: Instant) {
    self.begun = begun
    since = begun
    phase = .receive
  }

  /// Ends the running phase and begins another. A clock that seems to run backwards adds nothing.
  package mutating func enter(_ next: Phase, now: Instant) {
    if now > since {
      add(now - since, to: phase)
      since = now
    }
    phase = next
  }

  /// Books what has been spent in the running phase under another name: what a wait was for is known at its end.
  package mutating func rename(_ actual: Phase) { phase = actual }

  package subscript(phase: Phase) -> Interval {
    switch phase {
    case .receive: receive
    case .queue: queue
    case .acquire: acquire
    case .connect: connect
    case .upstream: upstream
    case .translate: translate
    }
  }

  /// From the start until the last change of phase.
  package var total: Interval { since - begun }

  private mutating func add(_ interval: Interval, to phase: Phase) {
    switch phase {
    case .receive: receive = receive + interval
    case .queue: queue = queue + interval
    case .acquire: acquire = acquire + interval
    case .connect: connect = connect + interval
    case .upstream: upstream = upstream + interval
    case .translate: translate = translate + interval
    }
  }
}
