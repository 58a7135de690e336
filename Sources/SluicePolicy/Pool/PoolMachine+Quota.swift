extension PoolMachine {
  /// A provider said how much of an endpoint's limits is left. When one is used up the endpoint cools for `pause`, so that
  /// its callers wait or go elsewhere instead of being refused there. An older word than the last one changes nothing.
  public mutating func quotaHeard(
    _ endpoint: EndpointID, _ quota: EndpointQuota, pause: Interval?, now: Instant, into actions: inout ActionList
  ) {
    guard let position = endpoints.position(endpoint), !endpoints[position].isRemoved else { return }
    if let last = endpoints[position].quota, last.heardAt > quota.heardAt { return }
    endpoints[position].quota = quota
    guard let pause else { return }
    cool(position, pause, forLimit: true, now, &actions)
    settle(now, &actions)
  }
}
