/// How a drain ended.
public enum DrainResult: Hashable, Sendable {
  /// Every lease came back and every resource is closed.
  case drained
  /// Time ran out: what was still lent or open has been told to close, and something has not confirmed it.
  case closedByForce
}

/// One task that waits for the end of a drain. Fired once, before or after it began to wait.
final class DrainSignal: Sendable {
  private enum State: Sendable {
    case new
    case waiting(CheckedContinuation<DrainResult, Never>)
    case fired(DrainResult)
  }

  private let state = Lock(State.new)

  func fire(_ result: DrainResult) {
    let continuation = state.withLock { state -> CheckedContinuation<DrainResult, Never>? in
      switch state {
      case .new:
        state = .fired(result)
        return nil
      case .waiting(let continuation):
        state = .fired(result)
        return continuation
      case .fired:
        return nil
      }
    }
    continuation?.resume(returning: result)
  }

  func wait() async -> DrainResult {
    await withCheckedContinuation { continuation in
      let early = state.withLock { state -> DrainResult? in
        if case .fired(let result) = state { return result }
        state = .waiting(continuation)
        return nil
      }
      if let early { continuation.resume(returning: early) }
    }
  }
}
