import SluicePolicy

extension Fact {
  /// Snapshots are for checkers; a reader does not want them between the lines.
  var isRoutine: Bool {
    switch self {
    case .snapshot, .inspected([]): true
    default: false
    }
  }

  /// For people: without the names of modules and types.
  var line: String {
    var text = "\(self)"
    for noise in [
      "SluicePolicy.", "AcquireRequest", "ExchangeReport", "ExchangeResult.", "ResourceFate.", "PoolEvent.",
    ] {
      text = text.split(separator: noise, omittingEmptySubsequences: false).joined()
    }
    return text
  }

  /// Distinguishes facts by kind and by the handles in them.
  var fingerprint: UInt64 {
    func mix(_ kind: UInt64, _ index: UInt32, _ generation: UInt32) -> UInt64 {
      (kind << 56) ^ (UInt64(generation) << 32) ^ UInt64(index)
    }
    switch self {
    case .wished(let call, _): return mix(1, UInt32(call), 0)
    case .grantedAtOnce(let call, let grant):
      return mix(2, grant.lease.index, UInt32(call)) ^ UInt64(grant.endpoint.rawValue) << 40
    case .queued(let call, let ticket): return mix(3, ticket.index, UInt32(call))
    case .refusedAtOnce(let call, let rejection):
      return mix(4, UInt32(rejection.reason.rawValue), UInt32(call))
    case .grantedLater(let ticket, let grant):
      return mix(5, ticket.index, grant.lease.index) ^ UInt64(grant.endpoint.rawValue) << 40
    case .refusedLater(let ticket, let rejection):
      return mix(6, ticket.index, UInt32(rejection.reason.rawValue))
    case .cancelled(let ticket, let accepted): return mix(7, ticket.index, accepted ? 1 : 0)
    case .released(let lease, _, let accepted):
      return mix(8, lease.index, accepted ? lease.generation : 0)
    case .connectAsked(let id, let origin, let loop):
      return mix(9, id.index, id.generation) ^ UInt64(origin.rawValue) << 40 ^ UInt64(loop.rawValue)
        << 50
    case .connectSucceeded(let id, let capacity): return mix(10, id.index, UInt32(capacity))
    case .connectFailed(let id): return mix(11, id.index, id.generation)
    case .closeAsked(let id, let reason): return mix(12, id.index, UInt32(reason.rawValue))
    case .closed(let id): return mix(13, id.index, id.generation)
    case .capacityChanged(let id, let capacity): return mix(14, id.index, UInt32(capacity))
    case .goingAway(let id): return mix(15, id.index, id.generation)
    case .verifyAsked(let id): return mix(16, id.index, id.generation)
    case .verified(let id, let alive): return mix(17, id.index, alive ? 1 : 0)
    case .heartbeatAsked(let id, let endpoint):
      return mix(35, id.index, id.generation) ^ UInt64(endpoint.rawValue) << 40
    case .heartbeatEnded(let id, let end): return mix(36, id.index, UInt32(end.rawValue))
    case .clockJumped: return mix(18, 0, 0)
    case .crashed(let origin): return mix(31, UInt32(origin.rawValue), 0)
    case .emitted: return mix(19, 0, 0)
    case .configured(let settings, _):
      return mix(20, UInt32(settings.connections.max), UInt32(settings.endpoints.count))
    case .endpointDrained(let endpoint): return mix(21, UInt32(endpoint.rawValue), 0)
    case .endpointResumed(let endpoint): return mix(22, UInt32(endpoint.rawValue), 0)
    case .endpointReset(let endpoint): return mix(23, UInt32(endpoint.rawValue), 0)
    case .quotaHeard(let endpoint, _, let pause):
      return mix(35, UInt32(endpoint.rawValue), pause == nil ? 0 : 1)
    case .paused: return mix(24, 0, 0)
    case .resumed: return mix(25, 0, 0)
    case .drainBegan: return mix(26, 0, 0)
    case .closeBegan: return mix(32, 0, 0)
    case .inspected(let problems): return mix(33, UInt32(problems.count), 0)
    case .snapshot(let snapshot):
      return mix(27, UInt32(snapshot.slots.total), UInt32(snapshot.waiting.total))
    case .faultsStopped: return mix(28, 0, 0)
    case .loadStopped: return mix(29, 0, 0)
    case .settled(let snapshot):
      return mix(30, UInt32(snapshot.slots.total), UInt32(snapshot.waiting.total))
    case .ended(let isDrained, let leftOpen): return mix(34, isDrained ? 1 : 0, UInt32(leftOpen))
    }
  }
}
