/// A value shared by reference behind a lock, for cold paths: settings, registries, test records.
///
/// Hot counters belong in ``LoopLocal`` and queues in ``BoundedMailbox``.
package final class Guarded<Value: Sendable>: Sendable {
  private let lock: Lock<Value>

  package init(_ initial: Value) {
    lock = Lock(initial)
  }

  /// Runs `body` while the lock is held; it must not call out.
  package func withLock<Result: Sendable, Failure: Error>(
    _ body: (inout Value) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try lock.withLock(body)
  }

  package var value: Value {
    lock.withLock { $0 }
  }

  /// Puts in a new value and hands back the old one.
  @discardableResult
  package func replace(with new: Value) -> Value {
    lock.withLock { value in
      let old = value
      value = new
      return old
    }
  }
}
