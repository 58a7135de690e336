import NIOCore
import NIOEmbedded
import SluicePolicy
import SluiceRuntime
import SluiceTesting
import Testing

@Suite struct WaiterTests {
  typealias Waiter = RecordingWaiter<ScriptedResource>

  @Test func aWaiterIsServedWhenALeaseComesBack() throws {
    let bench = try Bench()
    let lease = try bench.mustLease()
    let waiter = Waiter()
    #expect(bench.wait(waiter) != nil)
    lease.release(.success)
    let granted = try waiter.mustTake()
    #expect(granted.grant.reused)
    granted.release(.success)
    #expect(waiter.grants == 1)
    #expect(waiter.rejections.isEmpty)
  }

  @Test func nobodyIsAnsweredFromInsideAcquire() throws {
    let bench = try Bench()
    let waiter = Waiter()
    // The scripted connector answers at once, so the grant is decided before acquire returns.
    #expect(bench.wait(waiter) != nil)
    #expect(waiter.grants == 0)
    bench.loop.run()
    #expect(waiter.grants == 1)
    waiter.take()?.release(.success)
  }

  @Test func aCancelledTicketIsNotAnswered() throws {
    let bench = try Bench()
    let lease = try bench.mustLease()
    let waiter = Waiter()
    let ticket = try #require(bench.wait(waiter))
    #expect(bench.pool.cancel(ticket))
    #expect(bench.pool.cancel(ticket) == false, "a ticket is given up once")
    lease.release(.success)
    bench.loop.run()
    #expect(waiter.grants == 0)
    #expect(waiter.rejections.isEmpty)
    #expect(bench.pool.snapshot().numbers.idle == 1)
  }

  @Test func cancellingAfterTheGrantIsTooLateAndTheGrantStillComes() throws {
    let bench = try Bench()
    let waiter = Waiter()
    let ticket = try #require(bench.wait(waiter))
    #expect(bench.pool.cancel(ticket) == false)
    bench.loop.run()
    #expect(waiter.grants == 1)
    waiter.take()?.release(.success)
  }

  @Test func whoWaitsPastTheDeadlineIsRejectedOnTime() throws {
    let bench = try Bench()
    let lease = try bench.mustLease()
    let waiter = Waiter()
    #expect(bench.wait(waiter, within: .seconds(2)) != nil)
    bench.advance(by: .milliseconds(1999))
    #expect(waiter.rejections.isEmpty)
    bench.advance(by: .milliseconds(1))
    #expect(waiter.rejections.map(\.reason) == [.deadline])
    lease.release(.success)
    #expect(waiter.grants == 0)
  }

  @Test func aFullQueueRefusesAtOnce() throws {
    let bench = try Bench(.test(queue: 2))
    let lease = try bench.mustLease()
    let waiters = [Waiter(), Waiter(), Waiter()]
    #expect(bench.wait(waiters[0]) != nil)
    #expect(bench.wait(waiters[1]) != nil)
    switch bench.pool.acquire(bench.request(), waiter: waiters[2]) {
    case .rejected(let rejection):
      #expect(rejection.reason == .queueFull)
      #expect(rejection.numbers.waiting == 2)
    case .granted:
      Issue.record("a third one may not wait")
    case .queued:
      Issue.record("a third one may not wait")
    }
    lease.release(.success)
    for waiter in waiters { waiter.take()?.release(.success) }
  }

  @Test func aLongQueueOfWaitersThatReleaseAtOnceDoesNotNest() throws {
    let count = 20_000
    let bench = try Bench(.test(queue: count))
    let lease = try bench.mustLease()
    let depth = Depth()
    var waiters: [Waiter] = []
    for _ in 0..<count {
      let waiter = Waiter { lease in
        depth.enter()
        lease.release(.success)
        depth.leave()
      }
      #expect(bench.wait(waiter) != nil)
      waiters.append(waiter)
    }
    lease.release(.success)
    #expect(depth.entered == count)
    #expect(depth.deepest == 1)
    #expect(waiters.allSatisfy { $0.grants == 1 })
  }

  @Test func closingRejectsEveryoneWhoWaits() throws {
    let bench = try Bench()
    let lease = try bench.mustLease()
    let waiters = (0..<10).map { _ in Waiter() }
    for waiter in waiters { #expect(bench.wait(waiter) != nil) }
    bench.pool.close()
    for waiter in waiters { #expect(waiter.rejections.map(\.reason) == [.closed]) }
    lease.release(.success)
    #expect(waiters.allSatisfy { $0.grants == 0 })
  }

  @Test func aPausedPoolLetsPeopleWait() throws {
    let bench = try Bench()
    try bench.mustLease().release(.success)
    bench.pool.pause()
    let waiter = Waiter()
    #expect(bench.wait(waiter) != nil)
    bench.loop.run()
    #expect(waiter.grants == 0)
    bench.pool.resume()
    #expect(waiter.grants == 1)
    waiter.take()?.release(.success)
  }

  private final class Depth {
    var now = 0
    var deepest = 0
    var entered = 0

    func enter() {
      now += 1
      entered += 1
      deepest = max(deepest, now)
    }

    func leave() { now -= 1 }
  }
}
