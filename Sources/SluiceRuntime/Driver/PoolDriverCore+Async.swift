import Logging
public import SluicePolicy

/// Leases for tasks: tried at once, suspended only when queued.
extension PoolDriverCore {
  enum TaskOutcome: Sendable {
    case granted(PoolHandover)
    case queued(TicketID, AsyncTicket)
    case rejected(PoolRejection)
  }

  func acquireForTask(_ request: AcquireRequest) -> TaskOutcome {
    perform { state in
      switch state.machine.acquire(request, now: state.now, into: &state.actions) {
      case .granted(let grant):
        return .granted(PoolHandover(core: self, grant: grant, resource: state.resources.granted(grant.resource)))
      case .queued(let ticket):
        // Made only now, so that a lease that is granted at once costs nothing.
        let waiter = AsyncTicket()
        state.tickets.insert(Recipient(holder: waiter, loop: nil), for: ticket)
        return .queued(ticket, waiter)
      case .rejected(let rejection):
        return .rejected(rejection)
      }
    }
  }

  /// A lease for the calling task, still without its type.
  @usableFromInline
  package func lease(_ request: AcquireRequest, fallback: LeaseOptions.Fallback) async throws(PoolError) -> PoolHandover
  {
    if Task.isCancelled { throw .cancelled(pool: name) }
    switch acquireForTask(request) {
    case .granted(let handover):
      return handover
    case .queued(let ticket, let waiter):
      return try await settle(await wait(for: ticket, waiter), request, fallback)
    case .rejected(let rejection):
      return try await settle(.rejected(rejection), request, fallback)
    }
  }

  private func wait(for ticket: TicketID, _ waiter: AsyncTicket) async -> AsyncTicket.Answer {
    await withTaskCancellationHandler {
      await waiter.wait()
    } onCancel: {
      // True: the pool will say nothing more about this ticket, so the answer is ours to give.
      if cancel(ticket) { waiter.answer(.cancelled) }
    }
  }

  private func settle(
    _ answer: AsyncTicket.Answer, _ request: AcquireRequest, _ fallback: LeaseOptions.Fallback
  ) async throws(PoolError) -> PoolHandover {
    switch answer {
    case .granted(let handover):
      guard Task.isCancelled else { return handover }
      lock.withLock { $0.counters.returnedOnCancel += 1 }
      release(handover.grant, .unused, direct: handover.direct)
      throw .cancelled(pool: name)
    case .cancelled:
      throw .cancelled(pool: name)
    case .rejected(let rejection):
      guard fallback == .asConfigured, rejection.reason.allowsDirect else { throw PoolError(rejection, pool: name) }
      return try await leaseDirect(request, instead: rejection)
    }
  }

  private func leaseDirect(
    _ request: AcquireRequest, instead rejection: PoolRejection
  ) async throws(PoolError) -> PoolHandover {
    let waiter = AsyncTicket()
    if openDirect(request, Recipient(holder: waiter, loop: nil)) != nil {
      throw PoolError(rejection, pool: name)
    }
    switch await waiter.wait() {
    case .granted(let handover) where Task.isCancelled:
      release(handover.grant, .unused, direct: handover.direct)
      throw .cancelled(pool: name)
    case .granted(let handover):
      return handover
    case .rejected(let rejection):
      throw PoolError(rejection, pool: name)
    case .cancelled:
      throw .cancelled(pool: name)
    }
  }

  /// Drains and waits for it. A cancelled task loses patience at once.
  package func drain(within limit: Interval) async -> DrainResult {
    let signal = DrainSignal()
    perform { state in
      state.drainSignals.append(signal)
      state.drain(within: limit)
    }
    return await withTaskCancellationHandler {
      await signal.wait()
    } onCancel: {
      perform { $0.closeByForce() }
    }
  }
}
