import SluicePolicy
import SluiceSimulation
import Testing

/// `PoolMachine` and the reference pool get the same random events and must agree after every one.
struct LockStepTests {
  @Test func theMachineAgreesWithTheReference() {
    for seed in SeedTests.first..<SeedTests.first + max(400, SeedTests.block) {
      var step = LockStep(seed: seed)
      for _ in 0..<300 where step.disagreement == nil { step.advance() }
      if let disagreement = step.disagreement {
        Issue.record("seed \(seed): \(disagreement)")
        return
      }
    }
  }
}

/// One run in lock-step.
struct LockStep {
  private(set) var disagreement: String?
  private var random: SplitMix64
  private var now = Instant(nanoseconds: 1_000_000_000)
  private var actions = ActionList()
  private var machine: PoolMachine
  private var reference: ReferencePool
  private var calls = 0
  private var tickets: [Int: TicketID] = [:]
  private var leases: [(call: Int, grant: Grant)] = []
  private var connecting: [ResourceID] = []
  private var idle: Set<ResourceID> = []

  init(seed: UInt64) {
    random = SplitMix64(seed: seed)
    var settings = PoolSettings(
      name: "reference", origins: [OriginSettings(identity: "o", name: "o")],
      endpoints: [EndpointSettings(identity: "e", name: "e", origin: 0)])
    settings.connections.max = 3
    settings.connections.idleTimeout = .max
    settings.connections.maxAge = .max
    settings.connections.keepWarm = .zero
    settings.connections.verifyAfter = .max
    settings.connections.connectTimeout = .hours(10)
    settings.queue.capacity = 8
    settings.queue.ageing = .hours(10)
    settings.queue.reserved = ClassShares(critical: 0, high: 0, normal: 0, low: 0)
    settings.health.probeIdle = false
    reference = ReferencePool(queueCapacity: settings.queue.capacity)
    machine = PoolMachine(settings: settings, loops: 1, seed: seed, now: now, into: &actions)
    absorb(expected: [])
  }

  mutating func advance() {
    now = now + .milliseconds(Int64(random.next() % 20))
    expire()
    switch random.next() % 7 {
    case 0, 1, 2: acquire()
    case 3, 4: release()
    case 5: connect()
    default: cancel()
    }
    compareNumbers()
  }

  private mutating func acquire() {
    calls += 1
    let priority = PriorityClass.allCases[Int(random.next() % 4)]
    let deadline = now + .milliseconds(Int64(random.next() % 400) + 1)
    let caller = CallerID(rawValue: UInt32(random.next() % 3))
    // Pinned to the only endpoint there is: another way through the machine to the same result.
    let pinned = random.next() % 4 == 0 ? machine.layout.endpoints.first : nil
    let request = AcquireRequest(
      loop: LoopID(0), priority: priority, caller: caller, deadline: deadline, arrival: now, pinned: pinned)
    let expected = reference.acquire(calls, priority, caller: caller, deadline: deadline, now: now)
    let outcome = machine.acquire(request, now: now, into: &actions)
    switch (outcome, expected) {
    case (.granted(let grant), .granted):
      idle.remove(grant.resource)
      leases.append((calls, grant))
    case (.queued(let ticket), .queued): tickets[calls] = ticket
    case (.rejected(let rejection), .queueFull) where rejection.reason == .queueFull: break
    default: disagreement = "call \(calls): \(outcome), the reference says \(expected)"
    }
    absorb(expected: [])
  }

  private mutating func release() {
    guard !leases.isEmpty else { return }
    let (_, grant) = leases.remove(at: Int(random.next() % UInt64(leases.count)))
    reference.leased -= 1
    let reusable = random.next() % 4 != 0
    let served = reusable ? reference.slotFreed() : nil
    if reusable { idle.insert(grant.resource) }
    let report = ExchangeReport(result: .success, fate: reusable ? .reusable : .close(.broken))
    if !machine.release(grant.lease, report, now: now, into: &actions) {
      disagreement = "a live lease was not taken back"
    }
    absorb(expected: served.map { [$0] } ?? [])
  }

  private mutating func connect() {
    guard !connecting.isEmpty else { return }
    let id = connecting.removeFirst()
    let served = reference.slotFreed()
    idle.insert(id)
    machine.connectSucceeded(
      id, capacity: 1, connectTime: .milliseconds(1), now: now, into: &actions)
    absorb(expected: served.map { [$0] } ?? [])
  }

  private mutating func cancel() {
    guard let call = tickets.keys.min(), let ticket = tickets.removeValue(forKey: call) else {
      return
    }
    if machine.cancel(ticket, now: now, into: &actions) != reference.cancel(call) {
      disagreement = "cancel of call \(call)"
    }
    absorb(expected: [])
  }

  private mutating func expire() {
    let over = reference.expire(now)
    machine.deadlineReached(now: now, into: &actions)
    var refused: Set<Int> = []
    for action in actions.array {
      guard case .reject(let ticket, _) = action,
        let call = tickets.first(where: { $0.value == ticket })?.key
      else { continue }
      refused.insert(call)
      tickets[call] = nil
    }
    if refused != over {
      disagreement = "expired \(refused.sorted()), the reference says \(over.sorted())"
    }
    absorb(expected: [])
  }

  /// Takes in what the machine wants; the granted calls must be exactly the expected ones.
  private mutating func absorb(expected: [Int]) {
    var granted: [Int] = []
    for action in actions.array {
      switch action {
      case .connect(let id, _, _, _): connecting.append(id)
      case .grant(let ticket, let grant):
        guard let call = tickets.first(where: { $0.value == ticket })?.key else { continue }
        tickets[call] = nil
        idle.remove(grant.resource)
        leases.append((call, grant))
        granted.append(call)
      case .close(let id, _):
        if idle.remove(id) != nil { reference.idle -= 1 }
        connecting.removeAll { $0 == id }
        pendingCloses.append(id)
      default: break
      }
    }
    actions.removeAll()
    if granted != expected && disagreement == nil {
      disagreement = "granted \(granted), the reference says \(expected)"
    }
    while let id = pendingCloses.popLast() {
      machine.resourceClosed(id, idleFor: nil, now: now, into: &actions)
      for action in actions.array {
        if case .connect(let id, _, _, _) = action { connecting.append(id) }
      }
      actions.removeAll()
    }
  }

  private var pendingCloses: [ResourceID] = []

  private mutating func compareNumbers() {
    guard disagreement == nil else { return }
    let snapshot = machine.snapshot(now: now)
    let mine = (reference.idle, reference.leased, reference.waiting.count)
    let theirs = (snapshot.slots.idle, Int(snapshot.numbers.leased), snapshot.waiting.total)
    if mine != theirs {
      disagreement = "idle, leased, waiting: \(theirs), the reference says \(mine)"
    }
    if !reference.waiting.isEmpty && snapshot.slots.total < 3 && connecting.isEmpty {
      disagreement = "callers wait, there is room, and nothing is being opened"
    }
  }
}
