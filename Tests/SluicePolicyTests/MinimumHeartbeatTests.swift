import SluicePolicy
import Testing

/// Heartbeats where several resources are kept, and what an answer that cannot be read means.
@Suite struct MinimumHeartbeatTests {
  private func settings(_ min: Int, _ change: (inout PoolSettings) -> Void = { _ in }) -> PoolSettings {
    .sample(max: 8) {
      $0.connections.min = min
      $0.connections.maxAge = .max
      $0.connections.warmVerifyInterval = .hours(10)
      change(&$0)
    }
  }

  private struct Beat {
    var resource: ResourceID
    var at: Interval
  }

  /// Lets time pass and notes when each heartbeat began.
  private func beats(_ bench: inout PoolBench, for span: Interval) -> [Beat] {
    let start = bench.now
    var beats: [Beat] = []
    while bench.now < start + span {
      let seen = bench.live(.milliseconds(500))
      beats += seen.heartbeats.map { Beat(resource: $0, at: bench.now - start) }
    }
    return beats
  }

  @Test func eachThatIsKeptBeats() throws {
    var bench = PoolBench(settings(4))
    bench.obey()
    let beats = beats(&bench, for: .hours(1))
    let each = Dictionary(grouping: beats, by: \.resource)
    #expect(each.count == 4)
    for times in each.values.map({ [.zero] + $0.map(\.at) + [.hours(1)] }) {
      let longest = zip(times, times.dropFirst()).map { $1 - $0 }.max()
      #expect(try #require(longest) <= .seconds(301), "silent for longer than a NAT may bear")
    }
    #expect(beats.count <= 4 * 14, "an interval has one heartbeat of each, but for the first ones")
  }

  @Test func theyShareTheIntervalEvenly() throws {
    var bench = PoolBench(settings(6))
    bench.obey()
    let times = beats(&bench, for: .hours(2)).map(\.at)
    #expect(try #require(times.first) >= .seconds(149), "not before half of it")
    let gaps = zip(times, times.dropFirst()).map { $1 - $0 }
    #expect(gaps.allSatisfy { $0 >= .milliseconds(24_500) }, "\(gaps)")
    let settled = gaps.suffix(12)
    #expect(settled.allSatisfy { $0 >= .seconds(45) && $0 <= .seconds(55) }, "\(settled)")
  }

  @Test func thoseInUseCountFirst() throws {
    var bench = PoolBench(settings(2))
    bench.obey()
    let lent = try bench.granted()
    let beating = beats(&bench, for: .minutes(20)).map(\.resource)
    #expect(Set(beating).count == 1 && !beating.contains(lent.resource) && beating.count <= 5)
    _ = bench.acquire(loop: 1)
    bench.obey()
    #expect(bench.snapshot.slots.leased == 2)
    #expect(beats(&bench, for: .minutes(20)).isEmpty, "traffic proves both")
  }

  @Test func whatIsBeyondTheMinimumDoesNotBeat() throws {
    var bench = PoolBench(settings(2) { $0.connections.idleTimeout = .max })
    bench.obey()
    try bench.warm(6)
    let beating = Set(beats(&bench, for: .hours(1)).map(\.resource))
    #expect(beating.count == 2 && bench.snapshot.slots.idle >= 6)
  }

  /// Something on the way was restarted: all flows are gone at once, which is one lesson and not four.
  @Test func whatForgotAllTeachesOnce() throws {
    var bench = PoolBench(settings(4))
    bench.obey()
    _ = beats(&bench, for: .hours(1))
    var dead = 0
    var fresh: Set<ResourceID> = []
    for _ in 0..<3000 where dead < 4 {
      bench.pass(.milliseconds(100))
      for action in bench.take() {
        switch action {
        case .connect(let id, _, _, _):
          fresh.insert(id)
          bench.opened(id)
        case .close(let id, _): bench.closed(id)
        case .heartbeat(let id, _, _, _) where !fresh.contains(id):
          dead += 1
          bench.heartbeat(id, .dead)
        case .heartbeat(let id, _, _, _):
          bench.heartbeat(id, HeartbeatReport(.success(latency: .milliseconds(1)), carried: true))
        default: break
        }
      }
    }
    bench.obey()
    #expect(dead == 4 && bench.snapshot.slots.idle == 4)
    #expect(bench.snapshot.origins[0].heartbeatInterval ?? .zero >= .seconds(100))
  }

  /// A call each, right after the pause: all of them are there.
  @Test func afterAPauseAllOfThemAreThere() throws {
    var bench = PoolBench(settings(4) { $0.connections.maxAge = .minutes(30) })
    bench.obey()
    _ = beats(&bench, for: .hours(3))
    var lent: [ResourceID] = []
    for _ in 0..<4 {
      if case .granted(let grant) = bench.acquire() { lent.append(grant.resource) }
    }
    let seen = bench.obey()
    lent += seen.grants.map(\.resource)
    #expect(lent.count == 4 && Set(lent).isDisjoint(with: seen.connects), "nobody waits for a new one")
  }

  // MARK: Answers that cannot be read

  private func beating(_ bench: inout PoolBench) throws -> ResourceID {
    bench.obey()
    bench.pass(.seconds(300))
    return try #require(bench.take().heartbeats.first)
  }

  @Test(arguments: [true, false]) func anUnreadableAnswerIsNoDeadPath(_ closesFirst: Bool) throws {
    var bench = PoolBench(settings(1))
    let resource = try beating(&bench)
    let report = HeartbeatReport(.failed(.protocolError), carried: true, fate: .close(.protocolError))
    if closesFirst {
      bench.closed(resource, reason: .protocolError)
      bench.heartbeat(resource, report)
    } else {
      bench.heartbeat(resource, report)
    }
    let seen = bench.obey()
    let origin = bench.snapshot.origins[0]
    #expect(origin.heartbeatInterval == .seconds(300), "nothing was learned about how long paths live")
    #expect(!seen.events.contains { if case .pathDied = $0 { true } else { false } })
    let endpoint = bench.snapshot.endpoints[0]
    #expect(endpoint.heartbeatProblem?.failure == .protocolError && endpoint.heartbeatsFailed == 1)
    let closed = bench.snapshot.counters.closed
    #expect(closed[.protocolError] == 1 && closed[.remoteClosed] == 0 && closed[.deadPath] == 0)
    #expect(seen.connects.count == 1, "it is replaced")
  }

  @Test func anAnswerThatBreaksOffIsNoDeadPathEither() throws {
    var bench = PoolBench(settings(1))
    bench.closed(try beating(&bench), reason: .broken)
    let seen = bench.obey()
    #expect(bench.snapshot.origins[0].heartbeatInterval == .seconds(300))
    #expect(!seen.events.contains { if case .pathDied = $0 { true } else { false } })
    #expect(bench.snapshot.endpoints[0].heartbeatProblem?.failure == .network)
  }
}
