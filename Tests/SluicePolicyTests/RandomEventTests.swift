import SluicePolicy
import Testing

/// Long random runs: any event at any time, with late, repeated and made-up answers. The machine's invariants are
/// checked after every event, and its own books against what the outside saw.
@Suite struct RandomEventTests {
  struct Run {
    var bench: PoolBench
    var random: SplitMix64
    var lent: [Grant] = []
    var tickets: [TicketID] = []
    var granted = 0
    var rejected = 0
    var seen: [ResourceID] = []
    var trace: [PoolAction] = []

    init(seed: UInt64) {
      random = SplitMix64(seed: seed)
      bench = PoolBench(Run.settings(&random), loops: 1 + random.index(below: 3), seed: seed)
    }

    static func settings(_ random: inout SplitMix64) -> PoolSettings {
      let strategy = BalanceStrategy.allCases[random.index(below: 3)]
      let origins = 1 + random.index(below: 3)
      let keys = 1 + random.index(below: 3)
      let max = 1 + random.index(below: 5)
      let poolMax = max + random.index(below: 4)
      let isWarm = random.index(below: 2) == 0
      var settings = PoolSettings.sample(origins: origins, endpoints: keys, max: max) {
        $0.balance.strategy = strategy
        $0.connections.poolMax = poolMax
        $0.connections.min = isWarm && poolMax >= origins ? 1 : 0
        $0.connections.keepWarm = isWarm ? .minutes(10) : .zero
        $0.connections.jitter = 0.1
        $0.connections.maxAge = .minutes(2)
        $0.connections.idleTimeout = .seconds(40)
        $0.queue.capacity = 12
        $0.queue.ageing = .seconds(2)
        $0.health.probeIdle = isWarm
        $0.heartbeat.shortest = .milliseconds(100)
        $0.heartbeat.longest = .seconds(2)
      }
      for index in settings.endpoints.indices {
        if random.index(below: 4) == 0 { settings.endpoints[index].role = .backup }
        if random.index(below: 4) == 0 { settings.endpoints[index].maxConcurrent = 1 + random.index(below: 2) }
      }
      return settings
    }

    mutating func pick<Value>(_ values: [Value]) -> Value? {
      values.isEmpty ? nil : values[random.index(below: values.count)]
    }

    mutating func absorb() {
      for action in bench.take() {
        trace.append(action)
        switch action {
        case .connect(let resource, _, _, _): seen.append(resource)
        case .grant(let ticket, let grant):
          if !tickets.contains(ticket) { Issue.record("\(ticket) granted but not waiting") }
          tickets.removeAll { $0 == ticket }
          lent.append(grant)
          granted += 1
        case .reject(let ticket, _):
          if !tickets.contains(ticket) { Issue.record("\(ticket) rejected but not waiting") }
          tickets.removeAll { $0 == ticket }
          rejected += 1
        case .close, .verify, .probe, .heartbeat, .armDeadline, .emit: break
        }
      }
      if seen.count > 60 { seen.removeFirst(30) }
    }

    mutating func acquire() {
      let ids = bench.machine.layout.endpoints
      var excluding = EndpointSet()
      if random.index(below: 4) == 0, let id = pick(ids) { excluding.insert(id) }
      let pinned = random.index(below: 6) == 0 ? pick(ids) : nil
      let outcome = bench.acquire(
        loop: random.index(below: 4), priority: PriorityClass.allCases[random.index(below: 4)],
        caller: UInt32(random.index(below: 3)), within: .milliseconds(Int64(random.index(below: 20_000))),
        excluding: excluding, pinned: pinned, fresh: random.index(below: 8) == 0)
      switch outcome {
      case .granted(let grant):
        lent.append(grant)
        granted += 1
      case .queued(let ticket): tickets.append(ticket)
      case .rejected: rejected += 1
      }
    }

    mutating func release() {
      guard !lent.isEmpty else { return }
      let grant = lent.remove(at: random.index(below: lent.count))
      let failure = FailureClass.allCases[random.index(below: FailureClass.allCases.count)]
      let reports: [ExchangeReport] = [
        ExchangeReport(result: .success, latency: .milliseconds(Int64(random.index(below: 500)))),
        ExchangeReport(result: .success), ExchangeReport(result: .success, fate: .close(.broken)), .unused,
        ExchangeReport(result: .cancelled, fate: .close(.cancelled)), ExchangeReport(result: .failed(failure)),
        ExchangeReport(result: .failed(.rateLimited), coolFor: .milliseconds(Int64(random.index(below: 9000)))),
      ]
      guard let report = pick(reports) else { return }
      if !bench.release(grant, report) { Issue.record("a live lease was refused") }
      if random.index(below: 10) == 0, bench.release(grant, report) { Issue.record("released twice") }
    }

