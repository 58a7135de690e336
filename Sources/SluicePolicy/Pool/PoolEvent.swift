/// What observers may want to know. Never emitted per request: those are counted, see `PoolSnapshot`.
public enum PoolEvent: Hashable, Sendable {
  case resourceOpened(ResourceID, OriginID, connectTime: Interval)
  case resourceClosed(ResourceID, OriginID, CloseReason)
  case connectFailed(OriginID, FailureClass, retryIn: Interval)
  /// No connection is open and none can be opened.
  case originDisconnected(OriginID)
  case originReconnected(OriginID)
  /// The remote side closes connections that were idle for about so long.
  case idleLimitLearned(OriginID, Interval)
  case endpointEjected(EndpointID, until: Instant)
  /// Should be out, but too many others are: goes on behind the healthy ones.
  case endpointFailing(EndpointID)
  /// Serves again, slowly at first.
  case endpointRecovered(EndpointID)
  case endpointCooling(EndpointID, until: Instant)
  case endpointCooled(EndpointID)
  case credentialRejected(EndpointID, FailureClass)
  /// The first heartbeat that failed after one that did not.
  case heartbeatFailing(EndpointID, FailureClass)
  /// A heartbeat ended well after some that had failed.
  case heartbeatRecovered(EndpointID)
  /// A resource had been silent for so long and was found dead: something on the way forgets silent flows, or the
  /// remote side vanished.
  case pathDied(OriginID, after: Interval)
  case endpointReset(EndpointID)
  case endpointDraining(EndpointID)
  case endpointResumed(EndpointID)
  case endpointRemoved(EndpointID)
  /// Another region serves: its index among the regions in the order of the settings.
  case regionChanged(index: Int)
  /// Nothing healthy is left for some request: the least bad serves. `false`: over.
  case panic(Bool)
  case paused
  case resumed
  case draining
  case drained
  case closed
  case reconfigured
  /// The new settings were not valid; nothing was changed.
  case reconfigurationRefused
  case clockJumped(Interval)
}
