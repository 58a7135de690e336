/// The handles of a pool's endpoints and origins, in the order of its settings.
public struct PoolLayout: Hashable, Sendable {
  public var endpoints: [EndpointID]
  public var origins: [OriginID]

  public init(endpoints: [EndpointID] = [], origins: [OriginID] = []) {
    self.endpoints = endpoints
    self.origins = origins
  }
}