    static let beats: [HeartbeatReport] = [
      .alive, .dead, HeartbeatReport(.success(latency: .zero), carried: true),
      HeartbeatReport(.failed(.credential), carried: true),
      HeartbeatReport(.failed(.timeout), carried: false, fate: .close(.verification)),
    ]

    /// An answer to something that was asked at some time, right or wrong.
    mutating func answer() {
      guard let resource = pick(seen) else { return }
      switch random.index(below: 10) {
      case 0, 1, 2: bench.opened(resource, capacity: random.index(below: 4))
      case 3: bench.failed(resource)
      case 4: bench.closed(resource, idleFor: random.index(below: 2) == 0 ? .seconds(15) : nil)
      case 5: bench.verified(resource, alive: random.index(below: 3) > 0)
      case 6: bench.event { $0.capacityChanged(resource, 2, now: $1, into: &$2) }
      case 7: bench.event { $0.resourceDraining(resource, now: $1, into: &$2) }
      case 8: bench.heartbeat(resource, pick(Run.beats) ?? .alive)
      default: bench.event { $0.idleLimitAnnounced(resource, .seconds(20), now: $1, into: &$2) }
      }
    }

    mutating func administer() {
      let ids = bench.machine.layout.endpoints
      guard let endpoint = pick(ids) else { return }
      switch random.index(below: 9) {
      case 0: bench.event { $0.drainEndpoint(endpoint, now: $1, into: &$2) }
      case 1, 2: bench.event { $0.resumeEndpoint(endpoint, now: $1, into: &$2) }
      case 3: bench.event { $0.resetEndpoint(endpoint, now: $1, into: &$2) }
      case 4: bench.event { $0.pause(now: $1, into: &$2) }
      case 5: bench.event { $0.resume(now: $1, into: &$2) }
      case 6: bench.event { $0.clockJumped(by: .minutes(1), now: $1, into: &$2) }
      case 7: bench.event { $0.probeFinished(endpoint, .success(latency: .zero), now: $1, into: &$2) }
      default:
        let settings = Run.settings(&random)
        bench.event { _ = $0.reconfigure(settings, now: $1, into: &$2) }
      }
    }

    mutating func step() {
      switch random.index(below: 20) {
      case 0...5: acquire()
      case 6...10: release()
      case 11...15: answer()
      case 16: administer()
      case 17:
        if let ticket = pick(tickets) {
          if !bench.machine.cancel(ticket, now: bench.now, into: &bench.actions) { Issue.record("not waiting") }
          tickets.removeAll { $0 == ticket }
          bench.check(#_sourceLocation)
        }
      case 18: bench.pass(.milliseconds(Int64(random.index(below: 3000))))
      default: bench.now = bench.now + .milliseconds(Int64(random.index(below: 300)))
      }
      absorb()
      let numbers = bench.snapshot.numbers
      if Int(numbers.leased) != lent.count || Int(numbers.waiting) != tickets.count {
        Issue.record("says \(numbers), seen \(lent.count) leased and \(tickets.count) waiting")
      }
    }

    /// The world behaves again: everything comes to rest, and a drain ends.
    mutating func end() {
      bench.event { $0.resume(now: $1, into: &$2) }
      for grant in lent { bench.release(grant) }
      lent = []
      bench.event { $0.drain(now: $1, into: &$2) }
      for _ in 0..<40 where !bench.machine.isDrained {
        for action in bench.obey() {
          switch action {
          case .grant(let ticket, let grant):
            tickets.removeAll { $0 == ticket }
            bench.release(grant)
          case .reject(let ticket, _): tickets.removeAll { $0 == ticket }
          default: break
          }
        }
        bench.pass(.seconds(5))
      }
      absorb()
    }
  }

  @Test(arguments: 0..<60)
  func anythingMayHappen(seed: UInt64) {
    var run = Run(seed: seed)
    for _ in 0..<400 { run.step() }
    run.end()
    #expect(run.bench.machine.isDrained, "seed \(seed)\n\(run.bench.machine.journal.dump)")
    #expect(run.tickets.isEmpty, "seed \(seed)")
  }

  @Test func theSameSeedGivesTheSameTrace() {
    func trace() -> [PoolAction] {
      (0 as UInt64..<5).flatMap { seed -> [PoolAction] in
        var run = Run(seed: seed)
        for _ in 0..<300 { run.step() }
        return run.trace
      }
    }
    let first = trace()
    #expect(first.count > 500 && first == trace())
  }
}
