import NIOCore
import SluicePolicy
import SluiceRuntime
import SluiceTesting
import Testing

@Suite struct OperationTests {
  @Test func reconfiguringKeepsWhatIsTheSame() throws {
    let bench = try Bench(.test(max: 2, origin: "a"))
    let lease = try bench.mustLease()
    let before = bench.pool.layout
    var settings = PoolSettings.test(max: 2, origin: "a")
    settings.origins.append(OriginSettings(identity: "b", name: "b"))
    settings.endpoints.append(EndpointSettings(identity: "b/key", name: "key", origin: 1))
    let after = try bench.pool.reconfigure(settings)
    #expect(after.origins[0] == before.origins[0])
    #expect(after.endpoints[0] == before.endpoints[0])
    #expect(bench.pool.layout == after)
    #expect(bench.pool.settings == settings)
    lease.release(.success)
    #expect(bench.connector.openCount == 1)
  }

  @Test func connectsOfANewOriginNameItsIdentity() throws {
    let bench = try Bench(.test(max: 2, origin: "a"))
    try bench.pool.reconfigure(.test(max: 2, origin: "b"))
    let lease = try bench.mustLease()
    #expect(lease.resource.request.originIdentity == "b")
    lease.release(.success)
  }

  @Test func invalidSettingsChangeNothing() throws {
    let bench = try Bench()
    var settings = bench.pool.settings
    settings.connections.max = 0
    #expect(throws: PoolError.self) { try bench.pool.reconfigure(settings) }
    #expect(bench.pool.settings.connections.max == 1)
    try bench.mustLease().release(.success)
  }

  @Test func aClosedPoolRefusesNewSettings() throws {
    let bench = try Bench()
    bench.pool.close()
    let error = #expect(throws: PoolError.self) { try bench.pool.reconfigure(.test(max: 9)) }
    #expect(error?.label == "refused")
    #expect(bench.pool.settings.connections.max == 1)
  }

  @Test func anEndpointCanBeTakenOutAndPutBack() throws {
    let bench = try Bench()
    let endpoint = bench.pool.layout.endpoints[0]
    bench.pool.drainEndpoint(endpoint)
    switch bench.pool.acquire(bench.request(), waiter: RecordingWaiter()) {
    case .rejected(let rejection): #expect(rejection.reason == .notAllowed)
    case .granted: Issue.record("nothing may serve")
    case .queued: Issue.record("nothing may serve")
    }
    bench.pool.resumeEndpoint(endpoint)
    try bench.mustLease().release(.success)
  }

  @Test func aRejectedCredentialComesBackByReset() throws {
    let bench = try Bench()
    let lease = try bench.mustLease()
    lease.release(ExchangeReport(result: .failed(.credential)))
    #expect(throws: NoLease.self) { try bench.mustLease().release(.success) }
    bench.pool.resetEndpoint(bench.pool.layout.endpoints[0])
    try bench.mustLease().release(.success)
  }

  @Test func anEjectedEndpointIsProbed() throws {
    let probe = ScriptedProbe()
    let bench = try Bench(probe: probe)
    for _ in 0..<3 {
      let lease = try bench.mustLease()
      lease.release(ExchangeReport(result: .failed(.server), fate: .reusable))
    }
    bench.advance(by: .minutes(2))
    #expect(probe.identities.first == "origin/key")
    #expect(probe.identities.isEmpty == false)
  }

  @Test func withoutAProbeTheAnswerIsThatThereIsNone() throws {
    let bench = try Bench()
    for _ in 0..<3 {
      let lease = try bench.mustLease()
      lease.release(ExchangeReport(result: .failed(.server), fate: .reusable))
    }
    bench.advance(by: .minutes(2))
    try bench.mustLease().release(.success)
  }

  @Test func aLoopIsFoundByIdentity() throws {
    let bench = try Bench()
    #expect(bench.pool.loopID(of: bench.loop) == LoopID(rawValue: 0))
    let other = try Bench()
    #expect(bench.pool.loopID(of: other.loop) == nil)
  }

  /// Long after the last use; nothing else of the pool does anything then.
  private static var warm: PoolSettings {
    var settings = PoolSettings.test()
    settings.connections.warmVerifyInterval = .hours(100)
    settings.health.probeIdle = false
    return settings
  }

  @Test func aWarmResourceBeatsAndIsLentAgain() throws {
    let probe = BeatingProbe(HeartbeatReport(.success(latency: .milliseconds(1)), carried: true))
    let bench = try Bench(Self.warm, probe: probe)
    try bench.mustLease().release(.success)
    bench.advance(by: .minutes(16))
    #expect(probe.beats.count == 3)
    #expect(probe.beats.allSatisfy { $0.identity == "origin/key" && $0.deadline > bench.clock.now() - .hours(1) })
    #expect(bench.pool.snapshot().endpoints[0].heartbeats == 3)
    #expect(bench.connector.resources.count == 1)
    try bench.mustLease().release(.success)
  }

  @Test func aDeadOneIsClosedAndReplaced() throws {
    let bench = try Bench(Self.warm, probe: BeatingProbe(.dead))
    try bench.mustLease().release(.success)
    bench.advance(by: .seconds(301))
    #expect(bench.connector.resources.count >= 2 && bench.connector.resources[0].isClosed)
    #expect(bench.observer.events.contains { if case .heartbeatFailing(_, .network) = $0 { true } else { false } })
  }

  /// Who brings no heartbeat has the resource verify itself.
  @Test(arguments: [true, false]) func withoutAHeartbeatTheResourceVerifies(_ hasProbe: Bool) throws {
    let bench = try Bench(Self.warm, probe: hasProbe ? ScriptedProbe() : nil)
    try bench.mustLease().release(.success)
    bench.advance(by: .seconds(301))
    let snapshot = bench.pool.snapshot()
    #expect(snapshot.endpoints[0].heartbeats == 1 && snapshot.counters.heartbeatsFailed == 0)
  }

  private final class BeatingProbe: ResourceProbe {
    private let report: HeartbeatReport
    private let asked = Guarded<[HeartbeatRequest]>([])
    var beats: [HeartbeatRequest] { asked.value }

    init(_ report: HeartbeatReport) { self.report = report }

    func probe(
      _ endpoint: EndpointID, identity: String, deadline: Instant, _ done: @escaping @Sendable (ProbeResult) -> Void
    ) { done(.unavailable) }

    func heartbeat(
      _ request: HeartbeatRequest, on resource: any PoolableResource,
      _ done: @escaping @Sendable (HeartbeatReport) -> Void
    ) {
      asked.withLock { $0.append(request) }
      done(report)
      // Twice, and wrong: no news.
      done(.dead)
    }
  }

  private final class ScriptedProbe: ResourceProbe {
    private let asked = Guarded<[String]>([])
    var identities: [String] { asked.value }

    func probe(
      _ endpoint: EndpointID, identity: String, deadline: Instant, _ done: @escaping @Sendable (ProbeResult) -> Void
    ) {
      asked.withLock { $0.append(identity) }
      done(.success(latency: .milliseconds(1)))
      done(.failed(.server))
    }
  }
}
