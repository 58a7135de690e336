import SluiceDialects
import SluicePolicy
import Testing

/// What an outside observer holds against every run, knowing nothing of the machine's states: it sees the events that
/// were offered and the decisions that came back.
private struct ExchangeObserver {
  let attempts: Int
  let targets: Int
  let endpoints: Int
  let deadline: Instant
  var leases = 0
  var ends = 0
  var sent = 0
  var committed = false
  var lateAcquire = false
  var freshPlans = 0
  var acquireOpen = false
  var problems: [String] = []

  mutating func check(_ decision: ExchangeDecision, event: ExchangeEvent, now: Instant) {
    if decision.release != nil { leases -= 1 }
    if leases < 0 { problems.append("released what was not held at \(event)") }
    if ends > 0, decision.step != .none { problems.append("a step after the end at \(event): \(decision.step)") }
    switch decision.step {
    case .acquire(let plan):
      acquireOpen = true
      if committed { problems.append("acquired after the first byte") }
      if now >= deadline { problems.append("acquired after the deadline") }
      if plan.deadline > deadline { problems.append("waits beyond the deadline") }
      if plan.target >= targets { problems.append("target out of the route") }
      if plan.freshOnly { freshPlans += 1 }
      if freshPlans > 1 { problems.append("replayed twice") }
      if leases != 0 { problems.append("acquired with a lease in hand") }
    case .send: sent += 1
    case .sleep(let until):
      if until >= deadline { problems.append("sleeps beyond the deadline") }
      if committed { problems.append("sleeps after the first byte") }
      if leases != 0 { problems.append("sleeps with a lease in hand") }
    case .fail, .deliver: if committed { problems.append("answered twice") }
    case .breakOff, .finish: if !committed { problems.append("broke off before anything was sent") }
    default: break
    }
    if decision.step.isEnd {
      ends += 1
      if leases != 0 { problems.append("ended with a lease in hand at \(event)") }
    }
    if decision.cancelUpstream, decision.release == nil { problems.append("cancelled nothing") }
    // One paid run of tries per target, one walk per endpoint and target and round, one replay, one signed anew.
    if sent > targets * attempts * (endpoints + 1) + 2 { problems.append("sent \(sent) times") }
  }
}

private enum ExchangeEvent: CaseIterable {
  case received, queued, granted, grantedFresh, rejectedEmpty, rejectedFull
  case headPlain, headStream, headError, headSent
  case complete, truncated, inBandError
  case refusedServer, refusedLimited, refusedCaller, refusedOverloaded
  case broke, brokeReplaySafe, staleBroke
  case signatureRefused, signatureRenewing, unsigned, unsignedForNow, mended
  case clock, clientGone
}

@Suite("Every small sequence of events")
struct ExchangeSequenceTests {
  private struct Run {
    var exchange: ExchangeHarness
    var observer: ExchangeObserver
    var nextEndpoint: UInt16 = 0

    mutating func apply(_ event: ExchangeEvent) {
      // What the caller could not have reported is not offered: it owns these facts itself.
      guard isPossible(event) else { return }
      let decision = perform(event)
      observer.check(decision, event: event, now: exchange.now)
    }

    private func isPossible(_ event: ExchangeEvent) -> Bool {
      switch event {
      case .granted, .grantedFresh, .rejectedEmpty, .rejectedFull: observer.acquireOpen
      case .queued: observer.acquireOpen
      case .headSent: !observer.committed
      default: true
      }
    }

    private mutating func perform(_ event: ExchangeEvent) -> ExchangeDecision {
      switch event {
      case .received: return exchange.receive()
      case .queued:
        exchange.queue()
        return .none
      case .granted, .grantedFresh:
        observer.acquireOpen = false
        observer.leases += 1
        nextEndpoint = (nextEndpoint + 1) % UInt16(observer.endpoints)
        return exchange.grant(nextEndpoint, reused: event == .granted)
      case .rejectedEmpty:
        observer.acquireOpen = false
        return exchange.reject(.notAllowed)
      case .rejectedFull:
        observer.acquireOpen = false
        return exchange.reject(.queueFull)
      case .headPlain: return exchange.head()
      case .headStream: return exchange.head(stream: true)
      case .headError: return exchange.head(500)
      case .headSent:
        exchange.headSent()
        observer.committed = exchange.machine.isCommitted
        return .none
      case .complete: return exchange.ended()
      case .truncated: return exchange.ended(.truncated)
      case .inBandError: return exchange.ended(.failed(FailureFacts(.server)))
      case .refusedServer: return exchange.refuse(FailureFacts(.server, hasAnswer: true))
      case .refusedLimited: return exchange.refuse(FailureFacts(.rateLimited, retryAfter: .seconds(1), hasAnswer: true))
      case .refusedCaller: return exchange.refuse(FailureFacts(.caller, hasAnswer: true))
      case .refusedOverloaded: return exchange.refuse(FailureFacts(.overloaded, hasAnswer: true))
      case .broke: return exchange.broke()
      case .brokeReplaySafe: return exchange.broke(replaySafe: true)
      case .staleBroke: return exchange.broke(attempt: 0)
      case .signatureRefused: return exchange.refuseSignature()
      case .signatureRenewing: return exchange.refuseSignature(.seconds(2))
      case .unsigned: return exchange.unsigned(nil)
      case .unsignedForNow: return exchange.unsigned(.seconds(2))
      case .mended: return exchange.mended()
      case .clock:
        exchange.now = max(exchange.now, exchange.machine.nextDeadline ?? exchange.now)
        return exchange.deadline()
      case .clientGone: return exchange.gone()
      }
    }
  }

