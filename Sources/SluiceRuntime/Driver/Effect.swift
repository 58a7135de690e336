import SluicePolicy

/// What a decision asks to be done, with everything resolved under the lock that doing it needs.
///
/// Effects are collected while the lock is held and performed after it was given back, so none of them may look
/// anything up in the monitor.
enum Effect: Sendable {
  case connect(ResourceID, OriginID, identity: String, LoopID, deadline: Instant)
  case close(any PoolableResource, LoopID, CloseReason)
  case verify(any PoolableResource, ResourceID, LoopID, deadline: Instant)
  case probe(EndpointID, identity: String, deadline: Instant)
  case heartbeat(any PoolableResource, ResourceID, LoopID, HeartbeatRequest)
  case grant(Recipient, Grant, any PoolableResource)
  case reject(Recipient, PoolRejection)
  case arm(Instant)
  case disarm
  case emit(PoolEvent, sequence: UInt64)
  case drained([DrainSignal])
}
