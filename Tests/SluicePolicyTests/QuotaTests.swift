import SluicePolicy
import Testing

@Suite("What providers say about limits") struct QuotaTests {
  private func quota(_ bench: PoolBench, remaining: Int, ago: Interval = .zero) -> EndpointQuota {
    var quota = EndpointQuota(heardAt: bench.now - ago)
    quota.requests = QuotaWindow(limit: 100, remaining: remaining, resetsAt: bench.now + .seconds(60))
    return quota
  }

  @Test func itIsKeptAndShown() throws {
    var bench = PoolBench(.sample(endpoints: 2))
    let ids = bench.machine.layout.endpoints
    #expect(bench.snapshot.endpoints[0].quota == nil)
    let said = quota(bench, remaining: 7)
    bench.event { $0.quotaHeard(ids[0], said, pause: nil, now: $1, into: &$2) }
    #expect(bench.snapshot.endpoints[0].quota == said)
    #expect(bench.snapshot.endpoints[0].state == .healthy)
    #expect(bench.snapshot.endpoints[1].quota == nil)
    bench.pass(.seconds(60))
    #expect(bench.snapshot.endpoints[0].quota?.requests.remaining == 100, "it is back by then")
    #expect(bench.snapshot.endpoints[0].quota?.requests.resetsAt == nil)
  }

  @Test func aLimitThatIsUsedUpSendsCallersElsewhere() throws {
    var bench = PoolBench(.sample(endpoints: 2))
    try bench.warm(2)
    let ids = bench.machine.layout.endpoints
    let said = quota(bench, remaining: 0)
    bench.event { $0.quotaHeard(ids[0], said, pause: .seconds(6), now: $1, into: &$2) }
    #expect(bench.snapshot.endpoints[0].state == .cooling)
    for _ in 0..<10 {
      let grant = try bench.granted()
      #expect(grant.endpoint == ids[1])
      bench.release(grant)
    }
    bench.pass(.seconds(6))
    #expect(bench.snapshot.endpoints[0].state == .healthy)
  }

  @Test func callersWaitWhereThereIsNoOther() throws {
    var bench = PoolBench(.sample(endpoints: 1))
    try bench.warm(1)
    let id = bench.machine.layout.endpoints[0]
    let said = quota(bench, remaining: 0)
    bench.event { $0.quotaHeard(id, said, pause: .milliseconds(60), now: $1, into: &$2) }
    _ = bench.take()
    guard case .queued = bench.acquire() else { return #expect(Bool(false), "not queued") }
    bench.pass(.milliseconds(59))
    #expect(bench.take().grants.isEmpty)
    bench.pass(.milliseconds(1))
    #expect(bench.take().grants.count == 1)
  }

  @Test func anOlderWordChangesNothing() throws {
    var bench = PoolBench(.sample(endpoints: 2))
    let id = bench.machine.layout.endpoints[0]
    let said = quota(bench, remaining: 50)
    let older = quota(bench, remaining: 0, ago: .seconds(1))
    bench.event { $0.quotaHeard(id, said, pause: nil, now: $1, into: &$2) }
    bench.event { $0.quotaHeard(id, older, pause: .seconds(60), now: $1, into: &$2) }
    #expect(bench.snapshot.endpoints[0].state == .healthy)
    #expect(bench.snapshot.endpoints[0].quota == said)
  }

  @Test func nobodyIsPausedForLongerThanThePoolIsWilling() throws {
    var bench = PoolBench(.sample(endpoints: 2))
    let id = bench.machine.layout.endpoints[0]
    let said = quota(bench, remaining: 0)
    bench.event { $0.quotaHeard(id, said, pause: .max, now: $1, into: &$2) }
    let out = try #require(bench.snapshot.endpoints[0].outUntil)
    #expect(out <= bench.now + HealthSettings().coolingMax)
    bench.event { $0.quotaHeard(EndpointID(rawValue: 999), said, pause: .max, now: $1, into: &$2) }
  }

  @Test func countsAreCutToWhatFits() {
    let window = QuotaWindow(limit: .max, remaining: -5, resetsAt: nil)
    #expect(window.limit == Int(UInt32.max) - 1 && window.remaining == 0 && window.resetsAt == nil)
    #expect(QuotaWindow().isEmpty && QuotaWindow(limit: nil, remaining: nil, resetsAt: nil).isEmpty)
  }
}