  private static func run(attempts: Int, targets: Int, begin: [ExchangeEvent]) -> Run {
    let deadline = Instant(nanoseconds: 0) + .seconds(10)
    let settings = ExchangeSettings(attempts: attempts, firstByte: .seconds(3), betweenBytes: .seconds(2))
    var run = Run(
      exchange: ExchangeHarness(settings, targets: targets, callerDeadline: deadline),
      observer: ExchangeObserver(attempts: attempts, targets: targets, endpoints: 3, deadline: deadline))
    run.exchange.random = 1 << 62
    for event in begin { run.apply(event) }
    return run
  }

  /// Depth first over all sequences; a run that ended is followed one more step to see that it stays ended.
  private static func explore(_ run: Run, depth: Int, visited: inout Int, problems: inout Set<String>) {
    visited += 1
    problems.formUnion(run.observer.problems)
    if run.observer.ends > 1 { problems.insert("ended twice") }
    if run.exchange.machine.isOver != (run.observer.ends > 0) { problems.insert("over without an end, or the reverse") }
    guard depth > 0, problems.count < 5 else { return }
    let next = run.observer.ends > 0 ? 1 : depth
    for event in ExchangeEvent.allCases {
      var branch = run
      branch.apply(event)
      explore(branch, depth: next - 1, visited: &visited, problems: &problems)
    }
  }

  @Test(
    "all sequences from several beginnings",
    arguments: [
      (1, 1, 0), (2, 2, 0), (3, 1, 1), (2, 2, 1), (1, 2, 2), (2, 1, 3),
    ])
  func exhaustive(_ attempts: Int, _ targets: Int, _ beginning: Int) {
    let beginnings: [[ExchangeEvent]] = [
      [.received], [.received, .granted], [.received, .queued, .granted, .headError, .refusedLimited],
      [.received, .granted, .headStream],
    ]
    var visited = 0
    var problems: Set<String> = []
    let start = Self.run(attempts: attempts, targets: targets, begin: beginnings[beginning])
    Self.explore(start, depth: 4, visited: &visited, problems: &problems)
    #expect(problems.isEmpty, "\(problems)")
    #expect(visited > 1000)
  }

  @Test("long random runs always end", arguments: 0..<40)
  func random(_ seed: UInt64) {
    var random = SplitMix64(seed: seed)
    for _ in 0..<50 {
      var run = Self.run(
        attempts: Int(random.next() % 4) + 1, targets: Int(random.next() % 3) + 1, begin: [.received])
      run.exchange.budget = Int(random.next() % 6)
      for _ in 0..<60 {
        run.exchange.random = random.next()
        run.apply(ExchangeEvent.allCases[Int(random.next() % UInt64(ExchangeEvent.allCases.count))])
      }
      while !run.exchange.machine.isOver, let wake = run.exchange.machine.nextDeadline {
        run.exchange.now = max(run.exchange.now, wake)
        run.apply(.clock)
      }
      #expect(run.observer.ends == 1 && run.observer.problems.isEmpty, "seed \(seed): \(run.observer.problems)")
      #expect(run.exchange.machine.outcome != nil)
    }
  }

  @Test func theObserverSeesWhatIsWrong() {
    var observer = ExchangeObserver(attempts: 1, targets: 1, endpoints: 1, deadline: Instant(nanoseconds: 10))
    observer.check(ExchangeDecision(.none, release: .unused), event: .complete, now: Instant(nanoseconds: 0))
    #expect(observer.problems.count == 1)
    observer = ExchangeObserver(attempts: 1, targets: 1, endpoints: 1, deadline: Instant(nanoseconds: 10))
    observer.committed = true
    observer.check(
      ExchangeDecision(.sleep(until: Instant(nanoseconds: 50))), event: .broke, now: Instant(nanoseconds: 0))
    #expect(observer.problems.count == 2)
  }
}
