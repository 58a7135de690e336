import SluicePolicy

/// A task that waits for a lease.
///
/// ```
/// new ──wait──▶ waiting ──answer──▶ answered
///   └──answer──▶ answered            (the answer came before the task suspended)
/// ```
/// Whoever answers first, pool or cancellation, wins; there is exactly one answer, because the pool either has the
/// ticket or has not: a cancellation counts only if the machine gave the ticket up.
///
/// A continuation cannot carry a move-only lease, so the answer is the hand-over, and the task makes the lease out of it.
final class AsyncTicket: PoolTicketHolder {
  enum Answer: Sendable {
    case granted(PoolHandover)
    case rejected(PoolRejection)
    case cancelled
  }

  private enum State: Sendable {
    case new
    case waiting(CheckedContinuation<Answer, Never>)
    case answered(Answer)
  }

  private let state = Lock(State.new)

  func receive(_ handover: PoolHandover) {
    answer(.granted(handover))
  }

  func rejected(_ rejection: PoolRejection) {
    answer(.rejected(rejection))
  }

  func answer(_ answer: Answer) {
    let continuation = state.withLock { state -> CheckedContinuation<Answer, Never>? in
      switch state {
      case .new:
        state = .answered(answer)
        return nil
      case .waiting(let continuation):
        state = .answered(answer)
        return continuation
      case .answered:
        preconditionFailure("a ticket is answered once")
      }
    }
    continuation?.resume(returning: answer)
  }

  func wait() async -> Answer {
    await withCheckedContinuation { continuation in
      let early = state.withLock { state -> Answer? in
        if case .answered(let answer) = state { return answer }
        state = .waiting(continuation)
        return nil
      }
      if let early { continuation.resume(returning: early) }
    }
  }
}
