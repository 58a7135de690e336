/// Everything a machine may ask of its driver. An action names only what its decision reserved, so actions may be
/// performed in any order, and each is answered by the event named with it, whenever that comes.
public enum PoolAction: Hashable, Sendable {
  /// Open a resource; answer with `connectSucceeded` or `connectFailed`.
  case connect(ResourceID, OriginID, LoopID, deadline: Instant)
  /// Close a resource, or give up opening it; answer with `resourceClosed` (or `connectFailed`).
  case close(ResourceID, CloseReason)
  /// Unused for too long to be trusted; answer with `verified`.
  case verify(ResourceID, deadline: Instant)
  /// Ask the endpoint whether it works; answer with `probeFinished`.
  case probe(EndpointID, deadline: Instant)
  /// Prove on this very resource that the path is there, on the endpoint's behalf; answer with `heartbeatFinished`.
  case heartbeat(ResourceID, EndpointID, HeartbeatScope, deadline: Instant)
  case grant(TicketID, Grant)
  case reject(TicketID, PoolRejection)
  /// Call `deadlineReached` then. Replaces an earlier wish; calling early or more often is harmless.
  case armDeadline(Instant)
  case emit(PoolEvent)
}
