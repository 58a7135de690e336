import SluicePolicy
import SluiceSimulation
import Testing

/// A checker that cannot fail proves nothing: each is shown falsified facts and has to notice.
struct CanaryTests {
  struct Canary: Sendable, CustomTestStringConvertible {
    var checker: String
    var lie: @Sendable (Fact) -> [Fact]
    var testDescription: String { checker }
  }

  static let canaries: [Canary] = [
    Canary(checker: "tickets end once") { fact in
      if case .refusedLater = fact { [fact, fact] } else { [fact] }
    },
    Canary(checker: "leases fit capacity") { fact in
      if case .connectSucceeded(let id, _) = fact {
        [.connectSucceeded(id, capacity: 0)]
      } else {
        [fact]
      }
    },
    Canary(checker: "connections fit limits") { fact in
      guard case .configured(var settings, let layout) = fact else { return [fact] }
      settings.connections.concurrentConnects = 0
      return [.configured(settings, layout)]
    },
    Canary(checker: "grants are eligible") { fact in
      guard case .wished(let call, var request) = fact else { return [fact] }
      request.freshOnly = true
      return [.wished(call, request)]
    },
    Canary(checker: "ejection is respected") { fact in
      guard case .grantedAtOnce(_, let grant) = fact else { return [fact] }
      return [
        .emitted(.endpointEjected(grant.endpoint, until: .distantFuture)), .emitted(.panic(false)),
        fact,
      ]
    },
    Canary(checker: "class order holds") { fact in
      guard case .wished(let call, var request) = fact else { return [fact] }
      request.priority = PriorityClass(rawValue: 3 - request.priority.rawValue) ?? .low
      return [.wished(call, request)]
    },
    Canary(checker: "nobody starves") { fact in
      if case .refusedLater(_, let rejection) = fact, rejection.reason == .deadline {
        []
      } else {
        [fact]
      }
    },
    Canary(checker: "idle is verified") { fact in
      if case .wished = fact { [.clockJumped, fact] } else { [fact] }
    },
    Canary(checker: "work is conserved") { fact in
      if case .grantedLater = fact { [] } else { [fact] }
    },
    Canary(checker: "refusals are true") { fact in
      guard case .configured(var settings, let layout) = fact else { return [fact] }
      settings.queue.capacity += 1
      return [.configured(settings, layout)]
    },
    Canary(checker: "pause holds") { fact in
      if case .resumed = fact { [] } else { [fact] }
    },
    Canary(checker: "books are sound") { fact in
      if case .inspected = fact { [.inspected(["one slot too many"])] } else { [fact] }
    },
    Canary(checker: "drain finishes") { fact in
      if case .ended = fact { [.ended(isDrained: false, leftOpen: 0)] } else { [fact] }
    },
    Canary(checker: "counters are true") { fact in
      if case .released = fact { [] } else { [fact] }
    },
    Canary(checker: "the next opens in time") { fact in
      guard case .configured(var settings, let layout) = fact else { return [fact] }
      settings.connections.slotUtilization = 0.1
      return [.configured(settings, layout)]
    },
    Canary(checker: "lent is not cut") { fact in
      if case .released = fact { [] } else { [fact] }
    },
    Canary(checker: "heartbeats are sparing") { fact in
      if case .heartbeatAsked(let id, let endpoint) = fact { [fact, .heartbeatAsked(id, endpoint)] } else { [fact] }
    },
    Canary(checker: "nearest region serves") { fact in
      if case .emitted(.regionChanged) = fact { [] } else { [fact] }
    },
    Canary(checker: "a full region spills") { fact in
      guard case .configured(var settings, let layout) = fact else { return [fact] }
      settings.balance.regionHold = .microseconds(1)
      return [.configured(settings, layout)]
    },
    Canary(checker: "pool recovers") { fact in
      guard case .configured(var settings, let layout) = fact else { return [fact] }
      settings.connections.min += 1
      return [.configured(settings, layout)]
    },
  ]

  @Test(arguments: canaries) func theCheckerNotices(_ canary: Canary) {
    let caught = (1...400 as ClosedRange<UInt64>).contains { seed in
      guard let checker = SimulationCheckers.all().first(where: { $0.name == canary.checker })
      else { return false }
      let simulation = Simulation(
        SimulationOptions(seed: seed), checkers: [checker], tamper: canary.lie)
      simulation.run()
      return simulation.violation?.checker == canary.checker
    }
    #expect(caught, "\(canary.checker) did not notice a falsified run")
  }

