/// The handles of a pool's endpoints and origins, in the order of its settings.
public struct PoolLayout: Hashable, Sendable {
  /// Handle of each element of `PoolSettings.endpoints`.
  public var endpoints: [EndpointID]
  /// Handle of each element of `PoolSettings.origins`.
  public var origins: [OriginID]

  /// Made by the machine at the start and with each reconfiguration.
  public init(endpoints: [EndpointID] = [], origins: [OriginID] = []) {
    self.endpoints = endpoints
    self.origins = origins
  }
}
