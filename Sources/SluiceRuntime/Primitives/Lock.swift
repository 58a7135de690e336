#if SLUICE_TSAN
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif
#else
import Synchronization
#endif

/// The one lock type of the project: a value that is reached only while the lock is held.
///
/// Normally `Synchronization.Mutex`. On Linux that type is futex code inside the standard library which the thread
/// sanitizer cannot see, so it reports races that are none; builds for the sanitizer define `SLUICE_TSAN` and get a
/// POSIX mutex, whose calls the sanitizer understands.
///
/// Held for decisions only: nothing is called out while it is held, and no second lock is taken.
#if SLUICE_TSAN
// Sendable although it owns a pointer: the memory is reached only between lock and unlock.
package struct Lock<Value: ~Copyable & Sendable>: ~Copyable, @unchecked Sendable {
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let value: UnsafeMutablePointer<Value>

  package init(_ initial: consuming Value) {
    mutex = .allocate(capacity: 1)
    mutex.initialize(to: pthread_mutex_t())
    let created = pthread_mutex_init(mutex, nil)
    precondition(created == 0, "a default mutex can always be made")
    value = .allocate(capacity: 1)
    value.initialize(to: initial)
  }

  deinit {
    value.deinitialize(count: 1)
    value.deallocate()
    pthread_mutex_destroy(mutex)
    mutex.deinitialize(count: 1)
    mutex.deallocate()
  }

  package borrowing func withLock<Result: ~Copyable, Failure: Error>(
    _ body: (inout Value) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return try body(&value.pointee)
  }
}
#else
package struct Lock<Value: ~Copyable & Sendable>: ~Copyable, Sendable {
  private let mutex: Mutex<Value>

  package init(_ initial: consuming Value) {
    mutex = Mutex(initial)
  }

  package borrowing func withLock<Result: ~Copyable & Sendable, Failure: Error>(
    _ body: (inout Value) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try mutex.withLock { (value) throws(Failure) -> Result in try body(&value) }
  }
}
#endif
