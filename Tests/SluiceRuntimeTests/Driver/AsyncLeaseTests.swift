import NIOCore
import NIOPosix
import SluicePolicy
import SluiceRuntime
import SluiceTesting
import Testing

@Suite struct AsyncLeaseTests {
  private func makePool(
    _ settings: PoolSettings = .unhurried(), _ connector: ScriptedConnector = ScriptedConnector()
  ) throws -> PoolDriver<ScriptedResource> {
    try PoolDriver(
      settings: settings, loops: Array(MultiThreadedEventLoopGroup.singleton.makeIterator()), connector: connector)
  }

  @Test func aLeaseIsWaitedForAndHandedOn() async throws {
    let pool = try makePool()
    let first = try await pool.lease()
    async let second = pool.withLease { $0.number }
    #expect(await eventually { pool.snapshot().numbers.waiting == 1 })
    first.release(.success)
    #expect(try await second == 0)
    #expect(pool.snapshot().counters.released == 2)
    #expect(await pool.drain(within: .hours(1)) == .drained)
  }

  @Test func aCancelledTaskLeavesTheQueue() async throws {
    let pool = try makePool()
    let held = try await pool.lease()
    let task = Task { try await pool.withLease { $0.number } }
    #expect(await eventually { pool.snapshot().numbers.waiting == 1 })
    task.cancel()
    let error = await #expect(throws: PoolError.self) { try await task.value }
    #expect(error?.code == .cancelled)
    #expect(error?.culprit == .caller)
    #expect(pool.snapshot().numbers.waiting == 0)
    #expect(pool.snapshot().counters.cancelled == 1)
    held.release(.success)
    #expect(await pool.drain(within: .hours(1)) == .drained)
  }

  @Test func aTaskThatIsCancelledBeforeItAsksGetsNothing() async throws {
    let pool = try makePool()
    let task = Task {
      while !Task.isCancelled { await Task.yield() }
      return try await pool.withLease { $0.number }
    }
    task.cancel()
    await #expect(throws: PoolError.self) { try await task.value }
    #expect(pool.snapshot().counters.acquired == 0)
  }

  /// The grant and the cancellation race; whoever wins, the slot is not lost and the task ends once.
  @Test func aGrantThatMeetsACancellationGoesBack() async throws {
    let pool = try makePool()
    for _ in 0..<500 {
      let held = try await pool.lease()
      let task = Task { try await pool.withLease { $0.number } }
      #expect(await eventually { pool.snapshot().numbers.waiting == 1 })
      async let cancelled: Void = task.cancel()
      held.release(.success)
      await cancelled
      do {
        _ = try await task.value
      } catch let error as PoolError {
        #expect(error.code == .cancelled)
      }
      #expect(pool.snapshot().numbers.leased == 0)
      #expect(pool.snapshot().numbers.waiting == 0)
    }
    #expect(await pool.drain(within: .hours(1)) == .drained)
  }

  @Test func aRefusalTellsWhatWhoAndWhetherToRetry() async throws {
    let pool = try makePool(.unhurried(queue: 0))
    let held = try await leaseOrWarm(pool)
    let error = await #expect(throws: PoolError.self) { try await pool.withLease { _ in } }
    #expect(error?.code == .rejected)
    #expect(error?.label == "queue_full")
    #expect(error?.culprit == .pool)
    #expect(error?.retry == .safe(after: nil))
    #expect(error?.numbers?.leased == 1)
    #expect(error.map { "\($0)" } == "pool test: queue_full (leased 1, idle 0, connecting 0, waiting 0, max 1)")
    held.release(.success)
  }

  /// With no room to wait, the first lease needs a resource that is open already.
  private func leaseOrWarm(_ pool: PoolDriver<ScriptedResource>) async throws -> Lease<ScriptedResource> {
    let warm = PoolSettings.unhurried(min: 1, queue: 0)
    try pool.reconfigure(warm)
    #expect(await eventually { pool.snapshot().numbers.idle == 1 })
    return try await pool.lease()
  }

  @Test func whoThrowsClosesTheResourceUnlessTheErrorKnowsBetter() async throws {
    let connector = ScriptedConnector()
    let pool = try makePool(.unhurried(), connector)
    struct Unknown: Error {}
    struct Known: ExchangeFailure {
      let failureClass = FailureClass.rateLimited
      let resourceIsReusable = true
    }
    await #expect(throws: Known.self) { try await pool.withLease { _ in throw Known() } }
    #expect(connector.resources[0].closeReasons.isEmpty)
    await #expect(throws: Unknown.self) { try await pool.withLease { _ in throw Unknown() } }
    #expect(await eventually { connector.resources[0].closeReasons == [.broken] })
    #expect(await pool.drain(within: .hours(1)) == .drained)
  }

  @Test func aWaitIsBoundedByItsTimeout() async throws {
    let pool = try makePool()
    let held = try await pool.lease()
    let error = await #expect(throws: PoolError.self) {
      try await pool.withLease(timeout: .milliseconds(20)) { _ in }
    }
    #expect(error?.label == "deadline")
    held.release(.success)
  }

  @Test func resourcesAreCalledOnTheirOwnLoopOnly() async throws {
    let connector = LoopCheckingConnector()
    let pool = try PoolDriver(
      settings: .unhurried(max: 4), loops: Array(MultiThreadedEventLoopGroup.singleton.makeIterator()),
      connector: connector)
    for _ in 0..<20 {
      let lease = try await pool.lease()
      lease.destroy(.success)
    }
    #expect(await pool.drain(within: .hours(1)) == .drained)
    #expect(connector.strayCalls == 0)
    #expect(connector.calls >= 40)
  }
}

/// Counts calls that came on another loop than the resource's.
private final class LoopCheckingConnector: ResourceConnector {
  final class Resource: PoolableResource {
    let request: ConnectRequest
    let connector: LoopCheckingConnector
    private let isClosed = Guarded(false)

    init(_ request: ConnectRequest, _ connector: LoopCheckingConnector) {
      self.request = request
      self.connector = connector
    }

    func close(reason: CloseReason) {
      connector.note(request)
      if !isClosed.replace(with: true) { request.events.closed(idleFor: nil) }
    }

    func verify(deadline: Instant, _ done: @escaping @Sendable (Bool) -> Void) {
      connector.note(request)
      done(!isClosed.value)
    }
  }

  private let counts = Guarded((calls: 0, stray: 0))
  var calls: Int { counts.value.calls }
  var strayCalls: Int { counts.value.stray }

  func connect(
    _ request: ConnectRequest, _ done: @escaping @Sendable (Result<Connected<Resource>, PoolConnectError>) -> Void
  ) {
    note(request)
    done(.success(Connected(resource: Resource(request, self))))
  }

  func note(_ request: ConnectRequest) {
    let isHome = request.eventLoop.inEventLoop
    counts.withLock { counts in
      counts.calls += 1
      if !isHome { counts.stray += 1 }
    }
  }
}
