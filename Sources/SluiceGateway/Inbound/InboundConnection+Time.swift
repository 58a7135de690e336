import NIOCore
import SluiceDialects
import SluicePolicy
import SluiceRuntime

/// What happens when time passes: one timer for whatever is due first, and the ends that come from outside.
extension InboundConnection {
  func setDeadline(_ moment: Instant) {
    deadline = moment
    deadlineMoved(moment)
  }

  /// Makes sure that `deadlineCame` is called by then; later moments are found when the timer fires.
  func deadlineMoved(_ moment: Instant) {
    guard moment < armed else { return }
    armed = moment
    timer.arm(moment, for: self)
  }

  func deadlineCame() {
    armed = .distantFuture
    guard phase != .closed else { return }
    let now = loop.clock.now()
    if let exchange, exchange.isActive {
      exchange.deadlineCame(now)
      if let exchange = self.exchange, exchange.isActive { deadlineMoved(exchange.nextDeadline) }
    } else if now >= deadline {
      expired()
    }
    if phase != .closed, phase != .answering || awaitedAnswer != nil {
      deadlineMoved(max(deadline, now + .milliseconds(1)))
    }
  }

  private func expired() {
    switch phase {
    case .head where began == nil, .lingering: closeUnlessTaking()
    case .head, .body:
      let surface = request?.match.surface ?? .openai
      isLastRequest = true
      dropRequest()
      answer(GatewayError(.requestTimeout), surface: surface)
    case .answering:
      guard let id = awaitedAnswer else { return }
      awaitedAnswer = nil
      administratorIsLate(id)
    case .closed: break
    }
  }

  /// The clock of an idle client runs from when its answer was written. One that is still taking the answer gets
  /// another term, as long as each term leaves less to be sent.
  private func closeUnlessTaking() {
    let left = unsent
    guard left > 0, left < unsentBefore else { return close() }
    unsentBefore = left
    setDeadline(loop.clock.now() + limits.idleTimeout)
  }

  /// Bytes of answers that wait here because the client has not taken those before.
  private var unsent: Int {
    (try? context?.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
  }

  func drain() {
    switch phase {
    case .head where began == nil && unsent > 0: closeAfterAnswer(loop.clock.now())
    case .head where began == nil: close()
    case .head, .body, .answering, .lingering, .closed: break
    }
  }

  func abort() {
    if let exchange, exchange.isActive {
      exchange.shutDown()
    } else if phase != .lingering {
      close()
    }
  }
}
