import Logging
import NIOCore
import SluicePolicy

extension PoolEvent {
  /// What somebody may want to act on, once when it begins and once when it is over.
  fileprivate var level: Logger.Level {
    switch self {
    case .heartbeatFailing, .heartbeatRecovered: .notice
    default: .debug
    }
  }
}

/// Doing what was decided. Nothing is locked here.
extension PoolDriverCore {
  func run(_ effects: inout [Effect]) {
    // Observers first: what is done next may cause events of its own before it returns.
    for case .emit(let event, let sequence) in effects { publish(event, sequence: sequence) }
    for effect in effects { run(effect) }
    effects.removeAll(keepingCapacity: true)
    // Give the room back, and drop outside of the lock what was there instead.
    var list = consume(&effects)
    lock.withLock { $0.recycle(&list) }
  }

  private func consume(_ effects: inout [Effect]) -> [Effect] {
    var taken: [Effect] = []
    swap(&taken, &effects)
    return taken
  }

  private func run(_ effect: Effect) {
    switch effect {
    case .connect(let id, let origin, let identity, let loop, let deadline):
      connect(id, origin, identity: identity, on: loop, deadline: deadline)
    case .close(let resource, let loop, let reason):
      onLoop(loop) { resource.close(reason: reason) }
    case .verify(let resource, let id, let loop, let deadline):
      onLoop(loop) { resource.verify(deadline: deadline) { alive in self.verified(id, alive: alive) } }
    case .probe(let endpoint, let identity, let deadline):
      runProbe(endpoint, identity: identity, deadline: deadline)
    case .heartbeat(let resource, let id, let loop, let request):
      onLoop(loop) { self.runHeartbeat(request, on: resource, id) }
    case .grant(let recipient, let grant, let resource):
      let handover = PoolHandover(core: self, grant: grant, resource: resource)
      deliver(Delivery(holder: recipient.holder, answer: .granted(handover)), on: recipient.loop)
    case .reject(let recipient, let rejection):
      deliver(Delivery(holder: recipient.holder, answer: .rejected(rejection)), on: recipient.loop)
    case .arm(let deadline):
      timer.arm(deadline, for: self)
    case .emit:
      break
    case .disarm:
      timer.cancel()
    case .drained(let signals):
      for signal in signals { signal.fire(.drained) }
    }
  }

  func deliver(_ delivery: Delivery, on loop: LoopID?) {
    if let loop {
      lanes[loop.index].deliver(delivery)
    } else {
      delivery.deliver()
    }
  }

  /// Resources and connectors are called on their own loop only.
  func onLoop(_ loop: LoopID, _ body: @escaping @Sendable () -> Void) {
    let home = loops[loop.index]
    if home.inEventLoop {
      body()
    } else {
      home.execute(body)
    }
  }

  private func publish(_ event: PoolEvent, sequence: UInt64) {
    for observer in observers { observer.poolEvent(event, pool: name, sequence: sequence) }
    logger.log(
      level: event.level, "pool event",
      metadata: ["pool": "\(name)", "event": "\(event)", "sequence": "\(sequence)"])
  }

  private func runProbe(_ endpoint: EndpointID, identity: String, deadline: Instant) {
    guard let probe else {
      probeFinished(endpoint, .unavailable)
      return
    }
    onLoop(LoopID(rawValue: 0)) {
      probe.probe(endpoint, identity: identity, deadline: deadline) { result in self.probeFinished(endpoint, result) }
    }
  }

  /// Without anybody who knows of a free call the resource finds out for itself.
  private func runHeartbeat(_ request: HeartbeatRequest, on resource: any PoolableResource, _ id: ResourceID) {
    guard let probe else {
      return resource.verify(deadline: request.deadline) { self.heartbeatFinished(id, $0 ? .alive : .dead) }
    }
    probe.heartbeat(request, on: resource) { self.heartbeatFinished(id, $0) }
  }

  private func connect(
    _ id: ResourceID, _ origin: OriginID, identity: String, on loop: LoopID, deadline: Instant
  ) {
    let started = clock.now()
    let request = ConnectRequest(
      resource: id, origin: origin, originIdentity: identity, eventLoop: loops[loop.index], loop: loop,
      deadline: deadline, clock: clock, events: ResourceEvents(resource: id, sink: self))
    onLoop(loop) {
      self.connector.connectUntyped(request) { result in
        self.connectFinished(request, started: started, result)
      }
    }
  }
}
