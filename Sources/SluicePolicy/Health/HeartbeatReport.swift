/// What a heartbeat is to prove.
public enum HeartbeatScope: UInt8, CaseIterable, Sendable {
  /// That the path is there: whatever makes the remote side answer on this resource.
  case path
  /// The same, by a free call on this resource where the provider has one there, which proves the credential too.
  case call
  /// The same, and the credential has not been proven for so long that a call elsewhere is in order where there is none
  /// on this resource.
  case proof
}

/// How a heartbeat ended.
public struct HeartbeatReport: Hashable, Sendable {
  /// What the endpoint said. `unavailable`: it was not asked, the path is there all the same.
  public var answer: ProbeResult
  /// The resource itself carried a call and an answer, if not all of it or not a good one: somebody is there, and
  /// counts its idle time anew.
  public var carried: Bool
  /// What becomes of the resource. One that is closed for a `network` failure and carried nothing was dead.
  public var fate: ResourceFate

  /// A resource that goes on serving, unless told otherwise.
  public init(_ answer: ProbeResult, carried: Bool, fate: ResourceFate = .reusable) {
    self.answer = answer
    self.carried = carried
    self.fate = fate
  }

  /// The path is there; nobody asked the endpoint.
  public static let alive = HeartbeatReport(.unavailable, carried: false)
  /// Nobody answered on this resource.
  public static let dead = HeartbeatReport(.failed(.network), carried: false, fate: .close(.verification))
}
