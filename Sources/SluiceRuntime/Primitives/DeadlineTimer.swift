package import NIOCore
package import SluicePolicy

/// Told when a deadline has come. Early and repeated calls have to be harmless.
package protocol DeadlineTarget: AnyObject, Sendable {
  func deadlineCame()
}

/// One timer for everything a driver waits for, living on one event loop.
///
/// It is armed anew only when the wanted moment moves earlier; a moment that moved later lapses lazily: the timer fires
/// too early once, the owner looks at its deadlines and arms again. So a pool that is used all the time touches the
/// loop's timer heap about once per period and not once per request.
///
/// While armed it keeps its target alive; after firing or `cancel` it does not.
// Sendable although it has bare state: everything below `state` is touched on `loop` only.
package final class DeadlineTimer: @unchecked Sendable {
  private let loop: any EventLoop
  private let clock: any MonotonicClock

  private var scheduled: NIOScheduledCallback?
  private var deadline = Instant.distantFuture
  private var target: (any DeadlineTarget)?

  package init(loop: any EventLoop, clock: any MonotonicClock) {
    self.loop = loop
    self.clock = clock
  }

  /// Makes sure that the target is told at `deadline` or before. From any thread.
  package func arm(_ deadline: Instant, for target: any DeadlineTarget) {
    if loop.inEventLoop {
      armOnLoop(deadline, for: target)
    } else {
      loop.execute { self.armOnLoop(deadline, for: target) }
    }
  }

  /// Forgets the deadline. From any thread.
  package func cancel() {
    if loop.inEventLoop {
      cancelOnLoop()
    } else {
      loop.execute { self.cancelOnLoop() }
    }
  }

  private func armOnLoop(_ deadline: Instant, for target: any DeadlineTarget) {
    if scheduled != nil && self.deadline <= deadline { return }
    scheduled?.cancel()
    let wait = max(.zero, deadline - clock.now())
    let moment = loop.now + .nanoseconds(wait.nanoseconds)
    // Refused only by a loop that shuts down, and with it everything that could come due.
    scheduled = try? loop.scheduleCallback(at: moment, handler: self)
    self.deadline = deadline
    self.target = scheduled == nil ? nil : target
  }

  private func cancelOnLoop() {
    scheduled?.cancel()
    lapse()
  }

  private func lapse() {
    scheduled = nil
    target = nil
    deadline = .distantFuture
  }
}

extension DeadlineTimer: NIOScheduledCallbackHandler {
  package func handleScheduledCallback(eventLoop: some EventLoop) {
    let target = target
    lapse()
    target?.deadlineCame()
  }
}
