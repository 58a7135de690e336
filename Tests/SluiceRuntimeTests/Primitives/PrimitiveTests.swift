import NIOCore
import NIOPosix
import SluicePolicy
import SluiceRuntime
import SluiceTesting
import Testing

@Suite struct LockTests {
  @Test func changesAreNotLost() async {
    let counter = Guarded(0)
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<4 {
        group.addTask {
          for _ in 0..<10_000 { counter.withLock { $0 += 1 } }
        }
      }
    }
    #expect(counter.value == 40_000)
    #expect(counter.replace(with: 1) == 40_000)
    #expect(counter.value == 1)
  }

  @Test func aThrowingBodyGivesTheLockBack() {
    struct Failure: Error {}
    let guarded = Guarded(0)
    #expect(throws: Failure.self) {
      try guarded.withLock { value throws(Failure) in
        value = 1
        throw Failure()
      }
    }
    #expect(guarded.value == 1)
  }
}

@Suite struct LoopLocalTests {
  @Test func everyLoopHasItsOwnValue() async throws {
    let loops = Array(MultiThreadedEventLoopGroup.singleton.makeIterator())
    let counters = LoopLocal(loops: loops) { $0.index * 1000 }
    for (index, loop) in loops.enumerated() {
      try await loop.submit {
        for _ in 0...index { counters.withValue(on: LoopID(index)) { $0 += 1 } }
      }.get()
    }
    #expect(try await counters.values() == loops.indices.map { $0 * 1000 + $0 + 1 })
    #expect(try await counters.collect(on: loops[0]).get().count == loops.count)
  }
}

@Suite struct BlockingThreadTests {
  @Test func jobsRunInOrderOnOneThread() async throws {
    let thread = BlockingThread(capacity: 100)
    let order = Guarded<[Int]>([])
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<50 {
        group.addTask { try await thread.run { order.withLock { $0.append(number) } } }
      }
      try await group.waitForAll()
    }
    #expect(order.value.sorted() == Array(0..<50))
  }

  @Test func errorsComeBack() async {
    struct Failure: Error {}
    let thread = BlockingThread(capacity: 1)
    await #expect(throws: Failure.self) { try await thread.run { throw Failure() } }
  }

  @Test func theQueueIsBoundedAndCancellationFreesTheTask() async throws {
    let thread = BlockingThread(capacity: 1)
    let gate = Gate()
    async let running: Void = thread.run { gate.wait() }
    #expect(await eventually { gate.isWaiting })
    let queued = Task { try await thread.run { 1 } }
    #expect(await eventually { thread.waitingJobs == 1 })
    await #expect(throws: BlockingThread.Refusal.queueFull) { try await thread.run { 2 } }
    queued.cancel()
    await #expect(throws: CancellationError.self) { try await queued.value }
    // The place of the cancelled one is free, although the thread is still busy.
    let next = Task { try await thread.run { 3 } }
    #expect(await eventually { thread.waitingJobs == 1 })
    gate.open()
    #expect(try await next.value == 3)
    try await running
  }

  @Test func afterShutdownJobsAreRefused() async {
    let thread = BlockingThread(capacity: 1)
    thread.shutdown()
    thread.shutdown()
    await #expect(throws: BlockingThread.Refusal.closed) { try await thread.run { 1 } }
  }

  /// Holds the blocking thread until the test lets it go.
  private final class Gate: Sendable {
    private let state = Guarded((waiting: false, open: false))
    var isWaiting: Bool { state.value.waiting }

    func wait() {
      state.withLock { $0.waiting = true }
      while !state.value.open {}
    }

    func open() { state.withLock { $0.open = true } }
  }
}
