import NIOCore
import SluicePolicy
import SluiceRuntime

/// Collects the answers of a callback that should be called once, and lets a task wait for the first.
final class Answers<Answer: Sendable>: Sendable {
  fileprivate struct State: Sendable {
    var first: Answer?
    var count = 0
    var waiter: EventLoopPromise<Bool>?
  }

  private let state = Guarded(State())

  var count: Int { state.withLock { $0.count } }

  func add(_ answer: Answer) {
    let waiter = state.withLock { state -> EventLoopPromise<Bool>? in
      state.count += 1
      if state.count == 1 { state.first = answer }
      return state.takeWaiter()
    }
    waiter?.succeed(true)
  }

  /// The first answer, or nil when none came in time. One caller at a time.
  func first(within limit: Interval, on loop: any EventLoop) async -> Answer? {
    let promise = loop.makePromise(of: Bool.self)
    let early = state.withLock { state -> Bool in
      if state.count > 0 { return true }
      state.waiter = promise
      return false
    }
    if early { promise.succeed(true) }
    let timeout = loop.scheduleTask(in: .nanoseconds(limit.nanoseconds)) {
      self.state.withLock { $0.takeWaiter() }?.succeed(false)
    }
    _ = try? await promise.futureResult.get()
    timeout.cancel()
    return state.withLock { $0.first }
  }

  /// Lets go of the answer.
  func forget() {
    state.withLock { $0.first = nil }
  }
}

extension Answers.State {
  fileprivate mutating func takeWaiter() -> EventLoopPromise<Bool>? {
    let taken = waiter
    waiter = nil
    return taken
  }
}

/// Stands where the pool would, and remembers what a resource reports.
final class RecordingSink: ResourceEventSink {
  private let end = Answers<Interval?>()
  private let late = Guarded(0)

  var closings: Int { end.count }
  var eventsAfterClose: Int { late.value }

  /// False when the end was not reported in time.
  func closed(within limit: Interval, on loop: any EventLoop) async -> Bool {
    await end.first(within: limit, on: loop) != nil
  }

  func resourceClosed(_ resource: ResourceID, idleFor: Interval?, reason: CloseReason) { end.add(idleFor) }
  func resourceCapacityChanged(_ resource: ResourceID, to capacity: Int) { noteLateness() }
  func resourceIdleLimitAnnounced(_ resource: ResourceID, _ limit: Interval) { noteLateness() }
  func resourceDraining(_ resource: ResourceID) { noteLateness() }

  private func noteLateness() {
    if end.count > 0 { late.withLock { $0 += 1 } }
  }
}