  /// Further promises of checkers that keep several.
  static let more: [Canary] = [
    // As if nothing were lent elsewhere, whatever is there.
    Canary(checker: "a full region spills") { fact in
      guard case .grantedLater(let ticket, let grant) = fact else { return [fact] }
      return grant.endpoint.rawValue == 0 ? [.grantedLater(ticket, grant)] : []
    },
    // Nothing is ever full.
    Canary(checker: "nearest region serves") { fact in
      guard case .configured(var settings, let layout) = fact else { return [fact] }
      settings.connections.max = 1000
      settings.connections.poolMax = 1000
      for index in settings.endpoints.indices { settings.endpoints[index].maxConcurrent = nil }
      return [.configured(settings, layout)]
    },
    Canary(checker: "work is conserved") { fact in
      guard case .capacityChanged(let id, let capacity) = fact else { return [fact] }
      return [.capacityChanged(id, capacity + 1)]
    },
    Canary(checker: "the next opens in time") { fact in
      guard case .capacityChanged(let id, let capacity) = fact else { return [fact] }
      return [.capacityChanged(id, Swift.min(capacity, 0))]
    },
    Canary(checker: "lent is not cut") { fact in
      if case .grantedAtOnce(_, let grant) = fact { [fact, .closeAsked(grant.resource, .drained)] } else { [fact] }
    },
    Canary(checker: "heartbeats are sparing") { fact in
      guard case .configured(var settings, let layout) = fact else { return [fact] }
      settings.heartbeat.pace = .off
      return [.configured(settings, layout)]
    },
    Canary(checker: "heartbeats are sparing") { fact in
      guard case .configured(var settings, let layout) = fact else { return [fact] }
      settings.heartbeat.shortest = .hours(1)
      return [.configured(settings, layout)]
    },
    Canary(checker: "heartbeats are sparing") { fact in
      if case .heartbeatAsked = fact { [.drainBegan, fact] } else { [fact] }
    },
    // Several are to be kept, and some of them never beat.
    Canary(checker: "heartbeats are sparing") { fact in
      switch fact {
      case .heartbeatAsked(let id, _), .heartbeatEnded(let id, _): id.index % 4 == 0 ? [fact] : []
      default: [fact]
      }
    },
    // One is to be kept, and several beat.
    Canary(checker: "heartbeats are sparing") { fact in
      guard case .configured(var settings, let layout) = fact, settings.connections.min > 1 else { return [fact] }
      settings.connections.min = 1
      return [.configured(settings, layout)]
    },
    Canary(checker: "heartbeats are sparing") { fact in
      if case .heartbeatEnded(let id, .failed) = fact { [.heartbeatEnded(id, .unreadable)] } else { [fact] }
    },
    Canary(checker: "heartbeats are sparing") { fact in
      if case .released = fact { [] } else { [fact] }
    },
    Canary(checker: "refusals are true") { fact in
      guard case .refusedAtOnce(let call, var rejection) = fact, rejection.reason == .limited else { return [fact] }
      rejection.reason = .noEndpoint
      return [.refusedAtOnce(call, rejection)]
    },
    Canary(checker: "refusals are true") { fact in
      guard case .refusedLater(let ticket, var rejection) = fact, rejection.reason == .noEndpoint else { return [fact] }
      rejection.reason = .limited
      return [.refusedLater(ticket, rejection)]
    },
    Canary(checker: "heartbeats are sparing") { fact in
      if case .heartbeatAsked = fact { [] } else if case .heartbeatEnded = fact { [] } else { [fact] }
    },
    Canary(checker: "heartbeats are sparing") { fact in
      guard case .configured(var settings, let layout) = fact else { return [fact] }
      settings.connections.min = 0
      settings.connections.keepWarm = .milliseconds(1)
      return [.configured(settings, layout)]
    },
    Canary(checker: "refusals are true") { fact in
      guard case .configured(var settings, let layout) = fact else { return [fact] }
      settings.queue.reserved = ClassShares(critical: 0.25, high: 0.25, normal: 0.25, low: 0.25)
      return [.configured(settings, layout)]
    },
    Canary(checker: "drain finishes") { fact in
      if case .ended = fact { [.ended(isDrained: true, leftOpen: 1)] } else { [fact] }
    },
    Canary(checker: "idle is verified") { fact in
      if case .verified(let id, true) = fact { [.verified(id, false), fact] } else { [fact] }
    },
    Canary(checker: "refusals are true") { fact in
      guard case .refusedAtOnce(let call, var rejection) = fact else { return [fact] }
      rejection.reason = .deadline
      return [.refusedAtOnce(call, rejection)]
    },
    Canary(checker: "drain finishes") { fact in
      if case .emitted(.drained) = fact { [] } else { [fact] }
    },
    Canary(checker: "drain finishes") { fact in
      guard case .wished = fact else { return [fact] }
      return [.drainBegan, fact]
    },
    Canary(checker: "nearest region serves") { fact in
      guard case .configured(var settings, let layout) = fact else { return [fact] }
      settings.balance.regionHold = .minutes(10)
      return [.configured(settings, layout)]
    },
    Canary(checker: "nearest region serves") { fact in
      guard case .emitted(.resourceOpened(let id, let origin, let time)) = fact else { return [fact] }
      return [.emitted(.resourceOpened(id, origin, connectTime: origin.rawValue == 0 ? .seconds(60) : time))]
    },
    Canary(checker: "nearest region serves") { fact in
      guard case .endpointDrained(let endpoint) = fact else { return [fact] }
      return [fact, .emitted(.regionChanged(index: 0)), .endpointResumed(endpoint)]
    },
    Canary(checker: "pool recovers") { fact in
      if case .grantedAtOnce = fact { [] } else if case .grantedLater = fact { [] } else { [fact] }
    },
    Canary(checker: "grants are eligible") { fact in
      guard case .released(let lease, var report, let accepted) = fact else { return [fact] }
      report.result = .failed(.rateLimited)
      return [.released(lease, report, accepted: accepted)]
    },
    Canary(checker: "grants are eligible") { fact in
      guard case .grantedAtOnce(_, let grant) = fact else { return [fact] }
      return [.quotaHeard(grant.endpoint, at: .distantFuture, pause: .seconds(1)), fact]
    },
    Canary(checker: "leases fit capacity") { fact in
      guard case .released(let lease, var report, let accepted) = fact else { return [fact] }
      report.fate = .close(.broken)
      return [.released(lease, report, accepted: accepted)]
    },
    Canary(checker: "class order holds") { fact in
      guard case .wished(let call, var request) = fact else { return [fact] }
      request.deadline = .distantFuture - (request.deadline - Instant(nanoseconds: 0))
      return [.wished(call, request)]
    },
  ]

  @Test(arguments: more) func theCheckerNoticesThisToo(_ canary: Canary) { theCheckerNotices(canary) }

  @Test func everyCheckerHasACanary() {
    #expect(Set(SimulationCheckers.all().map(\.name)) == Set(Self.canaries.map(\.checker)))
  }
}
