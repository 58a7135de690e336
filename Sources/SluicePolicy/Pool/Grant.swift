/// A lent slot: which resource, on whose behalf (endpoint), and where it lives.
public struct Grant: Hashable, Sendable {
  /// Names the slot when it is released, which has to happen once.
  public var lease: LeaseID
  /// Where the slot is; a multiplexed resource is in several grants at a time.
  public var resource: ResourceID
  /// Whose credential the exchange uses and whose health its report counts for.
  public var endpoint: EndpointID
  /// The endpoint's origin, which the resource is connected to.
  public var origin: OriginID
  /// The resource's home. Not always the caller's loop: then the exchange is relayed.
  public var loop: LoopID
  /// The resource has served before.
  public var reused: Bool
  /// From `AcquireRequest.arrival` to the grant.
  public var waited: Interval

  /// Made by the machine for each slot that it lends.
  public init(
    lease: LeaseID, resource: ResourceID, endpoint: EndpointID, origin: OriginID, loop: LoopID, reused: Bool,
    waited: Interval
  ) {
    self.lease = lease
    self.resource = resource
    self.endpoint = endpoint
    self.origin = origin
    self.loop = loop
    self.reused = reused
    self.waited = waited
  }
}

/// The immediate answer to a wish.
public enum AcquireOutcome: Hashable, Sendable {
  case granted(Grant)
  /// A `.grant` or `.reject` action for this ticket follows, unless it is cancelled first.
  case queued(TicketID)
  case rejected(PoolRejection)
}
