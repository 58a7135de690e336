import NIOCore
import SluicePolicy
import SluiceRuntime
import SluiceTesting

/// What one worker saw.
struct StressTotals: Sendable {
  var finished = 0
  var granted = 0
  var rejected = 0
  var cancelled = 0
  var overlaps = 0
  var strayAnswers = 0

  mutating func add(_ other: StressTotals) {
    finished += other.finished
    granted += other.granted
    rejected += other.rejected
    cancelled += other.cancelled
    overlaps += other.overlaps
    strayAnswers += other.strayAnswers
  }
}

/// Wishes for leases on one loop, one after the other: keeps some for a turn of the loop, cancels some, breaks some.
// Sendable although it has bare state: touched on its loop only, and by the test after the loop's work is done.
final class StressWorker: @unchecked Sendable {
  enum Faults: Sendable {
    case none
    case deaths
  }

  let rounds: Int
  private(set) var totals = StressTotals()
  private let pool: PoolDriver<ScriptedResource>
  private let loop: LoopID
  private let eventLoop: any EventLoop
  private let faults: Faults
  private var random: SplitMix64
  private let done: EventLoopPromise<Void>

  init(pool: PoolDriver<ScriptedResource>, loop: LoopID, on eventLoop: any EventLoop, rounds: Int, faults: Faults) {
    self.pool = pool
    self.loop = loop
    self.eventLoop = eventLoop
    self.rounds = rounds
    self.faults = faults
    random = SplitMix64(seed: UInt64(loop.rawValue) + 7)
    done = eventLoop.makePromise()
  }

  func run() async {
    // Three wishes at a time, so that loops also compete with themselves.
    eventLoop.execute {
      for _ in 0..<3 { self.step() }
    }
    try? await done.futureResult.get()
  }

  private var started = 0

  private func step() {
    guard started < rounds else { return }
    started += 1
    let now = pool.clock.now()
    let request = AcquireRequest(loop: loop, deadline: now + .seconds(20), arrival: now)
    let waiter = Waiter(self)
    switch pool.acquire(request, waiter: waiter) {
    case .granted(let lease): use(lease)
    case .rejected: finish { $0.rejected += 1 }
    case .queued(let ticket):
      guard random.next() % 8 == 0, pool.cancel(ticket) else { return }
      waiter.expectsAnswer = false
      finish { $0.cancelled += 1 }
    }
  }

  fileprivate func use(_ lease: consuming Lease<ScriptedResource>) {
    if lease.resource.use(1) != 1 { totals.overlaps += 1 }
    let dice = random.next() % 16
    if dice < 8 {
      end(lease, dice)
    } else {
      let box = LeaseBox(lease)
      eventLoop.execute {
        if let lease = box.lease.take() { self.end(lease, dice) }
      }
    }
  }

  private func end(_ lease: consuming Lease<ScriptedResource>, _ dice: UInt64) {
    let resource = lease.resource
    resource.use(-1)
    if faults == .deaths && dice % 8 == 1 { resource.die() }
    if faults == .deaths && dice % 8 == 2 {
      lease.destroy(ExchangeReport(result: .success))
    } else {
      lease.release(ExchangeReport(result: .success))
    }
    finish { $0.granted += 1 }
  }

  fileprivate func finish(_ count: (inout StressTotals) -> Void) {
    count(&totals)
    totals.finished += 1
    if totals.finished == rounds {
      done.succeed()
    } else {
      // Not from here: a long row of grants at once would become a deep stack.
      eventLoop.execute { self.step() }
    }
  }

  fileprivate func noteStray() { totals.strayAnswers += 1 }

  /// Handed from one turn of the loop to the next.
  // Sendable although it has bare state: the worker's loop fills it and, one turn later, empties it.
  private final class LeaseBox: @unchecked Sendable {
    var lease: Lease<ScriptedResource>?

    init(_ lease: consuming Lease<ScriptedResource>) {
      self.lease = consume lease
    }
  }

  /// Gives the pool's answer to its worker.
  // Sendable although it has bare state: the worker sets it on its loop, and the pool answers on the loop named in the
  // request, which is the same one; an answer from elsewhere is what `checkAnswer` is there to find.
  private final class Waiter: PoolWaiter, @unchecked Sendable {
    private let worker: StressWorker
    var expectsAnswer = true

    init(_ worker: StressWorker) {
      self.worker = worker
    }

    func granted(_ lease: consuming Lease<ScriptedResource>) {
      checkAnswer()
      worker.use(lease)
    }

    func rejected(_ rejection: PoolRejection) {
      checkAnswer()
      worker.finish { $0.rejected += 1 }
    }

    private func checkAnswer() {
      if !expectsAnswer || !worker.eventLoop.inEventLoop { worker.noteStray() }
      expectsAnswer = false
    }
  }
}

/// Leases from a task, some of them cancelled while they wait.
struct StressTask: Sendable {
  private let pool: PoolDriver<ScriptedResource>
  private let seed: UInt64

  init(_ pool: PoolDriver<ScriptedResource>, seed: UInt64) {
    self.pool = pool
    self.seed = seed
  }

  func run(rounds: Int) async {
    var random = SplitMix64(seed: seed)
    for _ in 0..<rounds {
      let cancels = random.next() % 4 == 0
      await withTaskGroup(of: Void.self) { group in
        group.addTask { [pool] in
          try? await pool.withLease(timeout: .seconds(20)) { resource in
            resource.use(1)
            await Task.yield()
            resource.use(-1)
          }
        }
        if cancels { group.cancelAll() }
      }
    }
  }
}
