public import SluicePolicy
public import SluiceRuntime

/// Remembers a pool's events, the first `capacity` of them, and passes each on to the test.
public final class RecordingObserver: PoolObserver {
  /// One event as it was delivered.
  public struct Entry: Hashable, Sendable {
    /// What happened.
    public let event: PoolEvent
    /// The pool it happened in.
    public let pool: String
    /// Its number among the pool's events.
    public let sequence: UInt64
  }

  private let capacity: Int
  private let recorded = Guarded<[Entry]>([])
  private let onEvent: (@Sendable (PoolEvent) -> Void)?

  /// - Parameters:
  ///   - capacity: events remembered; later ones are only passed on.
  ///   - onEvent: called for each event where the pool calls.
  public init(capacity: Int = 10_000, onEvent: (@Sendable (PoolEvent) -> Void)? = nil) {
    self.capacity = capacity
    self.onEvent = onEvent
  }

  /// What was delivered, in the order of delivery.
  public var entries: [Entry] { recorded.value }

  /// The events alone.
  public var events: [PoolEvent] { entries.map(\.event) }

  /// Remembers the event.
  public func poolEvent(_ event: PoolEvent, pool: String, sequence: UInt64) {
    recorded.withLock { entries in
      if entries.count < capacity { entries.append(Entry(event: event, pool: pool, sequence: sequence)) }
    }
    onEvent?(event)
  }
}
