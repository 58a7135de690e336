import NIOCore
import SluicePolicy

/// A one-off connection beside the pool, for a caller whose pool cannot serve. Closed when its lease ends.
@usableFromInline
package final class DirectLease: Sendable {
  let resource: any PoolableResource
  let loop: LoopID

  init(resource: any PoolableResource, loop: LoopID) {
    self.resource = resource
    self.loop = loop
  }
}

extension PoolDriverCore {
  /// Opens a one-off connection if the settings allow it; nil when the recipient will be answered, once.
  func openDirect(_ request: AcquireRequest, _ recipient: Recipient) -> PoolRejection? {
    let plan = lock.withLock { $0.planDirect(request, clock: clock, sink: DeafSink.shared, loops: loops) }
    switch plan {
    case .refused(let rejection):
      return rejection
    case .open(let connect, let grant):
      let attempt = DirectAttempt(core: self, grant: grant, recipient: recipient, loop: connect.loop)
      onLoop(connect.loop) {
        attempt.watch(connect)
        self.connector.connectUntyped(connect) { attempt.connectFinished($0) }
      }
      return nil
    }
  }

  func finish(_ direct: DirectLease) {
    lock.withLock { $0.directCount -= 1 }
    onLoop(direct.loop) { direct.resource.close(reason: .recycled) }
  }

  func directGivenUp() {
    lock.withLock { $0.directCount -= 1 }
  }
}

extension DriverState {
  enum DirectPlan: Sendable {
    case open(ConnectRequest, Grant)
    case refused(PoolRejection)
  }

  /// Chooses where a one-off connection goes: the pinned endpoint, or the first that is not excluded. They are bounded
  /// like the pool's own.
  mutating func planDirect(
    _ request: AcquireRequest, clock: any MonotonicClock, sink: any ResourceEventSink, loops: [any EventLoop]
  ) -> DirectPlan {
    guard settings.fallbackDirect else { return .refused(PoolRejection(reason: .closed)) }
    guard directCount < settings.connections.poolMax else { return .refused(PoolRejection(reason: .queueFull)) }
    let chosen = layout.endpoints.firstIndex { id in
      request.pinned.map { $0 == id } ?? !request.excluding.contains(id)
    }
    guard let chosen else { return .refused(PoolRejection(reason: .notAllowed)) }
    directCount += 1
    directSequence &+= 1
    counters.directOpened += 1
    let endpoint = settings.endpoints[chosen]
    let origin = layout.origins[endpoint.origin]
    let id = ResourceID(index: .max, generation: directSequence)
    let connect = ConnectRequest(
      resource: id, origin: origin, originIdentity: settings.origins[endpoint.origin].identity,
      eventLoop: loops[request.loop.index], loop: request.loop,
      deadline: min(request.deadline, now + settings.connections.connectTimeout), clock: clock,
      events: ResourceEvents(resource: id, sink: sink))
    let grant = Grant(
      lease: LeaseID(index: .max, generation: directSequence), resource: id, endpoint: layout.endpoints[chosen],
      origin: origin, loop: request.loop, reused: false, waited: .zero)
    return .open(connect, grant)
  }
}

/// One attempt to open a one-off connection: the connector and the deadline race, the first one answers.
private final class DirectAttempt: Sendable {
  private let core: PoolDriverCore
  private let grant: Grant
  private let loop: LoopID
  private let recipient: Lock<Recipient?>

  init(core: PoolDriverCore, grant: Grant, recipient: Recipient, loop: LoopID) {
    self.core = core
    self.grant = grant
    self.loop = loop
    self.recipient = Lock(recipient)
  }

  /// A connector should honour the deadline itself; nobody waits for one that does not.
  func watch(_ request: ConnectRequest) {
    request.eventLoop.scheduleTask(deadline: request.loopDeadline) { self.refuse(.deadline, cause: .timeout) }
  }

  func connectFinished(_ result: Result<UntypedConnected, PoolConnectError>) {
    switch result {
    case .failure(let error):
      refuse(.connectFailed, cause: error.failure)
    case .success(let connected):
      guard let recipient = take() else {
        core.onLoop(loop) { connected.resource.close(reason: .cancelled) }
        return
      }
      let direct = DirectLease(resource: connected.resource, loop: loop)
      let handover = PoolHandover(core: core, grant: grant, resource: connected.resource, direct: direct)
      core.deliver(Delivery(holder: recipient.holder, answer: .granted(handover)), on: recipient.loop)
    }
  }

  private func refuse(_ reason: RejectionReason, cause: FailureClass) {
    guard let recipient = take() else { return }
    core.directGivenUp()
    let rejection = PoolRejection(reason: reason, cause: cause)
    core.deliver(Delivery(holder: recipient.holder, answer: .rejected(rejection)), on: recipient.loop)
  }

  private func take() -> Recipient? {
    recipient.withLock { recipient in
      let taken = recipient
      recipient = nil
      return taken
    }
  }
}

/// Nobody learns from a one-off connection.
private final class DeafSink: ResourceEventSink {
  static let shared = DeafSink()

  func resourceClosed(_ resource: ResourceID, idleFor: Interval?, reason: CloseReason) {}
  func resourceCapacityChanged(_ resource: ResourceID, to capacity: Int) {}
  func resourceIdleLimitAnnounced(_ resource: ResourceID, _ limit: Interval) {}
  func resourceDraining(_ resource: ResourceID) {}
}
