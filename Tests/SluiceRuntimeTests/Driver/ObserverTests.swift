import NIOCore
import SluicePolicy
import SluiceRuntime
import SluiceTesting
import Testing

@Suite struct ObserverTests {
  @Test func eventsComeInOrderWithTheirNumbers() throws {
    let bench = try Bench()
    try bench.mustLease().destroy(.success)
    bench.pool.close()
    let entries = bench.observer.entries
    #expect(entries.map(\.sequence) == entries.indices.map { UInt64($0 + 1) })
    #expect(entries.allSatisfy { $0.pool == "test" })
    #expect(bench.observer.events.contains(.closed))
  }

  /// Were the lock held while an observer runs, this would never return.
  @Test func anObserverMayUseThePool() throws {
    let seen = Guarded(0)
    let box = PoolBox()
    let observer = RecordingObserver { event in
      guard case .resourceOpened = event, let pool = box.pool else { return }
      let now = pool.clock.now()
      let request = AcquireRequest(loop: LoopID(rawValue: 0), deadline: now + .seconds(1), arrival: now)
      let waiter = RecordingWaiter<ScriptedResource>()
      switch pool.acquire(request, waiter: waiter) {
      case .granted(let lease): lease.release(.success)
      case .queued(let ticket): pool.cancel(ticket)
      case .rejected: break
      }
      seen.withLock { $0 += pool.snapshot().slots.total }
    }
    let bench = try Bench(.test(max: 2), observer: observer)
    box.pool = bench.pool
    try bench.mustLease().release(.success)
    box.pool = nil
    #expect(seen.value >= 1)
    #expect(bench.pool.snapshot().numbers.leased == 0)
    #expect(bench.pool.snapshot().numbers.waiting == 0)
  }

  @Test func nothingIsEmittedPerRequest() throws {
    let bench = try Bench()
    try bench.mustLease().release(.success)
    let before = bench.observer.events.count
    for _ in 0..<100 { try bench.mustLease().release(.success) }
    #expect(bench.observer.events.count == before)
  }

  /// Used on the test's thread only.
  private final class PoolBox: @unchecked Sendable {
    var pool: PoolDriver<ScriptedResource>?
  }
}
