public import SluicePolicy

/// Wants to know what happens in a pool: openings, closings, ejections, drains. Never called per request.
public protocol PoolObserver: Sendable {
  /// Something happened. Called after the pool's lock was given back, on whatever thread it happened on, so it may call
  /// the pool, and must not block.
  ///
  /// - Parameters:
  ///   - event: what happened.
  ///   - pool: the pool's name.
  ///   - sequence: counts the pool's events from 1 in the order in which they were decided; two threads may deliver
  ///     theirs in the other order.
  func poolEvent(_ event: PoolEvent, pool: String, sequence: UInt64)
}
