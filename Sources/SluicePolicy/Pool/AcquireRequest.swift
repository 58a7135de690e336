/// A wish for one slot.
public struct AcquireRequest: Hashable, Sendable {
  /// The event loop on which the slot would be used; slots at home there are preferred.
  public var loop: LoopID
  /// Class in the queue as the request comes in; waiting for long lifts it.
  public var priority: PriorityClass
  /// For fairness between callers of one class.
  public var caller: CallerID
  /// A request that is still waiting then is rejected.
  public var deadline: Instant
  /// When the request came in; `Grant.waited` counts from here.
  public var arrival: Instant
  /// Endpoints that must not serve it (already tried, or not able to).
  public var excluding: EndpointSet
  /// The only endpoint that may serve it.
  public var pinned: EndpointID?
  /// Only a resource that has never served an exchange will do (replay after a dead reused connection).
  public var freshOnly: Bool
  /// Hash of what should stay together on one endpoint (a prompt's beginning, a user); 0 is none. An advantage in
  /// the score of `power_of_two`, not a pin; strategies that do not score take no notice.
  public var affinity: UInt64

  /// A request that any endpoint may serve with any resource, unless the arguments say otherwise.
  public init(
    loop: LoopID, priority: PriorityClass = .normal, caller: CallerID = .anonymous, deadline: Instant,
    arrival: Instant, excluding: EndpointSet = EndpointSet(), pinned: EndpointID? = nil, freshOnly: Bool = false,
    affinity: UInt64 = 0
  ) {
    self.loop = loop
    self.priority = priority
    self.caller = caller
    self.deadline = deadline
    self.arrival = arrival
    self.excluding = excluding
    self.pinned = pinned
    self.freshOnly = freshOnly
    self.affinity = affinity
  }

  /// Some slots or endpoints will not do.
  var isRestricted: Bool { freshOnly || pinned != nil || !excluding.isEmpty }
}
